"""What the receipts say, for the operator and for each account."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from accounts.models import Account
from calls.models import Erasure, PurgeAlarm, Receipt
from calls.retention.cutoffs import DAY, cutoff_on, night_of

NIGHTS = 60


@dataclass(frozen=True, slots=True)
class Next:
    """The next night: when, how many calls it deletes, and the last day of which calls are then gone."""

    night: date
    calls: int
    last_day: date


def nights() -> list[dict[str, Any]]:
    """The latest nights: how many accounts, how much was deleted and came too late, from when to when it took."""
    told = Receipt.objects.filter(night__isnull=False).values("night")
    latest = told.annotate(
        accounts=Count("account"),
        open=Count("pk", filter=Q(finished_at__isnull=True)),
        on_hold=Count("pk", filter=Q(held=True)),
        rows=Sum("deleted"),
        too_late=Sum("late"),
        duration=Sum("took"),
        first=Min("begun_at"),
        last=Max("finished_at"),
        coming=Sum("next_calls"),
        wrong=Count("pk", filter=~Q(left={})),
    ).order_by("-night")[:NIGHTS]
    return [dict(each) for each in latest]


def of_night(night: date) -> QuerySet[Receipt]:
    """A night's receipts, that of nobody's data last."""
    return Receipt.objects.filter(night=night).select_related("account").order_by("account__name")


def of_account(account: Account) -> QuerySet[Receipt]:
    finished = Receipt.objects.filter(account=account, finished_at__isnull=False)
    return finished.order_by("-night")[:NIGHTS]


def next_of(account: Account, now: datetime) -> Next:
    night = night_of(now, account.tz) + DAY
    last = of_account(account).first()
    cutoff = cutoff_on(night, account.retention_days, account.tz).astimezone(account.tz)
    return Next(night, last.next_calls if last else 0, cutoff.date() - DAY)


def alarms() -> QuerySet[PurgeAlarm]:
    return PurgeAlarm.objects.filter(settled_at__isnull=True).order_by("since")


def holds(now: datetime) -> QuerySet[Account]:
    return Account.objects.filter(held_until__gt=now).order_by("held_until")


def erasures(account: Account | None = None) -> QuerySet[Erasure]:
    """The latest erasures, of one account or of all."""
    found = Erasure.objects.select_related("account").order_by("-requested_at")
    return (found.filter(account=account) if account else found)[:NIGHTS]
