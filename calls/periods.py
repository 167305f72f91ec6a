"""Days, weeks and months of an account's own zone as half-open spans of UTC.

Every bound is a local midnight taken by itself, so that neighbours meet exactly and a day has the
23 or 25 hours that it really has. The present is always handed in: nothing here reads the clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """All moments with `start <= moment < end`; both are aware and in UTC."""

    start: datetime
    end: datetime


def day(on: date, tz: ZoneInfo) -> Period:
    return span(on, on, tz)


def week(containing: date, tz: ZoneInfo) -> Period:
    """The ISO week, Monday to Sunday, that `containing` falls in."""
    monday = containing - timedelta(days=containing.weekday())
    return span(monday, monday + timedelta(days=6), tz)


def month(year: int, month: int, tz: ZoneInfo) -> Period:
    """One calendar month, 1 to 12; ValueError for any other."""
    first = date(year, month, 1)
    return Period(_midnight(first, tz), _midnight(_next_month(first), tz))


def span(first: date, last: date, tz: ZoneInfo) -> Period:
    """From the first day through the last, both included; ValueError if they are swapped."""
    if last < first:
        raise ValueError(f"the last day {last} is before the first day {first}")
    return Period(_midnight(first, tz), _midnight(last + timedelta(days=1), tz))


def latest_months(now: datetime, n: int, tz: ZoneInfo) -> list[date]:
    """The first days of the local month of ``now`` and of the ones before it, `n` in all, latest first."""
    months = [_local_date(now, tz).replace(day=1)]
    while len(months) < n:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months


def days_back(now: datetime, n: int, tz: ZoneInfo) -> Period:
    """The `n` whole local days of which today is the last; ValueError below 1."""
    return _days_until(_local_date(now, tz), n, tz)


def retention_cutoff(now: datetime, days: int, tz: ZoneInfo) -> datetime:
    """The start, in UTC, of the local day `days` days before today: what is earlier must go.

    What is kept are today so far and the `days` whole local days before it.
    """
    return _midnight(_local_date(now, tz) - timedelta(days=days), tz)


_PRESETS: dict[str, Callable[[date, ZoneInfo], Period]] = {
    "today": day,
    "yesterday": lambda today, tz: day(today - timedelta(days=1), tz),
    "this_week": week,
    "this_month": lambda today, tz: month(today.year, today.month, tz),
    "last_month": lambda today, tz: _month_before(today, tz),
    "last_30_days": lambda today, tz: _days_until(today, 30, tz),
}
PRESETS = tuple(_PRESETS)


def preset(name: str, now: datetime, tz: ZoneInfo) -> Period:
    """One of `PRESETS` as seen at `now`, always of whole days; KeyError for any other name."""
    return _PRESETS[name](_local_date(now, tz), tz)


def _midnight(on: date, tz: ZoneInfo) -> datetime:
    return datetime.combine(on, time.min, tz).astimezone(UTC)


def _local_date(now: datetime, tz: ZoneInfo) -> date:
    if now.tzinfo is None:
        # astimezone() would take a naive time for the zone of the machine, whatever that is.
        raise ValueError("the present must be an aware datetime")
    return now.astimezone(tz).date()


def _days_until(today: date, n: int, tz: ZoneInfo) -> Period:
    return span(today - timedelta(days=n - 1), today, tz)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _month_before(today: date, tz: ZoneInfo) -> Period:
    last = today.replace(day=1) - timedelta(days=1)
    return month(last.year, last.month, tz)
