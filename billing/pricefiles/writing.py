"""A price list as a CSV or XLSX file that a spreadsheet opens and that reads back as the same list."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import xlsxwriter
from django.utils.translation import gettext as _

from billing.pricefiles.cells import GUARDED
from billing.pricefiles.content import Version
from calls.exports import BOM, DANGEROUS

Value = str | Decimal | int | None
WIDTHS = {"name": 40, "prefix": 16}


def headers(*, dates: bool) -> dict[str, str]:
    """Field → header, in the order of the columns."""
    names = {
        "prefix": _("Prefix"),
        "name": _("Name"),
        "space": _("Numbers"),
        "treatment": _("Treatment"),
        "per_minute": _("Price a minute"),
        "per_call": _("Price a call"),
        "evening": _("Price in the evening"),
        "weekend": _("Price at the weekend"),
        "connection_fee": _("Connection fee"),
        "minimum": _("Minimum charge"),
        "first_increment": _("First increment"),
        "next_increment": _("Next increments"),
    }
    return names | ({"valid_from": _("Valid from"), "valid_to": _("Valid until")} if dates else {})


def words() -> dict[str, str]:
    """What coded values are called in a file."""
    return {
        "e164": _("with country code"),
        "short": _("short numbers"),
        "priced": _("priced"),
        "free": _("free"),
        "blocked": _("blocked"),
    }


def as_csv(versions: Iterable[Version], zone: ZoneInfo, *, dates: bool) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    for row in _rows(versions, zone, dates=dates):
        writer.writerow([_csv_cell(value) for value in row])
    return (BOM + file.getvalue()).encode()


def as_xlsx(versions: Iterable[Version], zone: ZoneInfo, *, dates: bool) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        for place, name in enumerate(headers(dates=dates)):
            sheet.set_column(place, place, WIDTHS.get(name, 14))
        for line, row in enumerate(_rows(versions, zone, dates=dates)):
            for place, value in enumerate(row):
                # Text is written as text: no cell becomes a formula, a link or a number because of how it looks.
                if isinstance(value, str):
                    sheet.write_string(line, place, value)
                elif value is not None:
                    sheet.write_number(line, place, value)
    return file.getvalue()


def _rows(versions: Iterable[Version], zone: ZoneInfo, *, dates: bool) -> Iterable[Sequence[Value]]:
    columns = headers(dates=dates)
    yield list(columns.values())
    named = words()
    for version in versions:
        yield [_value(version, name, zone, named) for name in columns]


def _value(version: Version, name: str, zone: ZoneInfo, named: dict[str, str]) -> Value:
    if name in ("space", "treatment"):
        return named[version.space if name == "space" else version.content.treatment]
    if name in VALUES:
        return VALUES[name](version, zone)
    value: Value = getattr(version.content, name)
    return _guarded(value) if isinstance(value, str) else value


VALUES: dict[str, Callable[[Version, ZoneInfo], str]] = {
    "prefix": lambda version, zone: version.prefix or "*",
    "valid_from": lambda version, zone: _beginning(version.valid_from, zone),
    "valid_to": lambda version, zone: _end(version.valid_to, zone),
}


def _csv_cell(value: Value) -> str:
    if value is None:
        return ""
    return f"{value.normalize():f}".replace(".", ",") if isinstance(value, Decimal) else str(value)


def _guarded(text: str) -> str:
    """Text that no spreadsheet runs; reading takes the apostrophe off again."""
    return f"'{text}" if text.startswith(DANGEROUS) or GUARDED.match(text) else text


def _beginning(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d}" if _is_midnight(local) else local.isoformat()


def _end(moment: datetime | None, zone: ZoneInfo) -> str:
    """The last day, where it ends with a day."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    return f"{local.date() - timedelta(days=1)}" if _is_midnight(local) else local.isoformat()


def _is_midnight(local: datetime) -> bool:
    """Whether the day alone says this moment: midnights in a zone may be skipped, or come twice."""
    midnight = datetime.combine(local.date(), time.min, local.tzinfo)
    return midnight.astimezone(UTC) == local.astimezone(UTC) and local.time() == time.min
