"""What the operator's staff decide about records that were set aside, carried out a batch at a time.

A decision is kept before anything is done, and how far it got is written together with each batch: the first batch runs
at once, a worker goes on, and one that is killed leaves nothing half done.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from calls.ingest.selection import Selection
from calls.models import Decision, InboxRecord, Pbx

BATCH = 1000
RETRY, DISMISS = Decision.Action.RETRY, Decision.Action.DISMISS


def decide(
    action: str, selection: Selection, *, by: User | None, note: str = "", now: datetime
) -> Decision:
    """Keep the decision and carry out its first batch."""
    latest = InboxRecord.objects.aggregate(latest=Max("id"))["latest"] or 0
    decision = Decision.objects.create(
        action=action, at=now, by=by, note=note, selection=selection.to_json(), until=latest
    )
    carry_out_batch(decision.pk, now)
    decision.refresh_from_db()
    return decision


def carry_out(now: datetime) -> int:
    """Finish the decisions in hand; returns the number of records that they changed."""
    changed = 0
    for pk in Decision.objects.filter(finished_at=None).values_list("pk", flat=True):
        while count := carry_out_batch(pk, now):
            changed += count
    return changed


def carry_out_batch(pk: int, now: datetime) -> int:
    """Carry out the next batch of a decision; 0 when it is finished, or another worker is at it."""
    with transaction.atomic():
        decision = (
            Decision.objects.select_for_update(skip_locked=True)
            .filter(pk=pk, finished_at=None)
            .first()
        )
        if decision is None:
            return 0
        records = _next(decision)
        # Folding writes these records too, under the same locks: nobody waits for the other's rows half-way.
        pbxes = Pbx.objects.select_for_update(no_key=True).order_by("pk")
        list(pbxes.filter(pk__in={record.pbx_id for record in records}))
        _apply(decision, [record.pk for record in records])
        decision.reached = records[-1].pk if records else decision.until
        if len(records) < BATCH:
            decision.finished_at = now
        decision.save(update_fields=["reached", "records", "finished_at"])
        return len(records)


def _next(decision: Decision) -> list[InboxRecord]:
    selected = InboxRecord.objects.selected(Selection.from_json(decision.selection))
    ahead = selected.filter(pk__gt=decision.reached, pk__lte=decision.until)
    return list(ahead.only("pbx").order_by("pk")[:BATCH])


def _apply(decision: Decision, pks: list[int]) -> None:
    """Change the records that are still as they were when they were chosen."""
    selected = InboxRecord.objects.selected(Selection.from_json(decision.selection))
    records = selected.filter(pk__in=pks)
    if decision.action == RETRY:
        decision.records += records.update(state=InboxRecord.State.PENDING)
    else:
        state = InboxRecord.State.DISMISSED
        decision.records += records.update(state=state, dismissal=decision)
