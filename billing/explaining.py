"""Why a leg costs what it costs: every factor as plain data, and one sentence that a customer understands."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Account
from billing.bands import Band
from billing.models import BundleUse, Charge, PriceList, VatRate
from billing.terms import Price, Rounding
from calls.templatetags.calls_format import money


def of_charge(charge: Charge, account: Account) -> dict[str, Any]:
    """Every factor of a charge; see ``explain``."""
    price = charge.terms.terms.price(charge.seconds, charge.bundle_seconds)
    bundles: list[tuple[str, int]] = []
    if charge.bundle_seconds:
        month = charge.answered_at.astimezone(account.tz).date().replace(day=1)
        uses = BundleUse.objects.filter(
            account=account, month=month, answered_at=charge.answered_at, charge_id=charge.id
        )
        bundles = list(uses.order_by("bundle_id").values_list("bundle__name", "seconds"))
    return explain(price, charge.answered_at, bundles, account)


def explain(
    price: Price, answered_at: datetime, bundles: Iterable[tuple[str, int]], account: Account
) -> dict[str, Any]:
    """The factors of ``Price.explanation``, and: ``answered_at``; ``bundles``, pairs of a name and the seconds that it
    paid; ``vat`` in percent, None if nobody entered it; ``net`` and ``gross``, one of which is the amount. Money
    is exact text.
    """
    vat = VatRate.of(account.pk, answered_at.astimezone(account.tz).date())
    return {
        **price.explanation(),
        "answered_at": answered_at.isoformat(),
        "bundles": [list(pair) for pair in bundles],
        "vat": None if vat is None else f"{vat.normalize():f}",
        **_net_and_gross(price, vat),
    }


def _net_and_gross(price: Price, vat: Decimal | None) -> dict[str, str | None]:
    amount, basis = price.amount, price.terms.basis
    if vat is None:
        return {"net": None, "gross": None} | {basis: str(amount)}
    other = _times(amount, 100 + vat, Decimal(100), price.terms.rounding)
    if basis == PriceList.Basis.GROSS:
        other = _times(amount, Decimal(100), 100 + vat, price.terms.rounding)
        return {"net": str(other), "gross": str(amount)}
    return {"net": str(amount), "gross": str(other)}


def _times(
    amount: Decimal, numerator: Decimal, denominator: Decimal, rounding: Rounding
) -> Decimal:
    """``amount × numerator / denominator``, rounded once, half up, to as many decimals as the amount has."""
    exact = (amount * numerator).as_integer_ratio()
    below = denominator.as_integer_ratio()
    return Rounding(rounding.decimals).quotient(exact[0] * below[1], exact[1] * below[0])


def sentence(factors: dict[str, Any]) -> str:
    """One sentence in the language of whoever asks, out of what ``explain`` gives."""
    if factors["free"] == "rule":
        return _("calls to this number are free.")
    if not factors["seconds"]:
        return _("answered for less than a second, so it costs nothing.")
    if factors["free"]:
        return _("free, %(source)s.") % {"source": _source(factors)}
    return ", ".join(_parts(factors)) + "."


def _parts(factors: dict[str, Any]) -> Iterator[str]:
    yield spoken(factors["seconds"])
    for name, seconds in factors["bundles"]:
        yield _("%(seconds)s of it from the bundle “%(bundle)s”") % {
            "seconds": spoken(seconds),
            "bundle": name,
        }
    if factors["outside_seconds"]:
        yield from _pieces_of_the_price(factors)
    yield _total(factors)
    yield _source(factors)


def _pieces_of_the_price(factors: dict[str, Any]) -> Iterator[str]:
    def amount(name: str) -> str:
        return money(Decimal(factors[name]), factors["currency"])

    if factors["per_call"] is None:
        yield from _billed(factors)
        yield _("at %(price)s a minute%(band)s") % {
            "price": amount("per_minute"),
            "band": _band(factors["band"]),
        }
    else:
        yield _("at %(price)s a call%(band)s") % {
            "price": amount("per_call"),
            "band": _band(factors["band"]),
        }
    if Decimal(factors["connection_fee"]):
        yield _("plus %(fee)s for the connection") % {"fee": amount("connection_fee")}
    if Decimal(factors["minimum"]):
        yield _("at least %(minimum)s") % {"minimum": amount("minimum")}


def _billed(factors: dict[str, Any]) -> Iterator[str]:
    if factors["billed_seconds"] != factors["seconds"]:
        yield _("billed as %(billed)s (%(first)s/%(next)s)") % {
            "billed": spoken(factors["billed_seconds"]),
            "first": factors["first_increment"],
            "next": factors["next_increment"],
        }


def _band(band: str) -> str:
    """With a blank before it, or nothing for a price that is the same at any time."""
    names = {
        Band.DAY.value: _("by day"),
        Band.EVENING.value: _("in the evening"),
        Band.WEEKEND.value: _("at the weekend or on a holiday"),
    }
    return f" {names[band]}" if band else ""


def _total(factors: dict[str, Any]) -> str:
    amount = money(Decimal(factors["amount"]), factors["currency"])
    values = {"amount": amount, "vat": factors["vat"]}
    if factors["basis"] == PriceList.Basis.GROSS:
        if factors["vat"] is None:
            return _("together %(amount)s gross") % values
        return _("together %(amount)s gross with %(vat)s%% VAT") % values
    if factors["vat"] is None:
        return _("together %(amount)s net") % values
    values["gross"] = money(Decimal(factors["gross"]), factors["currency"])
    return _("together %(amount)s net (%(gross)s with %(vat)s%% VAT)") % values


def _source(factors: dict[str, Any]) -> str:
    values = {name: factors[name] for name in ("price_list", "rate_name", "prefix")}
    if not factors["prefix"]:
        return _("by the rate “%(rate_name)s” of the price list “%(price_list)s”") % values
    return (
        _(
            "by the rate “%(rate_name)s” for numbers that begin with %(prefix)s of the price list “%(price_list)s”"
        )
        % values
    )


def spoken(seconds: int) -> str:
    """``3725`` → ``1 h 2 min 5 s``; ``0`` → ``0 s``."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    units = ((hours, _("h")), (minutes, _("min")), (rest, _("s")))
    return "\xa0".join(f"{count}\xa0{unit}" for count, unit in units if count) or f"0\xa0{_('s')}"
