"""The check after the purge: is anything still there that should be gone? It asks the tables, not the purge."""

from collections import Counter
from datetime import datetime

from accounts.models import Account
from calls import partitions
from calls.ingest import feed
from calls.models import LegRecord
from calls.retention import legs, tables
from calls.retention.cutoffs import NOBODYS_ZONE, cutoff_on, night_of
from calls.retention.deleting import rows_for_days, rows_of_account


def left_of(account: Account, cutoff: datetime) -> dict[str, int]:
    """Rows of the account from before the cutoff, by model."""
    left: Counter[str] = Counter()
    for model, rule in tables.of_accounts():
        left[model._meta.label] += rows_of_account(model, rule, account, cutoff).count()
    left[LegRecord._meta.label] += legs.left_of(account, cutoff)
    return dict(+left)


def left_of_nobody(now: datetime) -> dict[str, int]:
    """What belongs to no account and is too old, what hangs on nothing, and partitions cut off but not dropped."""
    night = night_of(now, NOBODYS_ZONE)
    left = Counter(legs.stray())
    for model, rule in tables.for_days():
        left[model._meta.label] += rows_for_days(model, rule, night).count()
    oldest = cutoff_on(night, Account.LONGEST_RETENTION_DAYS, NOBODYS_ZONE)
    left[LegRecord._meta.label] += legs.left_of_nobody(now, oldest)
    for table in feed.TABLES:
        left[f"feed.{table}"] += feed.count_before(table, tables.feed_cutoff(night))
    for model in tables.partitioned():
        left[model._meta.label] += len(partitions.detached(model._meta.db_table))
    return dict(+left)
