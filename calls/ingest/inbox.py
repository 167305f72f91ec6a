"""The inbox: raw records, durable before anything is acknowledged."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice

from calls.ingest.formats import ASTERISK, FORMATS, FREESWITCH, freeswitch_body
from calls.ingest.records import CdrError, Switch
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


def check_feed(pbx: Pbx, bodies: Sequence[bytes], layout: str) -> None:
    """Refuse records of another kind of PBX, and a second feed of the same calls under other ids: nothing could tell
    that they are the same. One such record among others is only a damaged one.

    Raises CdrError ``other_source`` or ``second_feed``; remembers the ids of the first feed.
    """
    found = _record_ids(bodies, layout, pbx.switch)
    if not found:
        _check_source(pbx, bodies[0])
    elif not pbx.record_ids:
        pbx.record_ids = max(found, key=lambda ids: ids != "content")
        pbx.save(update_fields=["record_ids"])
    elif pbx.record_ids not in found:
        raise CdrError(
            "second_feed",
            f"{pbx.name} gets its records with {pbx.record_ids} as ids, these carry {found[0]}: the same calls would be"
            " counted twice. Feed it from one source, or let both write uniqueid and sequence (loguniqueid=yes,"
            " newcdrcolumns=yes).",
        )


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


def _record_ids(bodies: Iterable[bytes], layout: str, switch: Switch) -> list[str]:
    """By which ids the readable records are told apart; no further than to the ids that the PBX has."""
    found = []
    for body in bodies:
        with suppress(CdrError):
            ids: str = FORMATS[switch.source].record_ids(body, layout, switch)
            if ids and ids not in found:
                found.append(ids)
            if ids and ids == switch.record_ids:
                break
    return found
