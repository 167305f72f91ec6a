"""The CSV of any other PBX, read through the columns that its PBX entry names: a line is a call or a part of one."""

import codecs
import csv
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from calls.ingest.columns import Columns
from calls.ingest.formats.times import iso, utc
from calls.ingest.records import SECOND, CdrError, Leg, Link, Switch, clean, compact

DELIMITERS = ",;\t"
EPOCH = re.compile(r"(\d{9,11})(\d{3})?([.,]\d{1,6})?")
POLISH = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})[ T]+(\d\d?):(\d\d)(?::(\d\d))?")
CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d\d)(?:[.,]\d*)?")
NUMBER = re.compile(r"(\d{1,8})(?:[.,]\d*)?")
BY_ID, BY_CONTENT = "id", "content"
REQUIRED = ("start", "caller", "called")
LONGEST = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Entry:
    """What folding needs of a line. Times µs, 0 for never. ``direction``: a kind of call, or '' where none is told.

    ``estimated``: the line says that somebody answered but not when.
    """

    caller: str = ""
    called: str = ""
    extension: str = ""
    direction: str = ""
    disposition: str = ""
    name: str = ""
    account: str = ""
    call: str = ""
    start: int = 0
    answer: int = 0
    end: int = 0
    estimated: bool = False


def split(content: bytes, columns: Columns) -> tuple[str, list[bytes]]:
    """A file as its layout (the header line, '' without one) and its records, one raw line each."""
    content = content.removeprefix(codecs.BOM_UTF8)
    lines = [line for line in content.split(b"\n") if line.strip()]
    header = _text(lines[0]) if lines else ""
    return (header, lines[1:]) if _is_header(header, columns) else ("", lines)


def _is_header(line: str, columns: Columns) -> bool:
    """Whether it names all that a line must have: by one name alone a caller called like a column would be a header."""
    needed = {
        place.casefold()
        for name, place in columns.places
        if name in REQUIRED and isinstance(place, str)
    }
    try:
        names = {name.strip().casefold() for name in _values(line, _delimiter(line))}
    except CdrError:
        return False
    return bool(needed) and needed <= names


def parse(body: bytes, layout: str, switch: Switch) -> Leg:
    """One line as a leg. ``layout``: the header line, or '' where the columns are told by their numbers.

    Raises CdrError ``no_columns``, ``no_header``, ``other_shape``, ``bad_times``, ``bad_number``, ``bad_direction``
    or ``other_ids``.
    """
    fields = _fields(body, layout, switch.columns)
    entry = _entry(fields, switch)
    if switch.record_ids == BY_ID and not fields.get("id"):
        raise CdrError("other_ids", "The line has no id, as all others of this PBX have.")
    key = fields.get("id") or "row-" + hashlib.sha256(body.strip()).hexdigest()[:32]
    links = (Link(f"call {entry.call}"),) if entry.call else ()
    return Leg(key[:255], entry.start, entry.end, links, compact(entry))


def record_ids(body: bytes, layout: str, switch: Switch) -> str:
    """By what this file's records are told apart: ``id``, its own column for that, or ``content``."""
    return BY_ID if _fields(body, layout, switch.columns).get("id") else BY_CONTENT


def _fields(body: bytes, layout: str, columns: Columns) -> dict[str, str]:
    """The line's values by our names."""
    if not all(columns.has(name) for name in REQUIRED):
        raise CdrError("no_columns", "The PBX entry does not say which columns hold what.")
    text = _text(body)
    if columns.numbered:
        header, values = [], _values(text, _delimiter(text))
    elif layout:
        delimiter = _delimiter(layout)
        header, values = _values(layout, delimiter), _values(text, delimiter)
    else:
        raise CdrError(
            "no_header",
            "Nothing names the columns of this line. Send the header with each file or batch, or give the columns of"
            " the PBX entry by their numbers.",
        )
    if header and len(values) != len(header):
        raise CdrError(
            "other_shape", f"The line has {len(values)} fields where {len(header)} belong."
        )
    places = {name.strip().casefold(): number for number, name in enumerate(header)}
    return {
        name: clean(_value(values, places, place), 512).strip() for name, place in columns.places
    }


