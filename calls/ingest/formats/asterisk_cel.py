"""Asterisk's channel events (CEL): lines of cel_custom, or rows of a cel table as JSON.

An event becomes a leg that tells only when something happened to a channel: beside the rows of its call it makes their
times exact, alone it makes no call.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from calls.ingest.formats import asterisk_fields
from calls.ingest.formats.asterisk_csv import NUMBERED, SLACK
from calls.ingest.formats.asterisk_fields import UNIQUEID
from calls.ingest.formats.times import iso_readings
from calls.ingest.records import SECOND, CdrError, Leg, Link, Switch, clean

# The events that folding needs, and what they are called in a leg. All others are most of the traffic.
NEEDED = {
    "CHAN_START": "start",
    "ANSWER": "answer",
    "BRIDGE_ENTER": "enter",
    "BRIDGE_EXIT": "exit",
    "HANGUP": "hangup",
    "ATTENDEDTRANSFER": "transfer",
}
BRIDGES = {"enter", "exit"}
REQUIRED = {"eventtype", "eventtime", "channame", "uniqueid", "linkedid"}
# Mappings that need no header line: the one of our documentation, and that of Asterisk's cel_custom.conf.sample, whose
# second field newer samples fill with a literal.
OURS = ["eventtype", "eventtime", "channame", "uniqueid", "linkedid", "eventextra"]
SAMPLE = [
    *("eventtype", "eventtime", "cidname", "cidnum", "ani", "rdnis", "dnid", "exten", "context"),
    *("channame", "appname", "appdata", "amaflags", "accountcode", "uniqueid", "linkedid", "peer"),
    *("userfield", "userdeftype", "eventextra"),
]
MAPPINGS = [OURS, SAMPLE, [SAMPLE[0], "literal", *SAMPLE[1:]]]
# A line without a header is told from a CDR row by the time in its second or third field, where a row has numbers.
LOOKS_LIKE_EVENT = re.compile(
    rb'\s*"[^"]*",("[^"]*",)?"(\d{9,10}\.\d{6}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?)","'
)


def is_event(body: bytes, layout: str) -> bool:
    """Whether a record is an event and no row of a call."""
    if layout:
        return "eventtype" in layout
    if body.lstrip()[:1] == b"{":
        return b'"eventtype"' in body.lower()
    return bool(LOOKS_LIKE_EVENT.match(body))


def parse(body: bytes, layout: str, switch: Switch) -> Leg | None:
    """One event as a leg, None if folding does not need it. ``layout``: the header line of its file, or ''.

    Raises CdrError ``other_shape``, ``not_json``, ``bad_times`` or ``wrong_zone``.
    """
    fields = _fields(body, layout)
    if fields["eventtype"].isdecimal():
        raise CdrError("other_shape", "eventtype is a number: make this column of the table text.")
    event = NEEDED.get(fields["eventtype"].upper())
    if event is None:
        return None
    extra = _extra(fields.get("eventextra") or fields.get("extra", ""))
    moment = _moment(fields, event, ZoneInfo(switch.time_zone))
    facts = {"event": event, "channel": fields["channame"].removesuffix("<ZOMBIE>")}
    if event in BRIDGES:
        facts["bridge"] = _bridge(extra)
    links = dict.fromkeys(
        (*_ids(fields), *(_transferred(extra, moment) if event == "transfer" else ()))
    )
    return Leg(_key(fields, moment, facts), moment, moment, tuple(links), facts)


def _fields(body: bytes, layout: str) -> dict[str, str]:
    is_object = body.lstrip()[:1] == b"{"
    fields = asterisk_fields.read(body, layout if layout or is_object else _known_layout(body))
    if missing := [name for name in sorted(REQUIRED) if not fields.get(name)]:
        raise CdrError("other_shape", f"The event has no {', '.join(missing)}.")
    return fields


def _known_layout(body: bytes) -> str:
    """The header line that this line's file would have, if it is of a known mapping."""
    values = asterisk_fields.values_of(body)
    return ",".join(_known_columns(values))


def _known_columns(values: list[str]) -> list[str]:
    """The columns of a known mapping of this length, if the ids stand where they belong."""
    names = next((each for each in MAPPINGS if len(each) == len(values)), [])
    fields = dict(zip(names, values, strict=False))
    if not all(UNIQUEID.search(fields.get(name, "")) for name in ("uniqueid", "linkedid")):
        raise CdrError(
            "other_shape",
            "The line is an event, but not in the columns of a known mapping: give the file a header line.",
        )
    return names


def _moment(fields: dict[str, str], event: str, zone: ZoneInfo) -> int:
    """When it happened, in µs. What the end of summer time leaves in doubt is settled by the channel's beginning."""
    text = fields["eventtime"]
    if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
        return round(float(text) * SECOND)
    created = UNIQUEID.search(fields["uniqueid"])
    born = int(created[1]) * SECOND if created else 0
    latest = born + SLACK if created and event == "start" else 1 << 62
    possible = [time for time in iso_readings(text, zone) if born - SLACK <= time <= latest]
    if not possible:
        raise CdrError(
            "wrong_zone",
            f"The event is not of the time of its channel: is {zone.key} the time zone of this feed's times? Leave"
            " dateformat in cel.conf unset (times are epochs then), or set usegmtime as for the CDRs.",
        )
    return min(possible)


def _extra(text: str) -> dict[str, str]:
    """What an event tells besides, as Asterisk's JSON; {} where it is cut or missing."""
    try:
        extra = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    # A NUL may be written as an escape, so that it comes to light only here.
    found = extra.items() if isinstance(extra, dict) else ()
    return {name: clean(str(value), 150) for name, value in found}


def _bridge(extra: dict[str, str]) -> str:
    """Which bridge; within one call the first part of its uuid tells it from others."""
    bridge = extra.get("bridge_id", "")[:8]
    if not bridge:
        raise CdrError(
            "other_shape", "The event names no bridge: write eventextra into the feed as well."
        )
    return bridge


def _ids(fields: dict[str, str]) -> tuple[Link, ...]:
    return tuple(Link(f"{name} {fields[name][:100]}") for name in ("linkedid", "uniqueid"))


def _transferred(extra: dict[str, str], moment: int) -> Iterator[Link]:
    """All channels of a transfer, by id and, for rows that lack ids, by their names at this moment."""
    for name, value in extra.items():
        if name.endswith("_uniqueid") and UNIQUEID.search(value):
            yield Link(f"uniqueid {value[:100]}")
        elif name.endswith("_name") and NUMBERED.search(value):
            yield Link(f"channel {value.partition(';')[0]}", moment, moment)


def _key(fields: dict[str, str], moment: int, facts: dict[str, str]) -> str:
    text = "|".join((fields["uniqueid"], str(moment), *facts.values()))
    return "cel-" + hashlib.sha256(text.encode()).hexdigest()[:24]
