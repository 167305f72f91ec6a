"""Everything that a charge was worked out from, line by line, for whoever checks it with a pencil."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.bands import Band
from billing.explaining import spoken
from billing.models import Charge, PriceList
from billing.terms import Price, Terms
from calls.templatetags.calls_format import money


def factors(charge: Charge) -> list[tuple[str, str]]:
    """Names and values in the language of the moment; what plays no part is left out."""
    terms = charge.terms.terms
    price = terms.price(charge.seconds, charge.bundle_seconds)
    return [
        *_seconds(price),
        *_prices(terms),
        *_sums(price),
        *_source(terms),
        (_("Priced"), _moment(charge.charged_at)),
    ]


def _seconds(price: Price) -> Iterator[tuple[str, str]]:
    yield _("Answered for"), spoken(price.seconds)
    if price.bundle_seconds:
        yield _("Of it from bundles"), spoken(price.bundle_seconds)
    if price.billed_seconds:
        terms = price.terms
        steps = f"{terms.first_increment}/{terms.next_increment}"
        yield _("Billed"), f"{spoken(price.billed_seconds)} ({steps})"


def _prices(terms: Terms) -> Iterator[tuple[str, str]]:
    if terms.rate_id is None or terms.free:
        return
    if terms.per_call is None:
        yield _("Price a minute"), money(terms.per_minute, terms.currency)
    else:
        yield _("Price a call"), money(terms.per_call, terms.currency)
    if terms.band:
        yield _("At that time"), _band(terms.band)
    if terms.connection_fee:
        yield _("Connection fee"), money(terms.connection_fee, terms.currency)
    if terms.minimum:
        yield _("Minimum charge"), money(terms.minimum, terms.currency)


def _band(band: str) -> str:
    names = {
        Band.DAY.value: _("workday prices"),
        Band.EVENING.value: _("evening prices"),
        Band.WEEKEND.value: _("weekend prices"),
    }
    return names[band]


def _sums(price: Price) -> Iterator[tuple[str, str]]:
    terms = price.terms
    basis = str(PriceList.Basis(terms.basis).label)
    yield _("Exact sum"), str(price.exact)
    mode = str(PriceList.RoundingMode(terms.rounding.mode).label)
    yield (
        _("Rounded"),
        _("%(mode)s, to %(decimals)s decimals")
        % {"mode": mode, "decimals": terms.rounding.decimals},
    )
    yield _("Cost"), f"{money(price.amount, terms.currency)} {basis}"


def _source(terms: Terms) -> Iterator[tuple[str, str]]:
    if terms.rate_id is not None:
        yield _("Price list"), terms.price_list
        yield _("Rate"), f"{terms.rate_name} ({terms.prefix or '*'})"
        yield _("Valid from"), _moment(datetime.fromisoformat(terms.valid_from))


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "d.m.Y H:i")
