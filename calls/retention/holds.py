"""Legal holds: for a reason and until a day, nothing of an account is deleted or erased."""

from datetime import date, datetime, timedelta

from django.db import transaction

from accounts.models import Account, AuditEntry
from calls.periods import day


@transaction.atomic
def put_on(account: Account, *, last_day: date, reason: str, by: str, now: datetime) -> None:
    """Nothing is deleted from now on through the local day ``last_day``. A hold that is on is prolonged or cut short;
    its calls stay counted from when it began."""
    locked = Account.objects.select_for_update().get(pk=account.pk)
    if not locked.is_held(now):
        locked.held_since = now
    locked.held_until = day(last_day, locked.tz).end
    locked.held_because = reason
    locked.save(update_fields=["held_since", "held_until", "held_because"])
    detail = f"through {last_day}: {reason}"
    AuditEntry.objects.create(at=now, account=account, by=by, action="hold", detail=detail)


@transaction.atomic
def lift(account: Account, *, by: str, now: datetime) -> None:
    """Let the next night delete again."""
    Account.objects.filter(pk=account.pk).update(held_since=None, held_until=None, held_because="")
    AuditEntry.objects.create(at=now, account=account, by=by, action="hold lifted")


def last_day(account: Account) -> date | None:
    """The last local day of the hold."""
    until = account.held_until
    return (until - timedelta(seconds=1)).astimezone(account.tz).date() if until else None
