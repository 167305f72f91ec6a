"""Raw records → legs: the first step of the pipeline, which writes down what became of each record."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, QuerySet

from accounts.models import Account
from calls import bulk
from calls.ingest.formats import FORMATS
from calls.ingest.records import EPOCH, CdrError, Leg, Switch, moment
from calls.models import InboxRecord, Pbx

State = InboxRecord.State
LARGEST_BATCH = 32 * 1024 * 1024
EARLIEST = datetime(2000, 1, 1, tzinfo=EPOCH.tzinfo)


@dataclass(slots=True)
class Batch:
    """Records that were read together: the legs to fold, how many got which state, the latest receipt of a row.

    A readable record without a leg is a channel event that nobody needs.
    """

    legs: list[Leg] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    received: datetime | None = None

    def add(self, leg: Leg | None, state: str, received: datetime) -> None:
        self.states[state] += 1
        if not leg.is_event if leg else state != State.FOLDED:
            self.received = max(self.received or received, received)
        if leg:
            self.legs.append(leg)

    @property
    def count(self) -> int:
        return self.states.total()

    @property
    def ended(self) -> datetime | None:
        """The latest end of a row to fold."""
        rows = (leg for leg in self.legs if not leg.is_event)
        return max((moment(leg.ended) for leg in rows), default=None)


def read(pbx: Pbx, now: datetime, limit: int) -> Batch:
    """Read the oldest waiting records; every record's state is written."""
    waiting = InboxRecord.objects.filter(pbx=pbx, state=State.PENDING).order_by("id")
    batch, verdicts, switch, oldest = Batch(), [], pbx.switch, _oldest_kept(now)
    rows = waiting.values_list("id", "body", "layout", "received_at")[:limit]
    for pk, body, layout, received in _a_batch_of(rows):
        leg, state, reason, message = _parse(switch, bytes(body), layout, now, oldest)
        began = moment(leg.started) if leg else None
        verdicts.append((pk, state.value, reason, message, leg.key if leg else "", began))
        batch.add(leg, state.value, received)
    columns = ["state", "reason", "message", "leg_key", "started_at"]
    bulk.update_values(InboxRecord, ["id"], columns, verdicts)
    _blank([pk for pk, state, *_, began in verdicts if not began and state != State.QUARANTINED])
    return batch


def _a_batch_of(rows: QuerySet[InboxRecord, Any]) -> Iterator[tuple[int, bytes, str, datetime]]:
    """The rows, but no more of them than fit into memory: a record may have a megabyte."""
    size = 0
    for row in rows.iterator(chunk_size=100):
        yield row
        size += len(row[1])
        if size > LARGEST_BATCH:
            return


def _blank(pks: Sequence[int]) -> None:
    """Keep nothing of what is too old or tells nothing of use: no call would ever lead to it, to erase it."""
    if pks:
        InboxRecord.objects.filter(pk__in=pks).update(body=b"")


def _oldest_kept(now: datetime) -> datetime:
    """What ended before is older than any account keeps calls; two days less, because of their zones."""
    longest = Account.objects.aggregate(days=Max("retention_days"))["days"] or 0
    return now - timedelta(days=max(longest, Account.LONGEST_RETENTION_DAYS) + 2)


def _parse(
    switch: Switch, body: bytes, layout: str, now: datetime, oldest: datetime
) -> tuple[Leg | None, InboxRecord.State, str, str]:
    """The record's leg, None if it tells of none or is too old, and its state, reason and message."""
    try:
        leg: Leg | None = FORMATS[switch.source].parse(body, layout, switch)
        if leg is None:
            return None, State.FOLDED, "", ""
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
