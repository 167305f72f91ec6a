"""What an account was told of its costs, in words: for its page and for mails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.models import Account
from billing.models import AccountPriceList, Charge, Notice
from calls.models import Call, Extension
from calls.models.call import from_public_id
from calls.querysets import CallQuerySet
from calls.templatetags.calls_format import total_money


@dataclass(frozen=True, slots=True)
class Told:
    """A notice in words. ``path``: the list of its calls; ``calls``: those that it names and that are still kept."""

    notice: Notice
    title: str
    text: str
    path: str
    calls: Sequence[Call]


def told(notice: Notice, account: Account, *, full_numbers: bool) -> Told:
    """In the language of the moment; without ``full_numbers`` its calls have no last digits."""
    describe = {
        Notice.Kind.BUDGET: _of_budget,
        Notice.Kind.FIRST_CALL: _of_first_call,
        Notice.Kind.UNUSUAL: _of_unusual,
    }[Notice.Kind(notice.kind)]
    title, text, query = describe(notice, account)
    path = f"{reverse('call-list', args=[account.slug])}?{urlencode(query)}"
    calls = calls_of(notice, account)
    return Told(notice, title, text, path, list(calls if full_numbers else calls.masked()))


def calls_of(notice: Notice, account: Account) -> CallQuerySet:
    """The calls that the notice names, the newest first."""
    keys = [key for key in map(from_public_id, notice.facts["calls"]) if key]
    return (
        Call.objects.filter(
            account=account,
            started_at__in=[key["started_at"] for key in keys],
            id__in=[key["id"] for key in keys],
        )
        .order_by("-started_at", "-id")
        .defer("legs", "paid")
    )


def _of_budget(notice: Notice, account: Account) -> tuple[str, str, dict[str, Any]]:
    facts = notice.facts
    first = date.fromisoformat(facts["month"])
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    query = _span(first, last)
    title = _("%(percent)s%% of the budget are spent") % {"percent": facts["threshold"]}
    if facts["extension"]:
        query["extension"] = facts["extension"]
        desk = Extension.objects.filter(account=account, number=facts["extension"]).first()
        title = f"{title}: {desk or facts['extension']}"
    text = _("In %(month)s calls have cost %(spent)s. The budget is %(amount)s.") % {
        "month": date_format(first, "F Y"),
        "spent": _money(account, facts["spent"]),
        "amount": _money(account, facts["amount"]),
    }
    return title, text, query


def _of_first_call(notice: Notice, account: Account) -> tuple[str, str, dict[str, Any]]:
    place = notice.facts["destination"]
    name = _rate_name(notice, account)
    title = _("First call to %(place)s") % {"place": f"{name} ({place})" if name else place}
    text = _(
        "As far as callpanel remembers, nobody of the firm has called there before. Was it one of you?"
    )
    day = notice.created_at.astimezone(account.tz).date()
    query = _span(day - timedelta(days=7), day) | {"number": place.replace(" ", "")}
    return title, text, query


def _rate_name(notice: Notice, account: Account) -> str:
    """What the price list calls the place."""
    keys = [key for key in map(from_public_id, notice.facts["calls"]) if key]
    charge = (
        Charge.objects.filter(
            account=account,
            call_started_at__in=[key["started_at"] for key in keys],
            call_id__in=[key["id"] for key in keys],
        )
        .select_related("terms")
        .first()
    )
    return charge.terms.terms.rate_name if charge else ""


def _of_unusual(notice: Notice, account: Account) -> tuple[str, str, dict[str, Any]]:
    facts = notice.facts
    start = datetime.fromisoformat(facts["start"]).astimezone(account.tz)
    values = {
        "day": date_format(start, "d.m.Y"),
        "hour": date_format(start, "d.m.Y H:i"),
        "spent": _money(account, facts["spent"]),
        "usual": _money(account, facts["usual"]),
    }
    if facts["span"] == "day":
        text = _("On %(day)s calls have cost %(spent)s. On such days it is usually %(usual)s.")
    else:
        text = _(
            "In the hour from %(hour)s on calls have cost %(spent)s. The dearest hour of such a day usually costs"
            " %(usual)s."
        )
    return _("Spending far above the usual"), text % values, _span(start.date(), start.date())


def _span(first: date, last: date) -> dict[str, Any]:
    return {"period": "custom", "first": first.isoformat(), "last": last.isoformat()}


def _money(account: Account, amount: str) -> str:
    return total_money(Decimal(amount), AccountPriceList.money_of(account).currency)
