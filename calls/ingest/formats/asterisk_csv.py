"""Asterisk's CDR rows: Master.csv, CSV files with a header line, and the same rows as JSON objects."""

import hashlib
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from calls.ingest.formats import asterisk_fields
from calls.ingest.formats.asterisk_fields import BASE, UNIQUEID
from calls.ingest.formats.times import iso
from calls.ingest.records import SECOND, CdrError, Leg, Link, Switch, compact

REQUIRED = {"src", "dst", "channel", "start", "duration", "billsec", "disposition"}
BY_IDS, BY_CONTENT = "uniqueid+sequence", "content"
NO_IDS = (
    "The record has no uniqueid and sequence, as all others of this PBX have. Was its line cut?"
)
# Only such names are not used again for the next call: DAHDI/1-1 is.
NUMBERED = re.compile(r"-[0-9a-f]{8}(;[12])?$|^DAHDI/i\d+/.*-[0-9a-f]+$|^IAX2/.*-\d+$")
# What a clock may be moved between the creation of a channel and the first of its rows.
SLACK = 60 * SECOND
LONGEST = 30 * 24 * 3600
# Asterisk's own limits are 80 for a channel and 150 for an id.
LONGEST_NAMES = dict.fromkeys(("channel", "dstchannel", "uniqueid", "linkedid"), 150) | {
    "sequence": 20
}
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


def parse(body: bytes, layout: str, switch: Switch) -> Leg:
    """One CDR row as a leg. ``layout``: the header line of its file, or ''.

    Raises CdrError ``other_shape``, ``not_json``, ``bad_times``, ``bad_number``, ``wrong_zone`` or ``other_ids``.
    """
    fields = _checked(asterisk_fields.read(body, layout))
    row = read(fields, ZoneInfo(switch.time_zone))
    if switch.record_ids == BY_IDS != _ids(fields):
        raise CdrError("other_ids", NO_IDS)
    return Leg(_key(fields), row.start, row.end, _links(row), compact(row))


def record_ids(body: bytes, layout: str, switch: Switch) -> str:
    """By what this file's records are told apart: ``uniqueid+sequence`` or ``content``."""
    return _ids(_checked(asterisk_fields.read(body, layout)))


def _ids(fields: dict[str, str]) -> str:
    return BY_IDS if fields.get("uniqueid") and fields.get("sequence") else BY_CONTENT


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


def _checked(fields: dict[str, str]) -> dict[str, str]:
    if missing := REQUIRED - fields.keys():
        raise CdrError("other_shape", f"The record has no column {', '.join(sorted(missing))}.")
    if not fields["channel"]:
        raise CdrError("other_shape", "The record names no channel.")
    if long := [name for name, most in LONGEST_NAMES.items() if len(fields.get(name, "")) > most]:
        raise CdrError("other_shape", f"Asterisk writes no {', '.join(long)} as long as this one.")
    return fields


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
    start = _epoch(fields, "start") or iso(fields["start"], zone, born)
    if start < born - SLACK:
        raise CdrError(
            "wrong_zone",
            f"The record starts before its channel existed: is {zone.key} the time zone of this file's times?"
            " Set the one of the PBX entry (UTC with usegmtime=yes).",
        )
    longest = start + duration * SECOND
    end = _epoch(fields, "end") or _local_or(fields.get("end", ""), zone, longest)
    end = end if longest <= end <= longest + 2 * SECOND else longest
    likely = max(start, end - billsec * SECOND)
    answer = _answer(fields, zone, likely)
    return start, likely if answer and not start <= answer <= end else answer, end


def _answer(fields: dict[str, str], zone: ZoneInfo, likely: int) -> int:
    if not fields.get("answer"):  # The oldest database tables have no such column.
        return likely if fields["disposition"].upper() == "ANSWERED" else 0
    return _epoch(fields, "answer") or iso(fields["answer"], zone, likely)


def _epoch(fields: dict[str, str], name: str) -> int:
    text = fields.get(f"{name}_epoch", "")
    return round(float(text) * SECOND) if re.fullmatch(r"\d{1,11}(\.\d+)?", text) else 0


def _local_or(text: str, zone: ZoneInfo, likely: int) -> int:
    return iso(text, zone, likely) if text else likely


def _display_name(clid: str) -> str:
    """The name of ``"Name" <number>``, which may be cut anywhere and escaped twice."""
    name = clid.rsplit("<", 1)[0].strip().strip('"')
    return re.sub(r"\\+(.)", r"\1", name)[:100]


def _key(fields: dict[str, str]) -> str:
    if _ids(fields) == BY_IDS:
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
