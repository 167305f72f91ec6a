"""The nightly purge, in slices of a minute: each may be cut off anywhere, and the next goes on from what it finds.

Where it stands is written nowhere but in the tables themselves: what is too old and still there is to be deleted, and
an account whose night has no finished receipt is not done. So it may be killed, run twice, or be away for days.
"""

import logging
import time
from collections import Counter
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction
from django.db.models import F

from accounts.models import Account
from calls import partitions
from calls.models import Call, PurgeAlarm, Receipt
from calls.retention import alarms, clock, proof, receipts, steps, tables
from calls.retention.cutoffs import DAY, NOBODYS_ZONE, cutoff_on, night_of
from calls.retention.receipts import Deleted

logger = logging.getLogger("callpanel.retention")

LOCK = 0x70757267
# Seconds. Far less than the broker waits before it gives a task to another worker.
SLICE = 60.0
# After each batch and each account the purge rests, so many times as long as they took; at most so many seconds.
REST = 1.0
LONGEST_REST = 1.0
MONTHS_AHEAD = 2


def run_slice(now: datetime, *, database: datetime) -> bool:
    """Do a minute's work of what is due; whether there is more to do. ``database``: the time by PostgreSQL's clock."""
    prepare_partitions(now)
    if not _clock_is_right(now, database):
        return False
    with partitions.sole(LOCK) as mine:
        if not mine:
            return False  # Another worker is at it.
        unfinished = _work(now, deadline=time.monotonic() + SLICE)
        if not unfinished:
            _report(now)
        return unfinished


def run(now: datetime, *, database: datetime) -> None:
    """Do all that is due."""
    while run_slice(now, database=database):
        pass


def prepare_partitions(now: datetime) -> None:
    """Make the partitions of this month and the next ones."""
    months = partitions.months_ahead(now, MONTHS_AHEAD)
    for model in tables.partitioned():
        partitions.ensure(model._meta.db_table, months)


def due(now: datetime) -> list[Account | None]:
    """The accounts whose night has come and is not done, and None for what belongs to nobody."""
    recent = Receipt.objects.filter(
        finished_at__isnull=False, night__gte=now.date() - 3 * DAY
    ).values_list("account", "night")
    done: dict[int | None, date] = {}
    for account_id, night in recent.order_by("night"):
        if night is not None:
            done[account_id] = night
    everybody: list[Account | None] = [*Account.objects.order_by("pk"), None]
    return [
        each
        for each in everybody
        if done.get(receipts.account_key(each), date.min) < night_of(now, _zone(each))
    ]


def _clock_is_right(now: datetime, database: datetime) -> bool:
    known = [each for each in (receipts.last_finished(), alarms.last_confirmed()) if each]
    objection = clock.objection(now, database, max(known, default=None))
    wrong = {objection[0]} if objection else set()
    alarms.settle([kind for kind in alarms.CLOCKS if kind not in wrong], now)
    if objection:
        alarms.sound(*objection, now)
    return objection is None


def _work(now: datetime, *, deadline: float) -> bool:
    """Whether something is left to do."""
    waiting = due(now)
    if waiting and not _drop_partitions(now):
        return False  # A reader is in the way; the next call of beat tries again.
    return not all(_purge(each, now, deadline) for each in waiting)


def _drop_partitions(now: datetime) -> bool:
    """Drop the months that no account keeps any more; whether that could be done."""
    accounts = list(Account.objects.all())
    if not accounts:
        return True
    cutoffs = [cutoff_on(night_of(now, each.tz), each.retention_days, each.tz) for each in accounts]
    held = [each.pk for each in accounts if each.is_held(now)]
    month = partitions.month_of(min(cutoffs))
    for model, rule in tables.of_accounts():
        if rule.partitioned:
            book = partial(_book_partition, label=model._meta.label, moment=rule.moment)
            try:
                partitions.drop_before(model._meta.db_table, month, spared=held, before_drop=book)
            except OperationalError:
                logger.warning("months are not dropped yet: somebody still reads", exc_info=True)
                return False
    return True


