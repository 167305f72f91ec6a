"""The inbox: raw records, durable before anything is acknowledged."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from calls import bulk
from calls.ingest.formats import FORMATS, freeswitch_body
from calls.ingest.records import CdrError
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
STORE = """
    INSERT INTO calls_inboxrecord ({columns}) {source} ON CONFLICT (pbx_id, digest) DO NOTHING
"""
VALUES = sql.SQL("VALUES ({})").format(sql.SQL(", ").join([sql.Placeholder()] * len(COLUMNS)))


def receive(
    pbx: Pbx, bodies: Iterable[bytes], *, now: datetime, layout: str = "", batch: int = 1000
) -> int:
    """Store raw records; returns how many were new. A record that is there already is left as it is."""
    new = 0
    remaining = iter(bodies)
    while chunk := list(islice(remaining, batch)):
        new += _store(pbx, chunk, layout, now)
    return new


def _store(pbx: Pbx, bodies: Sequence[bytes], layout: str, now: datetime) -> int:
    by_digest = {_digest(body, layout): body for body in bodies}
    rows = [
        (pbx.pk, now, layout, body, digest, InboxRecord.State.PENDING, "", "", "", "", "{}")
        for digest, body in by_digest.items()
    ]
    if len(rows) == 1:
        # As most requests bring just one, it is worth a statement without a table in between.
        with connection.cursor() as cursor:
            return _insert(cursor, VALUES, rows[0])
    with transaction.atomic(), bulk.staged(InboxRecord, COLUMNS, rows) as cursor:
        return _insert(cursor, sql.SQL("SELECT {} FROM fresh").format(bulk.names(COLUMNS)))


def _insert(cursor: CursorWrapper, source: sql.Composed, values: Sequence[Any] = ()) -> int:
    cursor.execute(sql.SQL(STORE).format(columns=bulk.names(COLUMNS), source=source), values)
    return int(cursor.rowcount)


def _digest(body: bytes, layout: str) -> bytes:
    return hashlib.sha256(layout.encode() + b"\n" + body).digest()


def check_feed(pbx: Pbx, source: str, record_ids: str) -> None:
    """Refuse a second feed of the same calls under other ids: nothing could tell that they are the same.

    Raises CdrError ``other_source`` or ``second_feed``; remembers the ids of the first feed.
    """
    if source != pbx.source:
        raise CdrError(
            "other_source",
            f"{pbx.name} is set up for {pbx.source}, these records are {source}. One PBX entry has one feed: make a"
            " second entry, or change this one's source.",
        )
    if not record_ids:
        return
    if not pbx.record_ids:
        pbx.record_ids = record_ids
        pbx.save(update_fields=["record_ids"])
    if pbx.record_ids != record_ids:
        raise CdrError(
            "second_feed",
            f"{pbx.name} gets its records with {pbx.record_ids} as ids, these carry {record_ids}: the same calls"
            " would be counted twice. Feed it from one source, or let both write uniqueid and sequence"
            " (loguniqueid=yes, newcdrcolumns=yes).",
        )


def source_of(content: bytes) -> str:
    """The format of a file or body by its look."""
    return "freeswitch-json" if freeswitch_body.is_freeswitch(content) else "asterisk-csv"


def record_ids(source: str, bodies: Iterable[bytes], layout: str) -> str:
    """By which ids the records of a feed are told apart, read off the first that tells; '' if none does."""
    for body in bodies:
        with suppress(CdrError):
            ids: str = FORMATS[source].record_ids(body, layout)
            if ids:
                return ids
    return ""
