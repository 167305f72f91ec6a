"""Inbox → legs → groups → folded calls → rows, one batch of one PBX in one transaction.

One worker at a time folds the records of a PBX (a lock on its row that ends with the transaction): the legs of a call
can reach two workers in the same second, and neither may fold without the other's. A batch either happens as a whole
or not at all, so a killed worker loses nothing.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Account
from calls import bulk
from calls.erasure import suppression
from calls.erasure.suppression import Suppressions
from calls.ingest import groups, store
from calls.ingest.folding import fold
from calls.ingest.formats import FORMATS
from calls.ingest.owners import Owners
from calls.ingest.records import EPOCH, CdrError, FoldedCall, Leg, moment
from calls.ingest.store import StoredCall
from calls.models import CallGroup, InboxRecord, Pbx
from calls.retention import receipts
from calls.retention.cutoffs import cutoff_of
from calls.signals import unpriced_calls_stored

logger = logging.getLogger("callpanel.ingest")

State = InboxRecord.State
BATCH = 1000
# How long a call stays provisional after its last record while others are expected.
SETTLE = timedelta(minutes=5)
EARLIEST = datetime(2000, 1, 1, tzinfo=EPOCH.tzinfo)


class TooOld(Exception):
    """The account keeps no calls as old as this one."""

    def __init__(self, account_id: int) -> None:
        super().__init__()
        self.account_id = account_id


@dataclass(slots=True)
class Outcome:
    """What became of the records of a batch."""

    calls: list[StoredCall] = field(default_factory=list)
    moved: list[tuple[store.Reference, store.Reference | None]] = field(default_factory=list)
    states: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    too_old: list[tuple[groups.Group, int]] = field(default_factory=list)
    hushed: list[tuple[groups.Group, list[Leg]]] = field(default_factory=list)
    suppressions: Suppressions = field(default_factory=Suppressions)


def fold_inbox(*, limit: int = BATCH) -> int:
    """Fold all that waits in the inbox; returns the number of records worked off."""
    waiting = Pbx.objects.filter(inboxrecord__state=State.PENDING).distinct()
    return sum(sum(fold_all_of(pbx, limit=limit)) for pbx in waiting)


def fold_all_of(pbx: Pbx, *, limit: int = BATCH) -> Iterator[int]:
    """Fold all that waits of one PBX; yields the size of each batch.

    A batch on which our own code fails is cut into smaller ones, until the one record is found and set aside.
    """
    size = limit
    while True:
        try:
            count = fold_batch(pbx, timezone.now(), limit=size)
        except (OperationalError, InterfaceError):
            raise  # The database is away: nothing is wrong with the records.
        except Exception:
            logger.exception("cannot take over the next %d records of %s", size, pbx)
            if size == 1:
                yield _set_aside(pbx)
            size = max(1, size // 10)
            continue
        if not count:
            return
        yield count
        size = min(limit, size * 2)


def _set_aside(pbx: Pbx) -> int:
    """Quarantine the oldest waiting record, which alone cannot be taken over, so that the others can."""
    oldest = InboxRecord.objects.filter(pbx=pbx, state=State.PENDING).order_by("id")[:1]
    return InboxRecord.objects.filter(pk__in=list(oldest.values_list("pk", flat=True))).update(
        state=State.QUARANTINED,
        reason="error",
        message="callpanel failed on this record; its log says how. Retry after an update.",
    )


def fold_batch(pbx: Pbx, now: datetime, *, limit: int = BATCH) -> int:
    """Fold the oldest waiting records of one PBX; 0 when none waits or another worker is at it."""
    with transaction.atomic():
        if not _lock(pbx):
            return 0
        legs, count, too_old = _parse_all(pbx, now, limit)
        refold(pbx, groups.add(pbx, legs, now), now)
        receipts.book_late({None: too_old})
        return count


def settle(now: datetime) -> int:
    """Make final what waited long enough for records that did not come; returns the number of calls."""
    due = CallGroup.objects.filter(settles_at__lte=now)
    pbxes = Pbx.objects.filter(pk__in=due.values("pbx"))
    return sum(_settle(pbx, now) for pbx in pbxes)


def _settle(pbx: Pbx, now: datetime) -> int:
    with transaction.atomic():
        if not _lock(pbx):
            return 0
        due = list(CallGroup.objects.filter(pbx=pbx, settles_at__lte=now)[:BATCH])
        refold(pbx, groups.load(due), now, settled=True)
        return len(due)


def refold(
    pbx: Pbx, found: Sequence[groups.Group], now: datetime, *, settled: bool = False
) -> None:
    """Derive the calls of these groups anew and store what changed. Needs the PBX's lock."""
    outcome = Outcome()
    folded = [(group, _fold(group.legs, pbx)) for group in found]
    owners = Owners(pbx, [call for _, call in folded if call])
    for group, call in folded:
        _place(group, call, owners, outcome, now, settled=settled)
    store.save(outcome.calls)
    store.remove(outcome.moved)
    groups.save([group.row for group in found])
    _mark(pbx, outcome.states)
    _forget_too_old(pbx, outcome.too_old)
    for group, legs in outcome.hushed:
        suppression.hush(pbx, group, legs)
    if any(call.folded.paid and not call.provisional for call in outcome.calls):
        transaction.on_commit(lambda: unpriced_calls_stored.send(sender=None), robust=True)