def _book_partition(name: str, label: str, moment: str) -> None:
    for account_id, count, oldest, newest in partitions.rows_by_account(name, moment):
        receipts.book(account_id, {label: Deleted(count, oldest, newest)})


def _purge(account: Account | None, now: datetime, deadline: float) -> bool:
    """Delete what an account, or nobody, has too old; whether all of it could be done in time."""
    night, began = night_of(now, _zone(account)), time.monotonic()
    receipt = receipts.begin(receipts.account_key(account), night, now)
    done = _exhaust(account, night, now, deadline)
    if done:
        _finish(receipt.pk, account, night, now)
    seconds = time.monotonic() - began
    Receipt.objects.filter(pk=receipt.pk).update(took=F("took") + timedelta(seconds=seconds))
    # Many accounts with little to delete are work as well.
    time.sleep(min(REST * seconds, LONGEST_REST))
    return done


def _exhaust(account: Account | None, night: date, now: datetime, deadline: float) -> bool:
    """Delete batch after batch; whether nothing is left."""
    while True:
        began = time.monotonic()
        if not _one_batch(account, night, now):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(min(REST * (time.monotonic() - began), LONGEST_REST))


@transaction.atomic
def _one_batch(account: Account | None, night: date, now: datetime) -> bool:
    """Delete a batch and write it into the receipt; whether there may be more."""
    cutoff = _cutoff(account, night, now)
    if cutoff is None:
        return False
    booked: dict[str, Deleted] = {}
    full = False
    for step in steps.of(account, night, now):
        deleted, full = step(cutoff)
        for label, each in deleted.items():
            booked[label] = booked.get(label, Deleted()) + each
        if full:
            break
    receipts.book(receipts.account_key(account), booked)
    return full


def _cutoff(account: Account | None, night: date, now: datetime) -> datetime | None:
    """What is earlier may go, by what the account says in this very moment; None under a legal hold."""
    if account is None:
        return cutoff_on(night, Account.LONGEST_RETENTION_DAYS, NOBODYS_ZONE)
    # Locked, so that a hold that is being put on waits for this batch and stops the next.
    fresh = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    return None if fresh.is_held(now) else cutoff_on(night, fresh.retention_days, fresh.tz)


@transaction.atomic
def _finish(receipt_pk: int, account: Account | None, night: date, now: datetime) -> None:
    """Close the receipt, with the proof that nothing is left and what the next night is going to delete."""
    receipt = Receipt.objects.select_for_update().get(pk=receipt_pk)
    cutoff = _cutoff(account, night, now)
    receipt.cutoff, receipt.held = cutoff, cutoff is None
    if account is None:
        receipt.left = proof.left_of_nobody(now)
    elif cutoff is not None:
        receipt.left = proof.left_of(account, cutoff)
        following = cutoff_on(night + DAY, account.retention_days, account.tz)
        receipt.next_calls = Call.objects.filter(
            account=account, started_at__gte=cutoff, started_at__lt=following
        ).count()
    receipt.finished_at = now
    receipt.save()
    logger.info("night %s of account %s: %d rows", night, receipt.account_id, receipt.deleted)


def _report(now: datetime) -> None:
    """Raise or settle the alarms about what the proof found."""
    found: Counter[str] = Counter()
    for left in Receipt.objects.filter(night__gte=now.date() - DAY).values_list("left", flat=True):
        found.update(left)
    unknown = tables.without_rule()
    what = ", ".join(f"{label} {count}" for label, count in sorted(found.items()))
    for kind, details in (
        (PurgeAlarm.Kind.LEFT, {"what": what} if what else None),
        (PurgeAlarm.Kind.RULE, {"tables": ", ".join(unknown)} if unknown else None),
    ):
        if details:
            alarms.sound(kind, details, now)
        else:
            alarms.settle([kind], now)


def _zone(account: Account | None) -> ZoneInfo:
    return account.tz if account else NOBODYS_ZONE
