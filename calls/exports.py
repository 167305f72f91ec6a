"""Lists as CSV files: as Polish Excel opens them, or plain RFC 4180. Streamed by COPY, in constant memory."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils.translation import gettext as _
from psycopg import sql

from calls.models import Call
from calls.querysets import CallQuerySet, masked_columns

BOM = "\ufeff"
CHUNK = 200
# What a spreadsheet would take for the beginning of a formula.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
FIELDS = {
    "started_at": "timestamptz",
    "kind": "text",
    "outcome": "text",
    "peer": "text",
    "peer_name": "text",
    "hidden": "bool",
    "extension": "text",
    "people": "text[]",
    "own_number": "text",
    "direction": "text",
    "wait_s": "int4",
    "talk_s": "int4",
    "cost": "numeric",
    "charging": "text",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    delimiter: str
    bom: str
    text: Callable[[str], str]
    number: Callable[[str], str]
    decimal: Callable[[Decimal], str]


def excel_text(text: str) -> str:
    """Text that stays text: an apostrophe before what would be run as a formula."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def excel_number(text: str) -> str:
    """A phone number as a text formula: anything else would lose its + or its leading zero."""
    plain = text.removeprefix("+").isdigit() and text.isascii()
    return f'="{text}"' if plain else excel_text(text)


EXCEL = Dialect(";", BOM, excel_text, excel_number, lambda value: f"{value:f}".replace(".", ","))
PLAIN = Dialect(",", "", str, str, lambda value: f"{value:f}")


class _Line:
    """A file for csv.writer that keeps only the last line."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text = text


def lines(
    calls: CallQuerySet, columns: tuple[str, ...], dialect: Dialect, tz: ZoneInfo
) -> Iterator[bytes]:
    """The file in pieces: a header, then a line a call, newest first; times local with their offset."""
    line = _Line()
    writer = csv.writer(line, delimiter=dialect.delimiter, lineterminator="\r\n")
    with_cost = "cost" in columns
    labels = _labels()
    writer.writerow(_header(with_cost))
    piece = [dialect.bom + line.text]
    for row in _rows(calls):
        writer.writerow(_cells(row, dialect, tz, labels, with_cost=with_cost))
        piece.append(line.text)
        if len(piece) >= CHUNK:
            yield "".join(piece).encode()
            piece.clear()
    yield "".join(piece).encode()


def _rows(calls: CallQuerySet) -> Iterator[dict[str, Any]]:
    query = calls.order_by("-started_at", "-id").values_list(*FIELDS).query
    if query.is_empty():
        return
    statement, parameters = query.sql_with_params()
    # Its own transaction: the response is streamed after the view, and its transaction, have ended.
    with transaction.atomic(), connection.cursor() as cursor:
        copying = sql.SQL("COPY ({}) TO STDOUT").format(sql.SQL(statement))
        with cursor.copy(copying, parameters) as copy:
            copy.set_types(list(FIELDS.values()))
            for values in copy.rows():
                row = dict(zip(FIELDS, values, strict=True))
                yield row | masked_columns(row) if calls.masks_numbers else row


def _labels() -> dict[str, dict[str, str]]:
    """The words for coded values, translated once and not for every row."""
    fields = {
        "kind": Call.Kind,
        "outcome": Call.Outcome,
        "direction": Call.Direction,
        "charging": Call.Charging,
    }
    return {
        name: {value: str(label) for value, label in choices.choices}
        for name, choices in fields.items()
    }


def _header(with_cost: bool) -> list[str]:
    header = [
        *(_("Date"), _("Time"), _("UTC offset"), _("Type"), _("Result"), _("Number"), _("Name")),
        *(_("Extension"), _("Answered by"), _("Own number"), _("Direction")),
        *(_("Waited, s"), _("Duration, s")),
    ]
    return [*header, _("Cost"), _("Pricing")] if with_cost else header


def _cells(
    row: dict[str, Any],
    dialect: Dialect,
    tz: ZoneInfo,
    labels: dict[str, dict[str, str]],
    *,
    with_cost: bool,
) -> list[str]:
    local: datetime = row["started_at"].astimezone(tz)
    number = _("withheld") if row["hidden"] else dialect.number(row["peer"])
    cells = [
        f"{local:%Y-%m-%d}",
        f"{local:%H:%M:%S}",
        _offset(local),
        labels["kind"][row["kind"]],
        labels["outcome"][row["outcome"]],
        number,
        dialect.text(row["peer_name"]),
        dialect.number(row["extension"]),
        dialect.number(" → ".join(row["people"])),
        dialect.number(row["own_number"]),
        labels["direction"][row["direction"]],
        str(row["wait_s"]),
        str(row["talk_s"]),
    ]
    return [*cells, *_cost(row, dialect, labels)] if with_cost else cells


def _offset(local: datetime) -> str:
    text = f"{local:%z}"
    return f"{text[:3]}:{text[3:]}"


def _cost(row: dict[str, Any], dialect: Dialect, labels: dict[str, dict[str, str]]) -> list[str]:
    cost = "" if row["cost"] is None else dialect.decimal(row["cost"])
    return [cost, labels["charging"][row["charging"]]]
