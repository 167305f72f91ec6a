"""What a firm usually spends, and what is far from it. Pure; docs/costs.md states the same formulas in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import mean, median

from billing.bands import is_day_off

WEEKS = 8
HISTORY = timedelta(days=7 * WEEKS)
# Less is no habit yet.
SHORTEST = timedelta(days=28)
FEWEST_DAYS = 8
SUNDAY = 6
# What is below is not worth a mail, however unusual: a day and an hour, in the account's currency.
LEAST_DAY, LEAST_HOUR = Decimal(20), Decimal(10)
# A median absolute deviation times this is what a standard deviation is to a bell curve.
SPREAD = Decimal("1.4826")
FAR = 6


@dataclass(frozen=True, slots=True)
class Limit:
    """``usual``: the median; what is above ``most`` is far from it."""

    usual: Decimal
    most: Decimal


def kind_of(day: date) -> int:
    """The weekday, 0 to 6; a public holiday is a Sunday."""
    return SUNDAY if day.weekday() < 5 and is_day_off(day) else day.weekday()


def known_days(first: date, today: date) -> list[date]:
    """The days before today that tell of a firm's habit; none while the history since ``first`` is too short."""
    if today - first < SHORTEST:
        return []
    begin = max(first, today - HISTORY)
    return [begin + timedelta(days=n) for n in range((today - begin).days)]


def forecast(
    spent: Mapping[date, Decimal], known: Sequence[date], today: date, last: date
) -> Decimal | None:
    """What will be spent from today through ``last``, what was spent today included; None for a thin history.

    A day is expected to cost the mean of the known days of its kind, today at least what it cost already.
    """
    expected = {
        kind: mean(spent.get(day, Decimal(0)) for day in days)
        for kind, days in _by_kind(known).items()
    }
    if len(expected) < 7:
        return None
    days = [today + timedelta(days=n) for n in range((last - today).days + 1)]
    rest = sum((expected[kind_of(day)] for day in days[1:]), Decimal(0))
    return rest + max(expected[kind_of(today)], spent.get(today, Decimal(0)))


def _by_kind(days: Sequence[date]) -> dict[int, list[date]]:
    kinds: dict[int, list[date]] = {}
    for day in days:
        kinds.setdefault(kind_of(day), []).append(day)
    return kinds


def limit(
    amounts: Mapping[date, Decimal], known: Sequence[date], day: date, least: Decimal
) -> Limit | None:
    """What an amount of this day may be, by those of the known days that are workdays, or days off, like it.

    Median plus six times the spread; the spread is at least a quarter of the median. None where too few days are known.
    """
    alike = [amounts.get(each, Decimal(0)) for each in known if is_day_off(each) == is_day_off(day)]
    if len(alike) < FEWEST_DAYS:
        return None
    middle = median(alike)
    deviation = SPREAD * median(abs(each - middle) for each in alike)
    return Limit(middle, max(least, middle + FAR * max(deviation, middle / 4)))
