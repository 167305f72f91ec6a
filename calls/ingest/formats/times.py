"""Times as PBXes write them, as µs since the epoch. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from calls.ingest.records import CdrError, micros


def iso(text: str, zone: ZoneInfo, likely: int) -> int:
    """A time such as 2026-11-23 03:07:44; without a zone of its own it is one of ``zone``.

    Raises CdrError ``bad_times``.
    """
    try:
        return utc(datetime.fromisoformat(text), zone, likely)
    except ValueError as error:
        raise CdrError("bad_times", f"{text[:40]!r} is no time.") from error


def utc(moment: datetime, zone: ZoneInfo, likely: int) -> int:
    """A time as µs UTC; of the two readings in the doubtful hour of a local one the one nearer to ``likely``."""
    if moment.tzinfo is not None:
        return _micros(moment)
    readings = (_micros(moment.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    return min(readings, key=lambda reading: abs(reading - likely))


def _micros(moment: datetime) -> int:
    try:
        return micros(moment)
    except OverflowError as error:
        raise CdrError("bad_times", f"{moment} is no believable time.") from error
