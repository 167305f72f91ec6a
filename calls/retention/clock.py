"""Whether the clock can be believed: with a wrong one, the purge would delete what has to stay."""

from datetime import datetime, timedelta

from django.db import connection

from calls.models import PurgeAlarm

TOLERANCE = timedelta(minutes=2)
# Off for some weeks, and the purge catches up; off for longer, or a clock gone mad: somebody has to say which.
LEAP = timedelta(days=30)
Objection = tuple[PurgeAlarm.Kind, dict[str, str]]


def of_database() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def objection(now: datetime, database: datetime, last: datetime | None) -> Objection | None:
    """Why the purge must not run, as an alarm and its details. ``last``: when all was well for the last time."""
    if abs(now - database) > TOLERANCE:
        return PurgeAlarm.Kind.CLOCKS_DIFFER, {"now": _shown(now), "database": _shown(database)}
    if last is None:
        return None
    details = {"now": _shown(now), "last": _shown(last)}
    if now - last > LEAP:
        return PurgeAlarm.Kind.CLOCK_AHEAD, details
    return (PurgeAlarm.Kind.CLOCK_BEHIND, details) if last - now > TOLERANCE else None


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
