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
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from calls.erasure import suppression
from calls.erasure.suppression import Suppressions
from calls.faults import is_the_databases
from calls.ingest import groups, reading, source_counts, store
from calls.ingest.folding import fold
from calls.ingest.owners import Owners
from calls.ingest.records import CdrError, FoldedCall, Leg, moment
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


class Verdict(NamedTuple):
    """What became of a record; the fields are those of InboxRecord, but ``owned``: whether its call is somebody's.

    ``started_at`` is the beginning of the call, from which its owner is looked for; None where that has no need.
    """

    state: str
    reason: str = ""
    message: str = ""
    called: str = ""
    tenants: tuple[str, ...] = ()
    started_at: datetime | None = None
    owned: bool = False

    @property
    def columns(self) -> dict[str, Any]:
        known = {**self._asdict(), "tenants": list(self.tenants)}
        del known["owned"]
        if self.started_at is None:
            del known["started_at"]
        return known


class TooOld(Exception):
    """The account keeps no calls as old as this one."""

    def __init__(self, account_id: int) -> None:
        super().__init__()
        self.account_id = account_id


@dataclass(slots=True)
class Outcome:
    """What became of the records of a batch; ``new_calls`` counts the calls that were not there before."""

    calls: list[StoredCall] = field(default_factory=list)
    moved: list[tuple[store.Reference, store.Reference | None]] = field(default_factory=list)
    states: dict[str, Verdict] = field(default_factory=dict)
    new_calls: int = 0
    too_old: list[tuple[groups.Group, int]] = field(default_factory=list)
    hushed: list[tuple[groups.Group, list[Leg]]] = field(default_factory=list)
    suppressions: Suppressions = field(default_factory=Suppressions)


def fold_inbox(*, limit: int = BATCH) -> int:
    """Fold all that waits in the inbox; returns the number of records worked off."""
    waiting = InboxRecord.objects.filter(pbx=OuterRef("pk"), state=State.PENDING)
    pbxes = Pbx.objects.filter(Exists(waiting))
    return sum(sum(fold_all_of(pbx, limit=limit)) for pbx in pbxes)


def fold_all_of(pbx: Pbx, *, limit: int = BATCH) -> Iterator[int]:
    """Fold all that waits of one PBX; yields the size of each batch.

    A batch on which our own code fails is cut into smaller ones, until the one record is found and set aside.
    """
    size = limit
    while True:
        suspect = _oldest(pbx) if size == 1 else None
        try:
            count = fold_batch(pbx, timezone.now(), limit=size)
        except Exception as error:
            if is_the_databases(error):
                raise  # Nothing is wrong with the records: they wait.
            logger.exception("cannot take over the next %d records of %s", size, pbx)
            if suspect is not None:
                yield _set_aside(suspect)
            size = max(1, size // 10)
            continue
        if not count:
            return
        yield count
        size = min(limit, size * 2)


def _oldest(pbx: Pbx) -> int | None:
    waiting = InboxRecord.objects.filter(pbx=pbx, state=State.PENDING)
    return waiting.order_by("id").values_list("pk", flat=True).first()


def _set_aside(pk: int) -> int:
    """Quarantine a waiting record that alone cannot be taken over, so that the others can."""
    return InboxRecord.objects.filter(pk=pk, state=State.PENDING).update(
        state=State.QUARANTINED,
        reason="error",
        message="callpanel failed on this record; its log says how. Retry after an update.",
    )


def fold_batch(pbx: Pbx, now: datetime, *, limit: int = BATCH) -> int:
    """Fold the oldest waiting records of one PBX; 0 when none waits or another worker is at it."""
    with transaction.atomic():
        if not _lock(pbx):
            return 0
        batch = reading.read(pbx, now, limit)
        outcome = refold(pbx, groups.add(pbx, batch.legs, now), now)
        if batch.count:
            source_counts.count_folded(
                pbx,
                batch.states,
                calls=outcome.new_calls,
                received=batch.received,
                ended=batch.ended,
            )
            receipts.book_late({None: batch.states[State.EXPIRED]})
        return batch.count


def settle(now: datetime) -> int:
    """Make final what waited long enough for records that did not come; returns the number of calls."""
    due = CallGroup.objects.filter(settles_at__lte=now)
    pbxes = Pbx.objects.filter(pk__in=due.values("pbx"))
    return sum(_settle_all_of(pbx, now) for pbx in pbxes)


def _settle_all_of(pbx: Pbx, now: datetime) -> int:
    done = 0
    while count := _settle(pbx, now):
        done += count
    return done


def _settle(pbx: Pbx, now: datetime) -> int:
    with transaction.atomic():
        if not _lock(pbx):
            return 0
        due = list(CallGroup.objects.filter(pbx=pbx, settles_at__lte=now)[:BATCH])
        refold(pbx, groups.load(due), now, settled=True)
        return len(due)


def refold(
    pbx: Pbx, found: Sequence[groups.Group], now: datetime, *, settled: bool = False
) -> Outcome:
    """Derive the calls of these groups anew and store what changed. Needs the PBX's lock."""
    outcome = Outcome()
    # Events come while a call lasts: until its first row tells what call it is, there is none.
    folded = [(group, _fold(group.legs, pbx)) for group in found if group.tells_of_a_call]
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
    return outcome


def _lock(pbx: Pbx) -> bool:
    """Take the PBX for this transaction; False if another worker has it. New records still come in meanwhile."""
    free = Pbx.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=pbx.pk)
    return free.first() is not None


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
    verdict = Verdict(State.FOLDED)
    try:
        new = _store_as(group, call, owners, outcome, now, provisional=provisional)
    except TooOld as error:
        # Whatever is still to come of it cannot make it younger.
        outcome.too_old.append((group, error.account_id))
        verdict = Verdict(State.EXPIRED)
    except CdrError as error:
        if not provisional:
            began = moment(call.started) if call else None
            verdict = Verdict(
                State.UNASSIGNED, error.code, str(error), error.called, error.tenants, began
            )
    outcome.new_calls += new is not None and not old
    outcome.moved += [(reference, new) for reference in old if reference != new]
    group.refer_to(new)
    verdict = verdict._replace(owned=new is not None)
    outcome.states |= {leg.key: verdict for leg in group.legs if not leg.is_event}


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


def _mark(pbx: Pbx, states: dict[str, Verdict]) -> None:
    """Tell the inbox records of these legs what became of them, where that is news.

    What was dismissed stays so, unless its call has become somebody's.
    """
    by_verdict: dict[Verdict, list[str]] = {}
    for key, verdict in states.items():
        by_verdict.setdefault(verdict, []).append(key)
    for verdict, keys in by_verdict.items():
        records = InboxRecord.objects.filter(pbx=pbx, leg_key__any_of=keys)
        records = records.exclude(**verdict.columns).exclude(state=State.PENDING)
        if not verdict.owned:
            records = records.exclude(state=State.DISMISSED)
        records.update(**verdict.columns)


def _forget_too_old(pbx: Pbx, found: Sequence[tuple[groups.Group, int]]) -> None:
    """Keep nothing of what these calls' records say, only how many they were."""
    late: Counter[int | None] = Counter()
    for group, account_id in found:
        forgotten = groups.forget(pbx, [group.row.pk])
        records = InboxRecord.objects.filter(pbx=pbx, leg_key__any_of=forgotten.leg_keys)
        late[account_id] += records.update(
            state=State.EXPIRED, body=b"", leg_key="", started_at=None
        )
    receipts.book_late(late)
