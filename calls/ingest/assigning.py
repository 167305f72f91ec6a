"""A call that was nobody's comes in by itself once it is somebody's.

Saving a number, a tenant code or a PBX starts it at once; a sweep in beat finds the same records from the tables alone.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef

from calls.models import InboxRecord, Pbx

BATCH = 1000
UNASSIGNED, PENDING = InboxRecord.State.UNASSIGNED, InboxRecord.State.PENDING


def bring_in_assigned() -> int:
    """Put the records whose calls have found an owner back in line for folding; returns their number."""
    unassigned = InboxRecord.objects.filter(pbx=OuterRef("pk"), state=UNASSIGNED)
    return sum(_bring_in_all_of(pbx) for pbx in Pbx.objects.filter(Exists(unassigned)))


def _bring_in_all_of(pbx: Pbx) -> int:
    # Without the lock first: most times there are none, and folding has no need to wait for that.
    if not InboxRecord.objects.filter(pbx=pbx).now_somebodys().exists():
        return 0
    count, reached = 0, 0
    while found := _bring_in(pbx, reached):
        count, reached = count + len(found), found[-1]
    return count


def _bring_in(pbx: Pbx, reached: int) -> list[int]:
    """A batch of one PBX, in the order of ids after ``reached``; returns the ids."""
    with transaction.atomic():
        # Folding writes these records too, under the same lock: nobody waits for the other's rows half-way.
        Pbx.objects.select_for_update(no_key=True).get(pk=pbx.pk)
        fitting = InboxRecord.objects.filter(pbx=pbx, pk__gt=reached).now_somebodys()
        pks = list(fitting.order_by("pk").values_list("pk", flat=True)[:BATCH])
        InboxRecord.objects.filter(pk__in=pks).update(state=PENDING)
        return pks
