"""Asterisk's Master.csv (cdr_csv, with and without its optional columns) and CSV files with a header line."""

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from calls.ingest.records import SECOND, CdrError, Leg, Link, clean, compact, micros

BASE = [
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
    *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
]
NEW_COLUMNS = ["peeraccount", "linkedid", "sequence"]
REQUIRED = {"src", "dst", "channel", "start", "duration", "billsec", "disposition"}
UNIQUEID = re.compile(r"(?:^|-)(\d{9,10})\.\d+$")
# Only such names are not used again for the next call: DAHDI/1-1 is.
NUMBERED = re.compile(r"-[0-9a-f]{8}(;[12])?$|^DAHDI/i\d+/.*-[0-9a-f]+$|^IAX2/.*-\d+$")
# What a clock may be moved between the creation of a channel and the first of its rows.
SLACK = 60 * SECOND
LONGEST = 30 * 24 * 3600
# Between a channel's row and its next, after a transfer, lie some milliseconds, and in whole seconds up to one.
PAUSE = 2 * SECOND


@dataclass(frozen=True, slots=True)
class Row:
    """What folding needs of a CDR row. Times µs, '' and 0 mean absent; whole seconds unless epoch columns gave more."""

    channel: str
    tenant: str = ""
    accountcode: str = ""
    src: str = ""
    dst: str = ""
    context: str = ""
    name: str = ""
    dstchannel: str = ""
    app: str = ""
    data: str = ""
    start: int = 0
    answer: int = 0
    end: int = 0
    duration: int = 0
    billsec: int = 0
    disposition: str = ""
    uniqueid: str = ""
    linkedid: str = ""
    sequence: str = ""
    did: str = ""
    hidden: bool = False


def split(content: bytes) -> tuple[str, Iterator[bytes]]:
    """A file as its layout (the header line, '' for Master.csv) and its records, one raw line each."""
    lines = [line for line in content.split(b"\n") if line.strip()]
    first = lines[0].decode("utf-8", errors="replace").strip() if lines else ""
    names = {name.strip().strip('"').lower() for name in first.split(",")}
    if names >= {"channel", "start", "duration"}:
        return clean(first.lower(), 2000), iter(lines[1:])
    return "", iter(lines)


def parse(body: bytes, layout: str, zone: str) -> Leg:
    """One CSV line as a leg. ``layout``: the header line or ''; ``zone``: the time zone of the row's times.

    Raises CdrError ``other_shape``, ``bad_times``, ``bad_number`` or ``wrong_zone``.
    """
    fields = _fields(body, layout)
    row = read(fields, ZoneInfo(zone))
    return Leg(_key(fields), row.start, row.end, _links(row), compact(row))


def record_ids(body: bytes, layout: str) -> str:
    """By what this file's records are told apart: ``uniqueid+sequence`` or ``content``."""
    fields = _fields(body, layout)
    return "uniqueid+sequence" if fields.get("uniqueid") and fields.get("sequence") else "content"


def read(fields: dict[str, str], zone: ZoneInfo) -> Row:
    duration, billsec = _seconds(fields, "duration"), _seconds(fields, "billsec")
    start, answer, end = _times(fields, zone, duration, billsec)
    userfield = dict(re.findall(r"(\w+)=([^;]*)", fields.get("userfield", "")))
    return Row(
        channel=fields["channel"],
        tenant=fields.get("tenantid") or fields.get("tenant", ""),
        accountcode=fields.get("accountcode", ""),
        src=fields["src"],
        dst=fields["dst"],
        context=fields.get("dcontext", ""),
        name=_display_name(fields.get("clid", "")),
        dstchannel=fields.get("dstchannel", ""),
        app=fields.get("lastapp", ""),
        data=fields.get("lastdata", ""),
        start=start,
        answer=answer,
        end=end,
        duration=duration,
        billsec=billsec,
        disposition=fields["disposition"].upper(),
        uniqueid=fields.get("uniqueid", ""),
        linkedid=fields.get("linkedid", ""),
        sequence=fields.get("sequence", ""),
        did=fields.get("did") or userfield.get("did", ""),
        hidden=userfield.get("pres", "").startswith("prohib"),
    )


def _fields(body: bytes, layout: str) -> dict[str, str]:
    text = clean(body.decode("utf-8", errors="replace").strip())
    try:
        values = next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration) as error:
        raise CdrError("other_shape", f"The line is no CSV record: {error}.") from error
    names = next(csv.reader([layout])) if layout else _master_columns(values)
    if len(names) != len(values):
        raise CdrError(
            "other_shape", f"The line has {len(values)} fields where {len(names)} belong."
        )
    fields = {name.strip(): value[:512] for name, value in zip(names, values, strict=True)}
    if missing := REQUIRED - fields.keys():
        raise CdrError("other_shape", f"The file has no column {', '.join(sorted(missing))}.")
    if not fields["channel"]:
        raise CdrError("other_shape", "The record names no channel.")
    return fields


