"""What there is to delete in a night, step by step, each a batch at a time."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import partial

from accounts.keeping import ForDays, OfAccount
from accounts.models import Account
from calls.ingest import feed
from calls.models import Pbx
from calls.retention import legs, tables
from calls.retention.deleting import BATCH, delete_some, rows_for_days, rows_of_account
from calls.retention.receipts import Deleted
from calls.retention.tables import Model

# What a step deleted, by model, and whether the batch ends with it: the rest is for the next transaction.
Batch = tuple[dict[str, Deleted], bool]
# Deletes some of what is older than a moment. Needs a transaction.
Step = Callable[[datetime], Batch]


def of(account: Account | None, night: date, now: datetime) -> Iterator[Step]:
    """The steps for an account, or for what belongs to nobody. The calls come last: were we stopped before, the next
    run would still find them, and through them the rest."""
    return _of_nobody(night, now) if account is None else _of_account(account)


def _of_account(account: Account) -> Iterator[Step]:
    for pbx in Pbx.objects.all():
        yield partial(_legs_of_account, pbx, account)
    for model, rule in tables.of_accounts():
        yield partial(_rows_of_account, model, rule, account)


def _of_nobody(night: date, now: datetime) -> Iterator[Step]:
    for pbx in Pbx.objects.all():
        yield partial(_legs_too_late, pbx, now)
        yield partial(_legs_of_nobody, pbx)
    for model, rule in tables.for_days():
        yield partial(_rows_for_days, model, rule, night)
    for table in feed.TABLES:
        yield partial(_rows_of_feed, table, night)


def _legs_of_account(pbx: Pbx, account: Account, cutoff: datetime) -> Batch:
    return legs.forget_some(pbx, legs.of_account(pbx, account, cutoff), with_records=True)


def _rows_of_account(model: Model, rule: OfAccount, account: Account, cutoff: datetime) -> Batch:
    deleted, more = delete_some(rows_of_account(model, rule, account, cutoff), rule.moment)
    return {model._meta.label: deleted}, more


def _legs_too_late(pbx: Pbx, now: datetime, cutoff: datetime) -> Batch:
    return legs.forget_some(pbx, legs.too_late(pbx, now), with_records=False)


def _legs_of_nobody(pbx: Pbx, cutoff: datetime) -> Batch:
    return legs.forget_some(pbx, legs.of_nobody(pbx, cutoff), with_records=True)


def _rows_for_days(model: Model, rule: ForDays, night: date, cutoff: datetime) -> Batch:
    # Each such table has its own number of days.
    deleted, more = delete_some(rows_for_days(model, rule, night), rule.moment)
    return {model._meta.label: deleted}, more


def _rows_of_feed(table: str, night: date, cutoff: datetime) -> Batch:
    # Rows that no PBX entry takes over: those that are taken leave within seconds.
    came = feed.delete_before(table, tables.feed_cutoff(night), BATCH)
    deleted = Deleted(len(came), min(came, default=None), max(came, default=None))
    return {f"feed.{table}": deleted}, len(came) == BATCH
