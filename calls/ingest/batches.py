"""A file or a request as its raw records: one of them, JSON objects one a line or in an array, or CSV lines. Pure.

Nothing here fails: what cannot be taken apart is one record, and reading it says what is wrong.
"""

import json

from calls.ingest.formats import FREESWITCH, OTHER, asterisk_fields, freeswitch_body, mapped_csv
from calls.ingest.records import Switch

DECODER = json.JSONDecoder(strict=False)
ENVELOPES = (b'"log"', b'"message"')
# By these fields a record is none of a shipper's envelopes.
RECORD = {"variables", "channel", "eventtype"}


def split(content: bytes, switch: Switch, *, continued: bool = False) -> tuple[str, list[bytes]]:
    """The layout (a CSV's header line, '' without one) and the records, each with the bytes it came with.

    ``continued``: it is a further part of a file, where no line is a header, whatever it looks like.
    """
    layout, records = _split(content, switch, continued)
    return layout, [record for each in records if (record := _unwrapped(each)).strip()]


def _split(content: bytes, switch: Switch, continued: bool) -> tuple[str, list[bytes]]:
    start = content.lstrip()[:1]
    if start == b"[" and (elements := _array(content)) is not None:
        return "", elements
    if switch.source == FREESWITCH:
        # A form of several parts has a line for its record too.
        several = b"\n" in content.strip() and not freeswitch_body.FORM.match(content)
        return "", _lines(content) if several else [content]
    if start == b"{" and _is_json(content):
        return "", [content]
    if continued:
        return "", [line for line in content.split(b"\n") if line.strip()]
    if switch.source == OTHER:
        return mapped_csv.split(content, switch.columns)
    return asterisk_fields.split(content)


def _lines(content: bytes) -> list[bytes]:
    """The lines, if one of them is a record by itself; else all of it, which may be one record over several lines."""
    lines = [line for line in content.split(b"\n") if line.strip()]
    several = any(map(_is_object, lines)) or all(map(_is_encoded, lines))
    return lines if several and not _is_json(content) else [content]


def _is_encoded(line: bytes) -> bool:
    return bool(freeswitch_body.PERCENT_ENCODED.match(line.removeprefix(b"cdr=")))


def _is_json(content: bytes) -> bool:
    """Whether all of it is one JSON value."""
    try:
        json.loads(content.decode("utf-8", errors="replace"), strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _array(content: bytes) -> list[bytes] | None:
    """The elements of an array, the damaged rest of it as one more; None if it looks more like lines than like that."""
    whole, rest = _elements(content)
    if rest and len(whole) <= sum(map(_is_object, content.split(b"\n"))):
        return None
    return [*whole, rest] if rest else whole


def _is_object(line: bytes) -> bool:
    return line[:1] == b"{" and _is_json(line)


def _elements(content: bytes) -> tuple[list[bytes], bytes]:
    """The objects of an array, each as it is written, and what cannot be taken apart any further."""
    text = content.decode("utf-8", errors="surrogateescape")
    found, position = [], _after_blanks(text, text.index("[") + 1)
    while end := _end_of_object(text, position):
        found.append(text[position:end].encode("utf-8", errors="surrogateescape"))
        position = _after_blanks(text, end)
    rest = text[position:].strip()
    return found, b"" if rest == "]" else rest.encode("utf-8", errors="surrogateescape")


def _end_of_object(text: str, position: int) -> int:
    """Where the object that begins here ends; 0 if none does."""
    try:
        found, end = DECODER.raw_decode(text, position)
    except (ValueError, RecursionError):
        return 0
    return end if isinstance(found, dict) else 0


def _after_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def _unwrapped(record: bytes) -> bytes:
    """A line that a log shipper put into an envelope of its own: fluent-bit calls it log, Vector message."""
    if not record.lstrip().startswith(b"{") or not any(name in record for name in ENVELOPES):
        return record
    try:
        envelope = json.loads(record, strict=False)
    except (ValueError, RecursionError):
        return record
    if not isinstance(envelope, dict) or RECORD & {name.lower() for name in envelope}:
        return record
    line = envelope.get("log", envelope.get("message"))
    return line.encode("utf-8", errors="replace") if isinstance(line, str) else record