def _lock(pbx: Pbx) -> bool:
    """Take the PBX for this transaction; False if another worker has it. New records still come in meanwhile."""
    free = Pbx.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=pbx.pk)
    return free.first() is not None


def _parse_all(pbx: Pbx, now: datetime, limit: int) -> tuple[list[Leg], int, int]:
    """The legs of the oldest waiting records, how many were read, and how many of them were too old; every record's
    state is written."""
    waiting = InboxRecord.objects.filter(pbx=pbx, state=State.PENDING).order_by("id")
    legs, verdicts, oldest = [], [], _oldest_kept(now)
    for pk, body, layout in waiting.values_list("id", "body", "layout")[:limit]:
        leg, state, reason, message = _parse(pbx, bytes(body), layout, now, oldest)
        key, ended = (leg.key, moment(leg.ended)) if leg else ("", None)
        verdicts.append((pk, state.value, reason, message, key, ended))
        if leg:
            legs.append(leg)
    columns = ["state", "reason", "message", "leg_key", "happened_at"]
    bulk.update_values(InboxRecord, ["id"], columns, verdicts)
    if too_old := [pk for pk, state, *_ in verdicts if state == State.EXPIRED]:
        InboxRecord.objects.filter(pk__in=too_old).update(body=b"")
    return legs, len(verdicts), len(too_old)


def _oldest_kept(now: datetime) -> datetime:
    """What ended before is older than any account keeps calls; two days less, because of their zones."""
    longest = Account.objects.aggregate(days=Max("retention_days"))["days"] or 0
    return now - timedelta(days=max(longest, Account.LONGEST_RETENTION_DAYS) + 2)


def _parse(
    pbx: Pbx, body: bytes, layout: str, now: datetime, oldest: datetime
) -> tuple[Leg | None, InboxRecord.State, str, str]:
    """The record's leg, None if it has none or is too old, and its state, reason and message."""
    try:
        leg = FORMATS[pbx.source].parse(body, layout, pbx.time_zone)
        _check_date(leg, now)
    except CdrError as error:
        return None, State.QUARANTINED, error.code, str(error)
    too_old = moment(leg.ended) < oldest
    return None if too_old else leg, State.EXPIRED if too_old else State.FOLDED, "", ""


