"""What one cell says. A cell is text, or what a spreadsheet made of it: a number, a date, nothing. Pure."""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from billing.pricefiles.content import Fault

Cell = Any
# How many prefixes a range such as 4850-4853 may stand for.
LONGEST_RANGE = 1000
DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%Y", "%Y/%m/%d", "%Y%m%d")
CURRENCIES = {"zł": "PLN", "zl": "PLN", "€": "EUR", "$": "USD", "£": "GBP"}
TREATMENTS = {
    "priced": ("", "priced", "wycenione", "wyceniane", "platne"),
    "free": ("free", "bezplatne", "darmowe", "gratis"),
    "blocked": ("blocked", "zablokowane", "blokada"),
}
SPACES = {
    "e164": ("", "e164", "with country code", "z numerem kraju", "z kodem kraju"),
    "short": ("short", "short numbers", "numery skrocone", "skrocone", "krotkie", "numery krotkie"),
}
PREFIX = re.compile(r"[1-9][0-9]{0,19}")
# What keeps a spreadsheet from running a text, written by our own export.
GUARDED = re.compile(r"'+[=+\-@\t\r]")
AS_TEXT = re.compile(r'="(.*)"')
AMOUNT = re.compile(
    r"(?P<before>[a-zł€$£]{0,3})(?P<number>[+-]?[0-9.,]+(?:e[+-]?[0-9]{1,3})?)(?P<after>[a-zł€$£]{0,3})(?:/min\.?)?"
)
MARKS = re.compile(r"[\s\u200b\ufeff'’]")


class CellError(Exception):
    """The cell cannot be read."""

    def __init__(self, fault: Fault, value: Cell) -> None:
        super().__init__(fault)
        self.fault = fault
        self.value = text(value)


def plain(written: str) -> str:
    """Lower case without Polish marks and anything but letters and digits: how words are compared."""
    bare = unicodedata.normalize("NFKD", written.lower().replace("ł", "l"))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", re.sub(r"[̀-ͯ]", "", bare)).split())