def _value(values: list[str], places: dict[str, int], place: str | int) -> str:
    number = place - 1 if isinstance(place, int) else places.get(place.casefold(), len(values))
    if number >= len(values):
        raise CdrError("other_shape", f"There is no column {place!r}; the PBX entry names it.")
    return values[number]


def _text(line: bytes) -> str:
    """UTF-8, or else what a Polish Windows writes."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("cp1250", errors="replace")
    return clean(text.strip("\r\n"))


def _delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _values(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise CdrError("other_shape", f"The line is no CSV record: {error}.") from error


def _entry(fields: dict[str, str], switch: Switch) -> Entry:
    start, end = _span(fields, switch)
    talk = _seconds(fields, "talk")
    told = "disposition" in fields
    is_answered = fields["disposition"].casefold() in switch.columns.answers if told else talk > 0
    estimated = is_answered and not switch.columns.has("talk")
    answer = start if estimated else max(start, end - talk * SECOND)
    return Entry(
        caller=fields["caller"],
        called=fields["called"],
        extension=fields.get("extension", ""),
        direction=_direction(fields, switch.columns),
        disposition=fields.get("disposition", ""),
        name=fields.get("name", "")[:100],
        account=fields.get("account", ""),
        call=fields.get("call", "")[:250],
        start=start,
        answer=answer if is_answered else 0,
        end=end,
        estimated=estimated,
    )


def _direction(fields: dict[str, str], columns: Columns) -> str:
    word = fields.get("direction", "")
    kind = dict(columns.directions).get(word.casefold(), "")
    if word and not kind:
        raise CdrError(
            "bad_direction",
            f"The direction {word[:40]!r} is not known. Write what it means into the columns of the PBX entry.",
        )
    return kind


def _span(fields: dict[str, str], switch: Switch) -> tuple[int, int]:
    zone, written = ZoneInfo(switch.time_zone), switch.columns.time_format
    start = _time(fields["start"], zone, written, 0)
    lasted = start + _seconds(fields, "duration") * SECOND
    end = _time(fields["end"], zone, written, lasted) if fields.get("end") else lasted
    if not start <= end <= start + LONGEST * SECOND:
        raise CdrError("bad_times", "The line ends before it starts, or a month later.")
    return start, end


def _time(text: str, zone: ZoneInfo, written: str, likely: int) -> int:
    """ISO, 23.11.2026 04:07[:44], seconds or milliseconds since the epoch, or as the entry says it is written."""
    try:
        if written:
            return utc(datetime.strptime(text, written), zone, likely)
        if match := EPOCH.fullmatch(text):
            seconds, thousandths, fraction = match.groups()
            part = thousandths or (fraction or "")[1:]
            return int(seconds) * SECOND + int(part.ljust(6, "0"))
        if match := POLISH.fullmatch(text):
            day, month, year, hour, minute, second = (int(part or 0) for part in match.groups())
            return utc(datetime(year, month, day, hour, minute, second), zone, likely)
        return iso(text, zone, likely)
    except (ValueError, OverflowError) as error:
        raise CdrError("bad_times", f"{text[:40]!r} is no time.") from error


def _seconds(fields: dict[str, str], name: str) -> int:
    """Seconds, mm:ss or hh:mm:ss; rounded down."""
    text = fields.get(name) or "0"
    if match := CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        value = (hours * 60 + minutes) * 60 + seconds
    elif match := NUMBER.fullmatch(text):
        value = int(match[1])
    else:
        raise CdrError("bad_number", f"{name} is {text[:40]!r}, no seconds and no mm:ss.")
    if value > LONGEST:
        raise CdrError("bad_number", f"{name} is {value} seconds.")
    return value