def _check_date(leg: Leg, now: datetime) -> None:
    latest = now + timedelta(days=1)
    if (
        not moment(0)
        < EARLIEST
        <= _moment_or_end(leg.started)
        <= _moment_or_end(leg.ended)
        <= latest
    ):
        raise CdrError(
            "bad_date",
            "The record's date is before the year 2000 or later than tomorrow. Set the clock of the PBX and retry.",
        )


def _moment_or_end(micros: int) -> datetime:
    try:
        return moment(micros)
    except OverflowError:
        return datetime.max.replace(tzinfo=EARLIEST.tzinfo)


def _fold(legs: Sequence[Leg], pbx: Pbx) -> FoldedCall | None:
    """The call, or None where our own code fails: one odd group must not stop the PBX's other calls."""
    try:
        return fold(legs, pbx.switch)
    except Exception:
        logger.exception("cannot fold the call of record %s of %s", legs[0].key, pbx)
        return None


def _place(
    group: groups.Group,
    call: FoldedCall | None,
    owners: Owners,
    outcome: Outcome,
    now: datetime,
    *,
    settled: bool,
) -> None:
    """Decide where the group's call is stored, and what its records are told."""
    waits = group.changed or group.row.settles_at is not None
    provisional = call is not None and not call.complete and waits and not settled
    group.row.settles_at = now + SETTLE if provisional else None
    group.row.touched_at = now
    old, new = group.references, None
    state: tuple[str, str, str] = (State.FOLDED, "", "")
    try:
        new = _store_as(group, call, owners, outcome, now, provisional=provisional)
    except TooOld as error:
        # Whatever is still to come of it cannot make it younger.
        outcome.too_old.append((group, error.account_id))
        state = (State.EXPIRED, "", "")
    except CdrError as error:
        if not provisional:
            state = (State.UNASSIGNED, error.code, str(error))
    outcome.moved += [(reference, new) for reference in old if reference != new]
    group.refer_to(new)
    outcome.states |= {leg.key: state for leg in group.legs}


def _store_as(
    group: groups.Group,
    call: FoldedCall | None,
    owners: Owners,
    outcome: Outcome,
    now: datetime,
    *,
    provisional: bool,
) -> store.Reference:
    """Put the call among those to be stored. Raises CdrError where it belongs to nobody, TooOld."""
    if call is None:
        raise CdrError("not_folded", "callpanel could not make a call of this record; see its log.")
    account = owners.account_of(call)
    if moment(call.started) < cutoff_of(account, now):
        raise TooOld(account.pk)
    legs = group.legs
    if outcome.suppressions.concern(account.pk, call, legs):
        call, legs = outcome.suppressions.without(account.pk, call, legs, group.row.pbx.source)
        outcome.hushed.append((group, legs))
    stored = StoredCall(account.pk, group.row.pbx_id, call, legs, provisional)
    outcome.calls.append(stored)
    return stored.reference


def _mark(pbx: Pbx, states: dict[str, tuple[str, str, str]]) -> None:
    """Tell the inbox records of these legs what became of them, where that is news."""
    by_state: dict[tuple[str, str, str], list[str]] = {}
    for key, state in states.items():
        by_state.setdefault(state, []).append(key)
    for (name, reason, message), keys in by_state.items():
        records = InboxRecord.objects.filter(pbx=pbx, leg_key__any_of=keys)
        records = records.exclude(state=name, reason=reason).exclude(state=State.PENDING)
        records.update(state=name, reason=reason, message=message)


def _forget_too_old(pbx: Pbx, found: Sequence[tuple[groups.Group, int]]) -> None:
    """Keep nothing of what these calls' records say, only how many they were."""
    late: Counter[int | None] = Counter()
    for group, account_id in found:
        forgotten = groups.forget(pbx, [group.row.pk])
        records = InboxRecord.objects.filter(pbx=pbx, leg_key__any_of=forgotten.leg_keys)
        late[account_id] += records.update(body=b"", leg_key="", happened_at=None)
    receipts.book_late(late)
