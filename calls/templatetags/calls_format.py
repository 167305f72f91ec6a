"""How a Pole writes numbers, durations and money."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.apps import apps
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from calls.numbers import pretty

register = template.Library()


@register.filter
def phone(number: str) -> str:
    """``+48501234567`` → ``501 234 567``, with no-break spaces."""
    return pretty(number).replace(" ", "\xa0")


@register.filter
def duration(seconds: int) -> str:
    """``3725`` → ``1:02:05``, ``65`` → ``1:05``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def money(amount: Decimal, currency: str = "PLN") -> str:
    """``1234.5`` → ``1 234,50 zł``; parts of a grosz with four decimals (or all there are), never rounded away."""
    exact = -int(amount.normalize().as_tuple().exponent)
    places = 2 if exact <= 2 else max(4, exact)
    number = number_format(amount, decimal_pos=places, use_l10n=True, force_grouping=True)
    return (
        _("%(amount)s zł") % {"amount": number} if currency == "PLN" else f"{number}\xa0{currency}"
    )


@register.filter
def total_money(amount: Decimal, currency: str = "PLN") -> str:
    """A sum of many charges, rounded once, to the grosz."""
    return money(amount.quantize(Decimal("0.01"), ROUND_HALF_UP), currency)


@register.filter
def whole(number: int) -> str:
    """``2859`` → ``2 859``."""
    return number_format(number, use_l10n=True, force_grouping=True)


@register.filter
def moment(text: str) -> datetime:
    """A time that the database wrote into JSON."""
    return datetime.fromisoformat(text)


@register.filter(expects_localtime=True)
def day_and_time(moment: datetime) -> str:
    """``11:58`` today, ``23.11. 11:58`` this year, with the year otherwise. A time of its own, not a full sentence."""
    today = timezone.localdate()
    if moment.date() == today:
        return date_format(moment, "H:i")
    return date_format(moment, "d.m. H:i" if moment.year == today.year else "d.m.Y H:i")


@register.filter
def decimal(text: str) -> Decimal:
    """An exact amount that was kept as text."""
    return Decimal(text)


@register.filter
def named(number: str, names: dict[str, str]) -> str:
    """An extension with its name, any other number as one writes it."""
    name = names.get(number, "")
    return f"{number}\xa0{name}" if name else phone(number)


@register.filter
def table_name(label: str) -> str:
    """What a person calls the rows of a model; a model that is gone keeps its label."""
    try:
        return str(apps.get_model(label)._meta.verbose_name_plural)
    except LookupError:
        return label


@register.filter
def lasted(span: timedelta) -> str:
    """How long something took: ``0,3 s``, and from a minute on as a duration."""
    seconds = span.total_seconds()
    if seconds >= 60:
        return duration(round(seconds))
    return f"{number_format(seconds, decimal_pos=1, use_l10n=True)}\xa0s"
