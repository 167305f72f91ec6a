"""To the day, in the account's own zone: what is kept, and when the rest goes."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts.models import Account
from calls.periods import day, retention_cutoff

# When phones are quiet. Where clocks are moved over it, the night begins that much earlier or later, and once.
QUIET_HOUR = time(3, 30)
DAY = timedelta(days=1)
NOBODYS_ZONE = ZoneInfo(settings.TIME_ZONE)


def cutoff_of(account: Account, now: datetime) -> datetime:
    """What began before this moment is not taken in for the account; a legal hold stops its clock."""
    held = account.held_since if account.is_held(now) else None
    return retention_cutoff(held or now, account.retention_days, account.tz)


def cutoff_on(night: date, days: int, tz: ZoneInfo) -> datetime:
    """What a purge on the local day ``night`` deletes is earlier than this moment."""
    return day(night - timedelta(days=days), tz).start


def night_of(now: datetime, tz: ZoneInfo) -> date:
    """The latest local day whose quiet hour has come."""
    local = now.astimezone(tz)
    return local.date() if local.time() >= QUIET_HOUR else local.date() - DAY


def gone_on(account: Account, started_at: datetime) -> date:
    """The local day in whose night a call is deleted."""
    return started_at.astimezone(account.tz).date() + timedelta(days=account.retention_days + 1)
