"""Writing the receipts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.models import Account
from calls.models import Receipt


@dataclass(frozen=True, slots=True)
class Deleted:
    """So many rows, and between which moments they lay."""

    count: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    def __add__(self, other: "Deleted") -> "Deleted":
        return Deleted(
            self.count + other.count,
            min(filter(None, (self.oldest, other.oldest)), default=None),
            max(filter(None, (self.newest, other.newest)), default=None),
        )


def open_receipt(account_id: int | None) -> Receipt:
    """The receipt that is being written, a new one if there is none."""
    unfinished = Receipt.objects.filter(account=account_id, finished_at__isnull=True)
    if found := unfinished.first():
        return found
    try:
        with transaction.atomic():
            return Receipt.objects.create(account_id=account_id)
    except IntegrityError:
        return unfinished.get()  # Somebody else was a moment quicker.


def begin(account_id: int | None, night: date, now: datetime) -> Receipt:
    """The open receipt as the one of this night; what a night did not finish is the next one's."""
    receipt = open_receipt(account_id)
    if receipt.night != night:
        receipt.night, receipt.begun_at = night, receipt.begun_at or now
        receipt.save(update_fields=["night", "begun_at"])
    return receipt


def book(account_id: int | None, deleted: Mapping[str, Deleted]) -> None:
    """Add what was deleted, by model, to the open receipt. Belongs at the end of the transaction that deletes."""
    whole = sum(deleted.values(), Deleted())
    if not whole.count:
        return
    receipt = Receipt.objects.select_for_update().get(pk=open_receipt(account_id).pk)
    counts = Counter({label: each.count for label, each in deleted.items()})
    receipt.counts = dict(Counter(receipt.counts) + counts)
    whole += Deleted(receipt.deleted, receipt.oldest, receipt.newest)
    receipt.deleted, receipt.oldest, receipt.newest = whole.count, whole.oldest, whole.newest
    receipt.save(update_fields=["counts", "deleted", "oldest", "newest"])


def book_late(records: Mapping[int | None, int]) -> None:
    """Count records that came too late to be stored, by account. Belongs at the end of a transaction."""
    for account_id in sorted(records, key=lambda key: key or 0):
        if count := records[account_id]:
            receipt = open_receipt(account_id)
            Receipt.objects.filter(pk=receipt.pk).update(late=F("late") + count)


def last_finished() -> datetime | None:
    """When a purge came to its end for the last time."""
    finished = Receipt.objects.filter(finished_at__isnull=False).order_by("-finished_at")
    return finished.values_list("finished_at", flat=True).first()


def account_key(account: Account | None) -> int | None:
    return account.pk if account else None
