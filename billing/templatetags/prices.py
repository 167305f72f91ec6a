"""Rates, and what was found in a file of them, in words."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import Charge
from billing.pricefiles.content import Fault
from billing.pricefiles.reading import Refusal
from calls.models import Call
from calls.models.call import public_id
from calls.templatetags.calls_format import money

register = template.Library()

FAULTS = {
    Fault.NO_PREFIX: gettext_lazy("there is no prefix"),
    Fault.BAD_PREFIX: gettext_lazy("this is no prefix"),
    Fault.BAD_RANGE: gettext_lazy("this range of prefixes is upside down, or too long"),
    Fault.BAD_SPACE: gettext_lazy("unknown kind of numbers"),
    Fault.NO_PRICE: gettext_lazy("there is no price"),
    Fault.BAD_PRICE: gettext_lazy("this is no price"),
    Fault.NEGATIVE: gettext_lazy("a price is not negative"),
    Fault.TOO_EXACT: gettext_lazy("a price has at most six decimals"),
    Fault.TOO_DEAR: gettext_lazy("a price is below a million"),
    Fault.CURRENCY: gettext_lazy("the list is in another currency"),
    Fault.TWO_PRICES: gettext_lazy("a price a minute and a price a call, of which only one can be"),
    Fault.BAD_INCREMENT: gettext_lazy("increments are whole seconds, such as 60/1"),
    Fault.BAD_TREATMENT: gettext_lazy("unknown treatment"),
    Fault.BAD_DATE: gettext_lazy("this is no date"),
    Fault.ENDS_EARLY: gettext_lazy("the end is not after the beginning"),
    Fault.LONG_NAME: gettext_lazy("a name has at most 100 characters"),
    Fault.REPEATED: gettext_lazy("stands in the file already, alike"),
    Fault.CONTRADICTED: gettext_lazy(
        "stands in the file already, with another price; the first one counts"
    ),
    Fault.OVERLAPPING: gettext_lazy(
        "begins before another row for this prefix ends; the later beginning wins"
    ),
    Fault.LATER: gettext_lazy("the list has a price for this prefix that begins later, and stays"),
}
REFUSALS = {
    Refusal.UNREADABLE: gettext_lazy("This is neither a CSV file nor an XLSX workbook."),
    Refusal.NO_HEADER: gettext_lazy(
        "No line with headers was found. A column for the prefix is needed, and one for the price a minute or a call."
    ),
    Refusal.TWICE: gettext_lazy("Two columns claim the same. Take one of them out of the file:"),
    Refusal.BASIS: gettext_lazy(
        "The file has gross prices and the list net ones, or the other way round."
    ),
}


@register.filter
def fault(finding: dict[str, Any]) -> str:
    return str(FAULTS[Fault(finding["fault"])])


@register.filter
def refusal(report: dict[str, Any]) -> str:
    if report["refusal"] not in set(Refusal):
        return _("callpanel failed on this file; its log says how.")
    return f"{REFUSALS[Refusal(report['refusal'])]} {report['detail']}".strip()


@register.filter
def rate_in_words(rate: dict[str, Any] | None) -> str:
    """``0,12 zł/min, 60/1, opłata początkowa 0,10 zł``: what a rate of an import says, without its name."""
    if rate is None:
        return "–"
    if rate["treatment"] != "priced":
        return _("free") if rate["treatment"] == "free" else _("blocked")
    return ", ".join(_parts(rate))


def _parts(rate: dict[str, Any]) -> list[str]:
    unit = _("/min")
    if rate["per_call"]:
        unit = " " + _("a call")
    parts = [money(Decimal(rate["per_call"] or rate["per_minute"])) + unit]
    if not rate["per_call"]:
        parts.append(f"{rate['first_increment']}/{rate['next_increment']}")
    named = {
        "evening": _("evening"),
        "weekend": _("weekend"),
        "connection_fee": _("connection fee"),
        "minimum": _("minimum"),
    }
    return parts + [
        f"{label} {money(Decimal(rate[name]))}"
        for name, label in named.items()
        if rate[name] and (name in ("evening", "weekend") or Decimal(rate[name]))
    ]


@register.filter
def direction_name(direction: str) -> str:
    return str(Call.Direction(direction).label)


@register.filter
def last_day(end: datetime) -> datetime:
    """The moment before a period's end, which is on its last day."""
    return end - timedelta(microseconds=1)


@register.filter
def call_public_id(charge: Charge) -> str:
    return public_id(charge.call_started_at, charge.call_id)
