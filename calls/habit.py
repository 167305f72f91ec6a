"""What a PBX usually sends in an hour of the week, and when its silence is too long to be chance. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
WEEKS = 8
# With fewer weeks nobody can speak of a habit.
FEWEST_WEEKS = 3
# Chance may be taken for a fault once in so many silences.
FALSE_ALARMS = 10_000
LONGEST_LOOK = timedelta(days=7)
SUNDAY = 6
# Of fewer calls nobody can tell how many records one brings.
FEWEST_CALLS = 100


@dataclass(frozen=True, slots=True)
class Calendar:
    """By which clock people work, and when they do not."""

    zone: ZoneInfo
    is_holiday: Callable[[date], bool]

    def same_hours(self, hour: datetime) -> Iterator[datetime]:
        """The same hour of the day, by the clock on the wall, in the weeks before, the latest first.

        A public holiday is like a Sunday, and no example for the weekday that it falls on.
        """
        local = hour.astimezone(self.zone)
        weekday = SUNDAY if self.is_holiday(local.date()) else local.weekday()
        latest = local - timedelta(days=(local.weekday() - weekday) % 7 or 7)
        for week in range(WEEKS):
            same = latest - timedelta(weeks=week)
            if weekday == SUNDAY or not self.is_holiday(same.date()):
                yield same.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Habit:
    """How a PBX sends. ``counts`` are records by the beginning of their hour (UTC), those without any left out; they
    begin with the hour ``first``. ``calls`` are the calls that they brought; before some hour they were not counted.
    """

    counts: Mapping[datetime, int]
    first: datetime
    calendar: Calendar
    calls: Mapping[datetime, int] = field(default_factory=dict)

    @property
    def records_per_call(self) -> float | None:
        """By the hours whose calls were counted; None while these are too few calls."""
        calls = sum(self.calls.values())
        records = sum(self.counts.get(hour, 0) for hour, count in self.calls.items() if count)
        return records / calls if calls >= FEWEST_CALLS else None

    def usual(self, hour: datetime) -> float | None:
        """How many records usually come in this hour: the median of the same hour of the week.

        None while there are counts of too few weeks.
        """
        same = [each for each in self.calendar.same_hours(hour) if each >= self.first]
        counts = [self.counts.get(each, 0) for each in same]
        return median(counts) if len(counts) >= FEWEST_WEEKS else None

    def expected(self, since: datetime, now: datetime) -> float:
        """How many records should have come between two moments; hours without a known habit count as none.

        An hour that is not over yet, or that something came in, counts with its share of what it has in common with
        the hours beside it: nobody knows when within the hour a nightly file comes, or an office opens.
        """
        total, since = 0.0, max(since, now - LONGEST_LOOK)
        for hour in _hours(since, now):
            share = (min(hour + HOUR, now) - max(hour, since)) / HOUR
            around = (hour,) if share == 1 else (hour - HOUR, hour, hour + HOUR)
            total += share * min(self.usual(each) or 0 for each in around)
        return total


def is_silent(expected: float, records_per_call: float) -> bool:
    """Whether it is no chance that nothing came where so many records were expected.

    Calls come like a Poisson process, and each brings several records: the chance of none is exp(-calls expected).
    """
    return expected / max(1.0, records_per_call) >= math.log(FALSE_ALARMS)


def _hours(since: datetime, now: datetime) -> Iterator[datetime]:
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < now:
        yield hour
        hour += HOUR
