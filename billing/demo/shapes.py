"""When a Polish firm's phones ring: busy mornings and afternoons, quiet evenings, Sundays and holidays. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from calls.ingest.records import SECOND, micros

# A month more than anybody keeps calls, so that the purge has work.
DAYS = 395
HOUR = 3600 * SECOND
SUNDAY = 6
# How many calls come in each hour of the day, compared with each other.
HOURS = (
    *(0.02, 0.01, 0.01, 0.01, 0.02, 0.05, 0.2, 0.7, 3.2, 6.6, 7.2, 5.4),
    *(3.6, 5.6, 6.0, 4.4, 2.6, 1.1, 0.6, 0.4, 0.25, 0.12, 0.06, 0.03),
)
# The holidays of fixed date; those that move with Easter are left out.
HOLIDAYS = {(1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26)}

Moment = tuple[int, bool]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A firm's year: opening hours by weekday, and how weekdays and months compare with each other."""

    opening: tuple[range, ...]
    weekdays: tuple[float, ...]
    months: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """An hour, or what of it has passed: begin and length in µs."""

    begins: int
    length: int
    weight: float
    is_open: bool


def moments(rhythm: Rhythm, now: datetime, zone: ZoneInfo, count: int, rng: Random) -> list[Moment]:
    """``count`` moments before ``now``, in order: µs since the epoch, and whether the firm is open then."""
    slots = [slot for day in _days(now, zone) for slot in _slots(day, rhythm, now, zone, rng)]
    chosen = rng.choices(slots, [slot.weight for slot in slots], k=count)
    return sorted((slot.begins + int(rng.random() * slot.length), slot.is_open) for slot in chosen)


def _days(now: datetime, zone: ZoneInfo) -> Iterator[date]:
    today = now.astimezone(zone).date()
    for age in range(DAYS, -1, -1):
        yield today - timedelta(days=age)


def _slots(day: date, rhythm: Rhythm, now: datetime, zone: ZoneInfo, rng: Random) -> Iterator[Slot]:
    weekday = SUNDAY if (day.month, day.day) in HOLIDAYS else day.weekday()
    busy = rhythm.weekdays[weekday] * rhythm.months[day.month - 1] * rng.uniform(0.8, 1.2)
    for hour, weight in enumerate(HOURS):
        begins = micros(datetime.combine(day, time(hour), zone))
        length = min(HOUR, micros(now) - begins)
        if length > 0:
            passed = length / HOUR
            yield Slot(begins, length, weight * busy * passed, hour in rhythm.opening[weekday])
