"""Forgetting: what is older than its account keeps calls goes, for good."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account
from calls import partitions
from calls.ingest import groups
from calls.models import Call, InboxRecord, MovedCall, UnpricedCall
from calls.periods import retention_cutoff
from calls.signals import partitions_due, purging

logger = logging.getLogger("callpanel.retention")

BATCH = 5000
RAW_RECORDS = timedelta(days=14)
REFUSED_RECORDS = timedelta(days=365)
MONTHS_AHEAD = 2


def purge(now: datetime) -> int:
    """Delete everything too old, make partitions ahead; returns the number of calls deleted. Safe to repeat."""
    prepare_partitions(now)
    cutoffs = {account: cutoff_of(account, now) for account in Account.objects.all()}
    deleted = sum(_purge_account(account, cutoff) for account, cutoff in cutoffs.items())
    if cutoffs:
        _drop_partitions(min(cutoffs.values()))
    _purge_inbox(now)
    while groups.forget_before(now - groups.LATE_WINDOW):
        pass
    logger.info("purge done: %d calls deleted", deleted)
    return deleted


def cutoff_of(account: Account, now: datetime) -> datetime:
    """What began before this moment must not be kept for the account."""
    return retention_cutoff(now, account.retention_days, account.tz)


def prepare_partitions(now: datetime) -> None:
    """Make the partitions of this month and the next ones, for calls and for whoever else has such tables."""
    months = partitions.months_ahead(now, MONTHS_AHEAD)
    partitions.ensure(Call._meta.db_table, months)
    partitions_due.send(sender=None, months=months)


def _purge_account(account: Account, cutoff: datetime) -> int:
    # Charges first: were we stopped between the two, the next run would still find the calls.
    purging.send(sender=None, account=account, cutoff=cutoff)
    mine: dict[str, Any] = {"account": account, "started_at__lt": cutoff}
    delete_in_batches(lambda: MovedCall.objects.filter(**mine))
    delete_in_batches(lambda: UnpricedCall.objects.filter(**mine))
    return delete_in_batches(lambda: Call.objects.filter(**mine))


def delete_in_batches(rows: Callable[[], QuerySet[Any]]) -> int:
    """Delete rows a few thousand at a time, so that nobody waits for long; returns their number."""
    deleted = 0
    while pks := list(rows().order_by().values_list("pk", flat=True)[:BATCH]):
        deleted += rows().filter(pk__in=pks).delete()[0]
    return deleted


def _drop_partitions(cutoff: datetime) -> None:
    month = partitions.month_of(cutoff)
    dropped = partitions.drop_before(Call._meta.db_table, month)
    partitions_due.send(sender=None, drop_before=month)
    if dropped:
        logger.info("dropped partitions %s", ", ".join(dropped))


def _purge_inbox(now: datetime) -> None:
    states = InboxRecord.State
    settled = InboxRecord.objects.filter(state__in=[states.FOLDED, states.EXPIRED])
    delete_in_batches(lambda: settled.filter(received_at__lt=now - RAW_RECORDS))
    delete_in_batches(lambda: InboxRecord.objects.filter(received_at__lt=now - REFUSED_RECORDS))
