"""The inbox: raw records, durable before anything is acknowledged."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from calls import bulk
from calls.ingest.formats import ASTERISK, FORMATS, FREESWITCH, freeswitch_body
from calls.ingest.records import CdrError, Switch
from calls.models import InboxRecord, Pbx

COLUMNS = (
    "pbx_id",
    "received_at",
    "layout",
    "body",
    "digest",
    "state",
    "reason",
    "message",
    "leg_key",
    "called",
    "tenants",
)
WITHOUT_IDS = "content"
STORE = """
    INSERT INTO calls_inboxrecord ({columns}) {source} ON CONFLICT (pbx_id, digest) DO NOTHING
"""
VALUES = sql.SQL("VALUES ({})").format(sql.SQL(", ").join([sql.Placeholder()] * len(COLUMNS)))


def receive(
    pbx: Pbx, bodies: Iterable[bytes], *, now: datetime, layout: str = "", batch: int = 1000
) -> int:
    """Store raw records; returns how many were new. A record that is there already is left as it is.

    They go in by digest, so that of two that bring the same records at once the one waits for the other, and not each
    for the other; the ids keep the order in which they came.
    """
    by_digest = {_digest(body, layout): body for body in bodies}
    rows: list[tuple[Any, ...]] = [
        (pbx.pk, now, layout, body, digest, InboxRecord.State.PENDING, "", "", "", "", "{}")
        for digest, body in by_digest.items()
    ]
    if len(rows) == 1:
        # As most requests bring just one, it is worth a statement without a table in between.
        with connection.cursor() as cursor:
            return _insert(cursor, COLUMNS, VALUES, rows[0])
    ids = bulk.next_ids(InboxRecord, len(rows))
    numbered = [(pk, *row) for pk, row in zip(ids, rows, strict=True)]
    numbered.sort(key=itemgetter(1 + COLUMNS.index("digest")))
    parts = (numbered[start : start + batch] for start in range(0, len(rows), batch))
    return sum(map(_store, parts))


def _store(rows: Sequence[tuple[Any, ...]]) -> int:
    columns = ("id", *COLUMNS)
    source = sql.SQL("SELECT {} FROM fresh ORDER BY digest").format(bulk.names(columns))
    with transaction.atomic(), bulk.staged(InboxRecord, columns, rows) as cursor:
        return _insert(cursor, columns, source)


def _insert(
    cursor: CursorWrapper, columns: Sequence[str], source: sql.Composed, values: Sequence[Any] = ()
) -> int:
    cursor.execute(sql.SQL(STORE).format(columns=bulk.names(columns), source=source), values)
    return int(cursor.rowcount)


def _digest(body: bytes, layout: str) -> bytes:
    return hashlib.sha256(layout.encode() + b"\n" + body).digest()


def check_feed(pbx: Pbx, bodies: Sequence[bytes], layout: str) -> None:
    """Refuse records of another kind of PBX, and a second feed of the same calls under other ids: nothing could tell
    that they are the same. One such record among others is only a damaged one, and so is one alone that lacks the ids
    of all others: reading it sets it aside. One that has ids where the others have none lost nothing and is refused.

    Raises CdrError ``other_source`` or ``second_feed``; remembers the ids of the first feed.
    """
    found = _record_ids(bodies, layout, pbx.switch)
    if not found:
        _check_source(pbx, bodies[0])
        return
    if pbx.record_ids not in found:
        _settle_ids(pbx, max(found, key=lambda ids: ids != WITHOUT_IDS))
    if pbx.record_ids not in found and found != {WITHOUT_IDS: 1}:
        raise CdrError(
            "second_feed",
            f"{pbx.name} gets its records with {pbx.record_ids} as ids, these carry {max(found)}: the same calls would"
            " be counted twice. Feed it from one source, or let both write uniqueid and sequence (loguniqueid=yes,"
            " newcdrcolumns=yes).",
        )


def _settle_ids(pbx: Pbx, ids: str) -> None:
    """These are its ids if it has none yet. Only the database knows: another process may have had the first record."""
    Pbx.objects.filter(pk=pbx.pk, record_ids="").update(record_ids=ids)
    pbx.refresh_from_db(fields=["record_ids"])


def _check_source(pbx: Pbx, body: bytes) -> None:
    source = source_of(body, pbx.switch)
    if source != pbx.source:
        raise CdrError(
            "other_source",
            f"{pbx.name} is set up for {pbx.source}, these records are {source}. One PBX entry has one feed: make a"
            " second entry, or change this one's source.",
        )


def source_of(body: bytes, switch: Switch) -> str:
    """The kind of PBX that a record is of: what it is beyond doubt, else what was configured."""
    if freeswitch_body.is_freeswitch(body):
        return FREESWITCH
    line = body.partition(b"\n")[0]
    if switch.source == FREESWITCH and _record_ids([line], "", replace(switch, source=ASTERISK)):
        return ASTERISK
    return switch.source


def _record_ids(bodies: Iterable[bytes], layout: str, switch: Switch) -> Counter[str]:
    """By which ids how many of the readable records are told apart; no further than to the ids that the PBX has."""
    found: Counter[str] = Counter()
    for body in bodies:
        with suppress(CdrError):
            ids: str = FORMATS[switch.source].record_ids(body, layout, switch)
            if ids:
                found[ids] += 1
            if ids and ids == switch.record_ids:
                break
    return found
