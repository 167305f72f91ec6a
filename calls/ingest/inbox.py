"""The inbox: raw records, durable before anything is acknowledged."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice

from calls.ingest.formats import FORMATS, freeswitch_body
from calls.ingest.records import CdrError
from calls.models import InboxRecord, Pbx


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
    records = {
        record.digest: record for record in (_record(pbx, body, layout, now) for body in bodies)
    }
    known = InboxRecord.objects.filter(pbx=pbx, digest__in=records).values_list("digest", flat=True)
    for digest in known:
        del records[bytes(digest)]
    InboxRecord.objects.bulk_create(records.values(), ignore_conflicts=True)
    return len(records)


def _record(pbx: Pbx, body: bytes, layout: str, now: datetime) -> InboxRecord:
    digest = hashlib.sha256(layout.encode() + b"\n" + body).digest()
    return InboxRecord(pbx=pbx, received_at=now, layout=layout, body=body, digest=digest)


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
    """By which ids the records of a feed are told apart, read off the first readable one; '' if none is."""
    for body in bodies:
        with suppress(CdrError):
            ids: str = FORMATS[source].record_ids(body, layout)
            return ids
    return ""
