"""When a price list's day, evening and weekend prices hold, by the clock on the wall. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from functools import lru_cache

import holidays

POLISH_HOLIDAYS = holidays.country_holidays("PL")


class Band(StrEnum):
    """``ALWAYS``: of a rate whose price is the same at any time."""

    ALWAYS = ""
    DAY = "day"
    EVENING = "evening"
    WEEKEND = "weekend"


@dataclass(frozen=True, slots=True)
class Hours:
    """Day prices hold on workdays while ``day_from <= time < day_to``, the evening's in the rest of a workday."""

    day_from: time
    day_to: time

    def band(self, local: datetime) -> Band:
        """The band of a moment, given in the zone of whoever pays."""
        if is_day_off(local.date()):
            return Band.WEEKEND
        return Band.DAY if self.day_from <= local.time() < self.day_to else Band.EVENING


@lru_cache(maxsize=2000)
def is_day_off(day: date) -> bool:
    """Saturdays, Sundays and Polish public holidays, each by the law of its year."""
    return day.weekday() >= 5 or day in POLISH_HOLIDAYS