def text(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    written = "" if cell is None else str(cell).strip()
    if found := AS_TEXT.fullmatch(written):
        return found[1]
    return written[1:] if GUARDED.match(written) else written


def prefixes(cell: Cell) -> list[str]:
    """`+48 22, 0048 50-53` → 4822, 4850, 4851, 4852, 4853; `*` is the empty prefix, that of all numbers."""
    found = [prefix for part in re.split(r"[,;\n]", text(cell)) for prefix in _range(part)]
    if not found:
        raise CellError(Fault.NO_PREFIX, cell)
    return found


def _range(part: str) -> list[str]:
    first, dash, last = MARKS.sub("", part).replace("–", "-").partition("-")
    if not first and not dash:
        return []
    start = _prefix(first, part)
    if not dash:
        return [start]
    end = last if last.isdecimal() and len(last) < len(start) else _prefix(last, part)
    end = start[: len(start) - len(end)] + end
    count = int(end) - int(start) + 1 if start and len(end) == len(start) else 0
    if not 0 < count <= LONGEST_RANGE:
        raise CellError(Fault.BAD_RANGE, part)
    return [str(int(start) + place) for place in range(count)]


def _prefix(written: str, part: str) -> str:
    if written == "*":
        return ""
    digits = written.removeprefix("+").removeprefix("00")
    if not (digits.isascii() and PREFIX.fullmatch(digits)):
        raise CellError(Fault.BAD_PREFIX, part)
    return digits


def price(cell: Cell, currency: str = "PLN") -> Decimal | None:
    """An exact amount with at most six decimals, None for an empty cell."""
    amount = _number(cell, currency)
    if amount is None:
        return None
    if amount < 0:
        raise CellError(Fault.NEGATIVE, cell)
    if amount >= 1_000_000:
        raise CellError(Fault.TOO_DEAR, cell)
    if amount != amount.quantize(Decimal("0.000001")):
        raise CellError(Fault.TOO_EXACT, cell)
    return amount


def _number(cell: Cell, currency: str) -> Decimal | None:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        # Fifteen digits are what a spreadsheet itself keeps; the rest is the noise of its binary sums.
        return _decimal(f"{cell:.15g}", cell)
    written = MARKS.sub("", text(cell)).lower()
    if not written:
        return None
    found = AMOUNT.fullmatch(written)
    if found is None:
        raise CellError(Fault.BAD_PRICE, cell)
    for unit in (found["before"], found["after"]):
        if unit and CURRENCIES.get(unit, unit.upper()) != currency:
            raise CellError(Fault.CURRENCY, cell)
    return _decimal(_with_point(found["number"]), cell)


def _with_point(number: str) -> str:
    """Of a point and a comma the last one is the decimal mark; a lone one always is."""
    if "." in number and "," in number:
        number = number.replace("," if number.rfind(".") > number.rfind(",") else ".", "")
    return number.replace(",", ".")


def _decimal(number: str, cell: Cell) -> Decimal:
    try:
        amount = Decimal(number)
    except InvalidOperation as error:
        raise CellError(Fault.BAD_PRICE, cell) from error
    if not amount.is_finite():
        raise CellError(Fault.BAD_PRICE, cell)
    return amount


def increment(cell: Cell) -> int | None:
    """Whole seconds, at least one; None for an empty cell."""
    written = MARKS.sub("", text(cell)).lower().removesuffix("sek").removesuffix("s")
    if not written:
        return None
    if (
        not (written.isascii() and written.isdecimal())
        or not 0 < len(written) < 6
        or not int(written)
    ):
        raise CellError(Fault.BAD_INCREMENT, cell)
    return int(written)


def increments(cell: Cell) -> tuple[int, int] | None:
    """`60/1` → 60 and 1; a single number is both; None for an empty cell."""
    first, *more = re.split(r"[/+:]", text(cell))
    steps = [increment(part) for part in (first, *more)]
    if steps == [None]:
        return None
    if len(steps) > 2 or None in steps:
        raise CellError(Fault.BAD_INCREMENT, cell)
    return steps[0] or 1, steps[-1] or 1


def treatment(cell: Cell) -> str:
    return _word(cell, TREATMENTS, Fault.BAD_TREATMENT)


def space(cell: Cell) -> str:
    return _word(cell, SPACES, Fault.BAD_SPACE)


def _word(cell: Cell, meanings: dict[str, tuple[str, ...]], fault: Fault) -> str:
    written = plain(text(cell))
    for meaning, words in meanings.items():
        if written in words:
            return meaning
    raise CellError(fault, cell)


def beginning(cell: Cell, zone: ZoneInfo) -> datetime | None:
    """A moment; of a bare date its midnight in the zone. None for an empty cell."""
    found = _moment(cell, zone)
    return found[0] if found else None


def end(cell: Cell, zone: ZoneInfo) -> datetime | None:
    """The moment at which something stops; a bare date is its last day."""
    found = _moment(cell, zone)
    if found is None:
        return None
    moment, bare = found
    return _midnight(moment.astimezone(zone).date() + timedelta(days=1), zone) if bare else moment


def _moment(cell: Cell, zone: ZoneInfo) -> tuple[datetime, bool] | None:
    """A moment, and whether only its day was said."""
    try:
        found = _date_or_time(cell)
        if found is None:
            return None
        bare = not isinstance(found, datetime)
        moment = _midnight(found, zone) if bare else found
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        if not 2000 <= moment.year < 2200:
            raise CellError(Fault.BAD_DATE, cell)
        return moment.astimezone(UTC), bare
    except ValueError as error:
        raise CellError(Fault.BAD_DATE, cell) from error


def _date_or_time(cell: Cell) -> Any:
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time.min and cell.tzinfo is None else cell
    if isinstance(cell, date):
        return cell
    written = text(cell)
    if not written:
        return None
    for form in DAYS:
        try:
            return datetime.strptime(written, form).date()
        except ValueError:
            continue
    for form in (f"{day} {clock}" for day in DAYS[:2] for clock in ("%H:%M", "%H:%M:%S")):
        try:
            return datetime.strptime(written, form)
        except ValueError:
            continue
    return datetime.fromisoformat(written)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)