def _master_columns(values: list[str]) -> list[str]:
    """cdr_csv writes no header; its optional columns are told by their number and the look of a uniqueid."""
    tail = NEW_COLUMNS if len(values) >= len(BASE) + len(NEW_COLUMNS) else []
    match values[len(BASE) : len(values) - len(tail)]:
        case [] if len(values) >= len(BASE):
            optional = []
        case [value]:
            optional = ["uniqueid" if UNIQUEID.search(value) else "userfield"]
        case [_, _]:
            optional = ["uniqueid", "userfield"]
        case _:
            raise CdrError(
                "other_shape", f"The line has {len(values)} fields; a Master.csv line has 16 to 21."
            )
    return [*BASE, *optional, *tail]


def _seconds(fields: dict[str, str], name: str) -> int:
    text = fields.get(name) or "0"
    try:
        value = int(float(text))
    except (ValueError, OverflowError) as error:
        raise CdrError("bad_number", f"{name} is {text[:40]!r}, not a number.") from error
    if not 0 <= value <= LONGEST:
        raise CdrError("bad_number", f"{name} is {value} seconds.")
    return value


def _times(
    fields: dict[str, str], zone: ZoneInfo, duration: int, billsec: int
) -> tuple[int, int, int]:
    """Start, answer and end. Epoch columns win; otherwise local times, whose doubt at the end of summer time the
    channel's uniqueid (its epoch second) and the durations resolve."""
    created = UNIQUEID.search(fields.get("uniqueid", ""))
    born = int(created[1]) * SECOND if created else 0
    start = _epoch(fields, "start") or _local(fields["start"], zone, born)
    if start < born - SLACK:
        raise CdrError(
            "wrong_zone",
            f"The record starts before its channel existed: is {zone.key} the time zone of this file's times?"
            " Set the one of the PBX entry (UTC with usegmtime=yes).",
        )
    longest = start + duration * SECOND
    end = _epoch(fields, "end") or _local_or(fields.get("end", ""), zone, longest)
    end = end if longest <= end <= longest + 2 * SECOND else longest
    answer = 0
    if fields.get("answer"):
        likely = end - billsec * SECOND
        answer = _epoch(fields, "answer") or _local(fields["answer"], zone, likely)
        answer = answer if start <= answer <= end else max(start, likely)
    return start, answer, end


def _epoch(fields: dict[str, str], name: str) -> int:
    text = fields.get(f"{name}_epoch", "")
    return round(float(text) * SECOND) if re.fullmatch(r"\d{1,11}(\.\d+)?", text) else 0


def _local_or(text: str, zone: ZoneInfo, likely: int) -> int:
    return _local(text, zone, likely) if text else likely


def _local(text: str, zone: ZoneInfo, likely: int) -> int:
    """A local time as µs UTC; of the two readings in the doubtful hour the one nearer to ``likely``."""
    return min(local_times(text, zone), key=lambda reading: abs(reading - likely))


def local_times(text: str, zone: ZoneInfo) -> tuple[int, ...]:
    """A local time as µs UTC, in the hour before the end of summer time in both its readings.

    Raises CdrError ``bad_times``.
    """
    try:
        naive = datetime.fromisoformat(text)
    except ValueError as error:
        raise CdrError("bad_times", f"{text[:40]!r} is no time.") from error
    if naive.tzinfo is not None:
        return (_micros(naive),)
    return tuple(_micros(naive.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))


def _micros(moment: datetime) -> int:
    try:
        return micros(moment)
    except OverflowError as error:
        raise CdrError("bad_times", f"{moment} is no believable time.") from error


def _display_name(clid: str) -> str:
    """The name of ``"Name" <number>``, which may be cut anywhere and escaped twice."""
    name = clid.rsplit("<", 1)[0].strip().strip('"')
    return re.sub(r"\\+(.)", r"\1", name)[:100]


def _key(fields: dict[str, str]) -> str:
    if fields.get("uniqueid") and fields.get("sequence"):
        return f"{fields['uniqueid']}/{fields['sequence']}"
    # Rows alike in every field tell nothing that one of them does not, so they may share a key.
    text = "|".join(fields.get(name, "") for name in BASE)
    return "row-" + hashlib.sha256(text.encode()).hexdigest()[:32]


def _links(row: Row) -> tuple[Link, ...]:
    """The ids join for ever, a channel's name only while it lives: its counter restarts with Asterisk."""
    ids = [Link(f"linkedid {row.linkedid}")] if row.linkedid else []
    ids += [Link(f"uniqueid {row.uniqueid}")] if row.uniqueid else []
    names = [name for name in (row.channel, row.dstchannel) if NUMBERED.search(name)]
    # The halves of a Local channel, ;1 and ;2, are two ends of one thing.
    channels = dict.fromkeys(name.partition(";")[0] for name in names)
    return (*ids, *(Link(f"channel {name}", row.start, row.end + PAUSE) for name in channels))
