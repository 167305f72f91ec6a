"""The fields of an Asterisk record by the names of its columns, whether it came as a CSV line or as a JSON object.

A JSON object may name them as cdr_csv and cdr_pgsql do or as the manager interface (AMI) does, in any letter case.
"""

import codecs
import csv
import json
import re
from functools import lru_cache
from typing import Any

from calls.ingest.records import CdrError, clean

BASE = [
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
    *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
]
NEW_COLUMNS = ["peeraccount", "linkedid", "sequence"]
# Other names of the same columns: those of AMI's event Cdr, and that of the oldest database tables.
SYNONYMS = {
    "source": "src",
    "destination": "dst",
    "destinationcontext": "dcontext",
    "callerid": "clid",
    "destinationchannel": "dstchannel",
    "lastapplication": "lastapp",
    "starttime": "start",
    "answertime": "answer",
    "endtime": "end",
    "billableseconds": "billsec",
    "calldate": "start",
}
HEADERS = ({"channel", "start", "duration"}, {"channel", "calldate", "duration"})
EVENT_HEADER = {"eventtype", "eventtime", "channame"}
UNIQUEID = re.compile(r"(?:^|-)(\d{9,10})\.\d+$")


def split(content: bytes) -> tuple[str, list[bytes]]:
    """A file as its layout (the header line, '' for Master.csv) and its records, one raw line each."""
    content = content.removeprefix(codecs.BOM_UTF8)
    lines = [line for line in content.split(b"\n") if line.strip()]
    first = lines[0].decode("utf-8", errors="replace").strip() if lines else ""
    if _is_header(first):
        return clean(first.lower(), 2000), lines[1:]
    return "", lines


def _is_header(line: str) -> bool:
    """Whether its values are names of columns; within a value, such as what a caller calls himself, they are none."""
    try:
        names = {name.strip().lower() for name in next(csv.reader([line]), [])}
    except csv.Error:
        return False
    return any(names >= header for header in (*HEADERS, EVENT_HEADER))


def read(body: bytes, layout: str) -> dict[str, str]:
    """The fields of a record. ``layout``: the header line of its file, or ''.

    Raises CdrError ``other_shape``.
    """
    is_object = body.lstrip()[:1] == b"{"
    return _of_object(body) if is_object else _of_line(body, layout)


def _of_object(body: bytes) -> dict[str, str]:
    try:
        # Numbers stay as they are written: 1795403264.30 is the id of another channel than 1795403264.3.
        record = json.loads(
            body.decode("utf-8", errors="replace"), strict=False, parse_int=str, parse_float=str
        )
    except (ValueError, RecursionError) as error:
        raise CdrError("not_json", f"The record is no JSON: {error}.") from error
    return _named({clean(name.lower(), 40): _text(value) for name, value in record.items()})


def _named(fields: dict[str, str]) -> dict[str, str]:
    """With our names; a field that has its own name already keeps it."""
    for other in SYNONYMS.keys() & fields.keys():
        if not fields.get(SYNONYMS[other]):
            fields[SYNONYMS[other]] = fields[other]
    return fields


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return clean(json.dumps(value))
    return clean(value) if isinstance(value, str) else ""


def values_of(line: bytes) -> list[str]:
    """The values of a CSV line. Raises CdrError ``other_shape``."""
    text = clean(line.decode("utf-8", errors="replace").strip())
    try:
        return next(csv.reader([text], strict=True))
    except (csv.Error, StopIteration) as error:
        raise CdrError("other_shape", f"The line is no CSV record: {error}.") from error


def _of_line(body: bytes, layout: str) -> dict[str, str]:
    values = values_of(body)
    names = _header_columns(layout) if layout else _master_columns(values)
    if len(names) != len(values):
        raise CdrError(
            "other_shape", f"The line has {len(values)} fields where {len(names)} belong."
        )
    return _named(dict(zip(names, values, strict=True)))


@lru_cache(maxsize=100)
def _header_columns(layout: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([layout]))]


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
