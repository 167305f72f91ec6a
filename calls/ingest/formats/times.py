"""Times as PBXes write them, as µs since the epoch. Pure."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from calls.ingest.records import CdrError, micros


def iso(text: str, zone: ZoneInfo, likely: int) -> int:
    """A time such as 2026-11-23 03:07:44; without a zone of its own it is one of ``zone``.

    Raises CdrError ``bad_times``.
    """
    return _nearest(iso_readings(text, zone), likely)


@lru_cache(maxsize=10_000)
def iso_readings(text: str, zone: ZoneInfo) -> tuple[int, ...]:
    """The same in every way that it can be read: in the hour before the end of summer time there are two.

    Raises CdrError ``bad_times``.
    """
    try:
        return _readings(datetime.fromisoformat(text), zone)
    except ValueError as error:
        raise CdrError("bad_times", f"{text[:40]!r} is no time.") from error


def utc(moment: datetime, zone: ZoneInfo, likely: int) -> int:
    """A time as µs UTC; of the two readings in the doubtful hour of a local one the one nearer to ``likely``."""
    return _nearest(_readings(moment, zone), likely)


def _readings(moment: datetime, zone: ZoneInfo) -> tuple[int, ...]:
    if moment.tzinfo is not None:
        return (_micros(moment),)
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return (_micros(first),)
    return _micros(first), _micros(second)


def _nearest(readings: tuple[int, ...], likely: int) -> int:
    return min(readings, key=lambda reading: abs(reading - likely))


def _micros(moment: datetime) -> int:
    try:
        return micros(moment)
    except OverflowError as error:
        raise CdrError("bad_times", f"{moment} is no believable time.") from error
