"""The legs that late ones may still join, and the raw records of them: they belong to an account through their call.

What is here is forgotten when nothing came for the late window, but never later than the call itself.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import Account
from calls.ingest import groups
from calls.ingest.groups import LATE_WINDOW
from calls.ingest.records import micros
from calls.models import CallGroup, InboxRecord, LegLink, LegRecord, Pbx
from calls.retention.receipts import Deleted

# The PBX is locked meanwhile, and its records wait to be folded.
BATCH = 500


def of_account(pbx: Pbx, account: Account, cutoff: datetime) -> QuerySet[CallGroup]:
    """The groups of the account's calls that began too long ago. By PBX, because that is how they are indexed."""
    return CallGroup.objects.filter(pbx=pbx, started_at__lt=cutoff, account_id=account.pk)


def of_nobody(pbx: Pbx, cutoff: datetime) -> QuerySet[CallGroup]:
    """Groups without a call of which a leg began too long ago."""
    legs = LegRecord.objects.filter(group_id=OuterRef("pk"), data__span__0__lt=micros(cutoff))
    return CallGroup.objects.filter(Exists(legs), pbx=pbx, account_id__isnull=True)


def too_late(pbx: Pbx, now: datetime) -> QuerySet[CallGroup]:
    """Groups that no late leg can join any more."""
    return groups.untouched_since(pbx, now - LATE_WINDOW)


def forget_some(
    pbx: Pbx, found: QuerySet[CallGroup], *, with_records: bool
) -> tuple[dict[str, Deleted], bool]:
    """Forget a batch of these groups: what went, by table, and whether the transaction should end now, because the
    PBX is locked until then or because there may be more.

    ``with_records``: their raw records too. Needs a transaction.
    """
    if not found.exists():
        return {}, False
    Pbx.objects.select_for_update(no_key=True).get(pk=pbx.pk)
    rows = list(found.order_by("pk").values_list("pk", "started_at")[:BATCH])
    forgotten = groups.forget(pbx, [pk for pk, _ in rows])
    began = [started_at for _, started_at in rows if started_at]
    oldest, newest = (min(began), max(began)) if began else (None, None)
    deleted = {
        CallGroup._meta.label: Deleted(forgotten.groups, oldest, newest),
        LegRecord._meta.label: Deleted(len(forgotten.leg_keys), oldest, newest),
        LegLink._meta.label: Deleted(forgotten.links, oldest, newest),
    }
    if with_records:
        count = _delete_records(pbx, forgotten.leg_keys)
        deleted[InboxRecord._meta.label] = Deleted(count, oldest, newest)
    return deleted, True


def _delete_records(pbx: Pbx, leg_keys: Sequence[str]) -> int:
    return InboxRecord.objects.filter(pbx=pbx, leg_key__any_of=leg_keys).delete()[0]


def stray() -> dict[str, int]:
    """Legs without a group and names without a leg, which no rule would ever find: there should be none."""
    group = CallGroup.objects.filter(pk=OuterRef("group_id"))
    leg = LegRecord.objects.filter(pbx=OuterRef("pbx"), key=OuterRef("leg_key"))
    return {
        LegRecord._meta.label: LegRecord.objects.filter(~Exists(group)).count(),
        LegLink._meta.label: LegLink.objects.filter(~Exists(leg)).count(),
    }


def left_of(account: Account, cutoff: datetime) -> int:
    """Kept legs of the account's calls that began too long ago."""
    old = CallGroup.objects.filter(account_id=account.pk, started_at__lt=cutoff)
    return LegRecord.objects.filter(group_id__in=old.values("pk")).count()


def left_of_nobody(now: datetime, cutoff: datetime) -> int:
    """Kept legs whose late window is over, and those without a call that are too old."""
    return sum(
        LegRecord.objects.filter(group_id__in=found.values("pk")).count()
        for pbx in Pbx.objects.all()
        for found in (too_late(pbx, now), of_nobody(pbx, cutoff))
    )
