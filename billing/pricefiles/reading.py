"""A file's bytes → its rows and what is wrong with them. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from billing.pricefiles import cells
from billing.pricefiles.cells import Cell, CellError
from billing.pricefiles.columns import Columns, recognise
from billing.pricefiles.content import PLAIN, SHOWN_NAME, Fault, FileRow, Finding, Key, tidy
from billing.pricefiles.sheets import Rows, UnreadableError, tables

# The header stands in one of the first lines; above it there may be titles.
HEADER_WITHIN = 30
REPORT_EVERY = 2000

Progress = Callable[[int, int], None]


class Refusal(StrEnum):
    """Why nothing of a file can be used."""

    UNREADABLE = "unreadable"
    NO_HEADER = "no_header"
    TWICE = "twice"
    BASIS = "basis"


class RefusedError(Exception):
    """``refusal`` says why, ``detail`` names the columns."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(refusal)
        self.refusal = refusal
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Reader:
    """What a file's cells are read by: the zone of its dates, and its list's money."""

    zone: ZoneInfo
    currency: str = "PLN"
    basis: str = "net"


@dataclass(slots=True)
class FileContent:
    """``named``: every prefix that stands in the file, also in rows that are of no use otherwise."""

    rows: list[FileRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    named: set[Key] = field(default_factory=set)
    unused: tuple[str, ...] = ()


def read(
    content: bytes, reader: Reader, progress: Progress = lambda done, total: None
) -> FileContent:
    """Read a whole file. Raises RefusedError where no table of prices is found in it."""
    columns, rows = _table(content, reader)
    found = FileContent(unused=columns.unused)
    for done, (line, row) in enumerate(rows):
        if done % REPORT_EVERY == 0:
            progress(done, len(rows))
        said = {name: row[place] for place, name in columns.fields.items() if place < len(row)}
        if any(cells.text(cell) for cell in said.values()):
            _read_row(line, said, reader, found)
    progress(len(rows), len(rows))
    return found


def _table(content: bytes, reader: Reader) -> tuple[Columns, Rows]:
    try:
        for table in tables(content):
            for place, (_line, row) in enumerate(table[:HEADER_WITHIN]):
                columns = recognise(row, reader.basis, reader.currency)
                if columns.is_header:
                    _check(columns)
                    return columns, table[place + 1 :]
    except UnreadableError as error:
        raise RefusedError(Refusal.UNREADABLE) from error
    raise RefusedError(Refusal.NO_HEADER)


def _check(columns: Columns) -> None:
    if columns.wrong_basis:
        raise RefusedError(Refusal.BASIS)
    if columns.twice:
        raise RefusedError(Refusal.TWICE, ", ".join(columns.twice))


def _read_row(line: int, said: Mapping[str, Cell], reader: Reader, found: FileContent) -> None:
    try:
        space = cells.space(said.get("space"))
        prefixes = cells.prefixes(said.get("prefix"))
        found.named.update((space, prefix) for prefix in prefixes)
        given = _given(said, reader.currency)
        since, until = _dates(said, reader.zone)
    except CellError as error:
        found.findings.append(Finding(line, error.fault, error.value[:80]))
        return
    found.rows += [
        FileRow(line, space, prefix, given, since, until, "valid_to" in said) for prefix in prefixes
    ]


def _dates(said: Mapping[str, Cell], zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    since = cells.beginning(said.get("valid_from"), zone)
    until = cells.end(said.get("valid_to"), zone)
    if since and until and until <= since:
        raise CellError(Fault.ENDS_EARLY, said["valid_to"])
    return since, until


def _given(said: Mapping[str, Cell], currency: str) -> dict[str, Any]:
    """What the columns say, by the names of `Content`; an empty cell says what a new rate would have."""
    given: dict[str, Any] = {}
    if "name" in said:
        given["name"] = _name(said["name"])
    if "treatment" in said:
        given["treatment"] = cells.treatment(said["treatment"])
    for name in ("evening", "weekend"):
        if name in said:
            given[name] = cells.price(said[name], currency)
    for name in ("connection_fee", "minimum"):
        if name in said:
            given[name] = cells.price(said[name], currency) or getattr(PLAIN, name)
    return given | _increments(said) | _price(said, currency)


def _name(cell: Cell) -> str:
    name = tidy(cells.text(cell))
    if len(name) > SHOWN_NAME:
        raise CellError(Fault.LONG_NAME, cell)
    return name


def _increments(said: Mapping[str, Cell]) -> dict[str, int]:
    given: dict[str, int] = {}
    if "increments" in said:
        first, following = cells.increments(said["increments"]) or (1, 1)
        given = {"first_increment": first, "next_increment": following}
    for name in ("first_increment", "next_increment"):
        if name in said:
            given[name] = cells.increment(said[name]) or 1
    return given


def _price(said: Mapping[str, Cell], currency: str) -> dict[str, Any]:
    """The price a minute or a call; a row without either has to say that its calls are free, or blocked."""
    per_minute = cells.price(said.get("per_minute"), currency)
    per_call = cells.price(said.get("per_call"), currency)
    if per_call is not None:
        if per_minute:
            raise CellError(Fault.TWO_PRICES, said["per_call"])
        return {"per_minute": PLAIN.per_minute, "per_call": per_call}
    if per_minute is not None:
        return {"per_minute": per_minute, "per_call": None}
    if "treatment" in said and cells.treatment(said["treatment"]) != "priced":
        return {"per_minute": PLAIN.per_minute, "per_call": None}
    raise CellError(Fault.NO_PRICE, _first(said, ("per_minute", "per_call")))


def _first(said: Mapping[str, Cell], names: Sequence[str]) -> Cell:
    return next((said[name] for name in names if name in said), "")
