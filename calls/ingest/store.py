"""Folded calls → rows, by one upsert.

Folding never writes a cost. It says that something is to be priced (``charging``, and the queue UnpricedCall in the
same transaction); pricing does the rest.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from calls import bulk, partitions
from calls.ingest.records import SECOND, FoldedCall, Kind, Leg, moment
from calls.lookups import array
from calls.models import Call, MovedCall, UnpricedCall
from calls.numbers import Direction, normalise

KEY = ("account_id", "started_at", "id")
COLUMNS = (
    *KEY,
    "pbx_id",
    "kind",
    "outcome",
    "missed",
    "provisional",
    "estimated",
    "direction",
    "extension",
    "extensions",
    "peer",
    "peer_name",
    "hidden",
    "own_number",
    "people",
    "wait_s",
    "talk_s",
    "paid",
    "legs",
    "charging",
)
# The cost and the state of pricing stay as they are unless what has to be paid for is another.
UPSERT = """
    INSERT INTO {table} AS old ({columns}) SELECT {columns} FROM fresh
    ON CONFLICT ({key}) DO UPDATE SET {assignments},
        charging = CASE WHEN old.paid = EXCLUDED.paid THEN old.charging ELSE 'pending' END,
        cost = CASE WHEN old.paid = EXCLUDED.paid THEN old.cost END
    WHERE ({compared_old}) IS DISTINCT FROM ({compared_new})
"""
QUEUE = """
    INSERT INTO {queue} (account_id, started_at, call_id, no_rate)
    SELECT call.account_id, call.started_at, call.id, false FROM fresh
    JOIN {table} call USING (account_id, started_at, id)
    WHERE call.charging = 'pending' AND NOT call.provisional
    ORDER BY 1, 2, 3
    ON CONFLICT (account_id, started_at, call_id) DO UPDATE SET no_rate = false
"""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a call is stored."""

    account_id: int
    started_at: datetime
    call_id: int


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A folded call, whose it is, and the legs that it keeps."""

    account_id: int
    pbx_id: int
    folded: FoldedCall
    legs: Sequence[Leg]
    provisional: bool

    @property
    def reference(self) -> Reference:
        return Reference(
            self.account_id, moment(self.folded.started), call_id(self.pbx_id, self.folded.key)
        )


def call_id(pbx_id: int, key: str) -> int:
    """63 bits out of the source's own ids, so that the same records always make the same row."""
    digest = hashlib.blake2b(f"{pbx_id} {key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def save(calls: Sequence[StoredCall]) -> None:
    """Insert or update the rows of these calls. Needs a transaction; writes nothing where nothing changed."""
    if not calls:
        return
    moments = [call.reference.started_at for call in calls]
    partitions.ensure(
        Call._meta.db_table, {partitions.month_of(started_at) for started_at in moments}
    )
    rows = map(_row, sorted(calls, key=lambda call: (call.account_id, call.folded.started)))
    with bulk.staged(Call, COLUMNS, rows) as cursor:
        cursor.execute(_sql(UPSERT))
        cursor.execute(_sql(QUEUE))


def remove(moved: Iterable[tuple[Reference, Reference | None]]) -> None:
    """Delete the rows of calls that are elsewhere now (or nowhere), and remember where their addresses lead."""
    for old, new in moved:
        Call.objects.filter(
            account=old.account_id, started_at=old.started_at, id=old.call_id
        ).delete()
        MovedCall.objects.update_or_create(
            account_id=old.account_id,
            started_at=old.started_at,
            call_id=old.call_id,
            defaults={
                "new_account_id": new.account_id if new else None,
                "new_started_at": new.started_at if new else None,
                "new_call_id": new.call_id if new else None,
            },
        )
        # What was charged for the old row is looked at again, and goes with it.
        UnpricedCall.objects.get_or_create(**asdict(old))


def _sql(template: str) -> sql.Composed:
    compared = [name for name in COLUMNS if name not in {*KEY, "charging"}]
    return sql.SQL(template).format(
        table=sql.Identifier(Call._meta.db_table),
        queue=sql.Identifier(UnpricedCall._meta.db_table),
        columns=bulk.names(COLUMNS),
        key=bulk.names(KEY),
        assignments=sql.SQL(", ").join(
            sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in compared
        ),
        compared_old=sql.SQL(", ").join(sql.Identifier("old", name) for name in compared),
        compared_new=sql.SQL(", ").join(sql.Identifier("excluded", name) for name in compared),
    )


def _row(call: StoredCall) -> tuple[Any, ...]:
    folded, reference = call.folded, call.reference
    return (
        reference.account_id,
        reference.started_at,
        reference.call_id,
        call.pbx_id,
        folded.kind.value,
        folded.outcome.value,
        folded.missed,
        call.provisional,
        folded.estimated,
        _direction(folded).value,
        folded.extension[:64],
        array(extension[:64] for extension in folded.extensions),
        folded.peer,
        folded.peer_name,
        folded.hidden,
        folded.own_number,
        array(person[:64] for person in folded.people),
        folded.wait // SECOND,
        folded.talk // SECOND,
        json.dumps([asdict(leg) for leg in folded.paid]),
        json.dumps([leg.to_json() for leg in call.legs]),
        "pending" if folded.paid else "free",
    )


def _direction(call: FoldedCall) -> Direction:
    return Direction.INTERNAL if call.kind == Kind.INTERNAL else normalise(call.peer).direction
