"""What a cell of a price file says, however it was written."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.pricefiles import cells
from billing.pricefiles.cells import CellError
from billing.pricefiles.content import Fault

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize(
    ("written", "prefixes"),
    [
        ("48", ["48"]),
        ("+48", ["48"]),
        ("0048", ["48"]),
        (" 48\xa022 ", ["4822"]),
        (48.0, ["48"]),
        (4822, ["4822"]),
        ('="4822"', ["4822"]),
        ("48, +49;0033", ["48", "49", "33"]),
        ("48\n49,", ["48", "49"]),
        ("4850-4853", ["4850", "4851", "4852", "4853"]),
        ("+48 50 – 53", ["4850", "4851", "4852", "4853"]),
        ("4898-4901", ["4898", "4899", "4900", "4901"]),
        ("4850-4850", ["4850"]),
        ("*", [""]),
    ],
)
def test_prefixes_are_read_in_every_notation(written: Any, prefixes: list[str]) -> None:
    assert cells.prefixes(written) == prefixes


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("", Fault.NO_PREFIX),
        (None, Fault.NO_PREFIX),
        (" , ", Fault.NO_PREFIX),
        ("Polska", Fault.BAD_PREFIX),
        ("048", Fault.BAD_PREFIX),
        ("48.5", Fault.BAD_PREFIX),
        ("٤٨", Fault.BAD_PREFIX),
        ("1" * 21, Fault.BAD_PREFIX),
        ("4853-4850", Fault.BAD_RANGE),
        ("48-49000", Fault.BAD_RANGE),
        ("480000-489999", Fault.BAD_RANGE),
        ("48-", Fault.BAD_PREFIX),
    ],
)
def test_what_is_no_prefix_says_why(written: Any, fault: Fault) -> None:
    with pytest.raises(CellError) as error:
        cells.prefixes(written)
    assert error.value.fault == fault


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("0,12", "0.12"),
        ("0.12", "0.12"),
        (" 0,1200 zł ", "0.12"),
        ("0,12 zł/min", "0.12"),
        ("PLN 0.12", "0.12"),
        ("1 234,50", "1234.5"),
        ("1.234,50", "1234.5"),
        ("1,234.50", "1234.5"),
        ("1,234", "1.234"),
        ("1'234.5", "1234.5"),
        ("0", "0"),
        ("1E-05", "0.00001"),
        (0.1 + 0.2, "0.3"),
        (2, "2"),
    ],
)
def test_prices_are_exact_in_every_notation(written: Any, amount: str) -> None:
    assert cells.price(written) == Decimal(amount)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("-0,12", Fault.NEGATIVE),
        ("0,1234567", Fault.TOO_EXACT),
        (0.00166666666, Fault.TOO_EXACT),
        ("1000000", Fault.TOO_DEAR),
        ("1e300", Fault.TOO_DEAR),
        ("1,2,3", Fault.BAD_PRICE),
        ("12-05", Fault.BAD_PRICE),
        ("brak", Fault.BAD_PRICE),
        ("0,12 EUR", Fault.CURRENCY),
        ("€0,12", Fault.CURRENCY),
        (float("nan"), Fault.BAD_PRICE),
        (True, Fault.BAD_PRICE),
    ],
)
def test_what_is_no_price_says_why(written: Any, fault: Fault) -> None:
    with pytest.raises(CellError) as error:
        cells.price(written)
    assert error.value.fault == fault


def test_an_empty_cell_is_no_price_and_not_zero() -> None:
    assert [cells.price(each) for each in ("", None, "\xa0")] == [None, None, None]


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        ("60/60", (60, 60)),
        ("30 / 6", (30, 6)),
        ("1+1", (1, 1)),
        ("60s/1s", (60, 1)),
        (60, (60, 60)),
    ],
)
def test_increments_may_share_a_cell(written: Any, steps: tuple[int, int]) -> None:
    assert cells.increments(written) == steps


@pytest.mark.parametrize("written", ["0/1", "60/", "1/2/3", "1.5", "minuta", -1])
def test_an_increment_is_whole_seconds(written: Any) -> None:
    with pytest.raises(CellError) as error:
        cells.increments(written)
    assert error.value.fault == Fault.BAD_INCREMENT


MIDNIGHT = datetime(2026, 11, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-12-01", MIDNIGHT),
        ("01.12.2026", MIDNIGHT),
        ("1.12.2026", MIDNIGHT),
        (date(2026, 12, 1), MIDNIGHT),
        (datetime(2026, 12, 1), MIDNIGHT),
        ("2026-12-01 00:00", MIDNIGHT),
        ("2026-12-01T00:00:00+01:00", MIDNIGHT),
        ("01.12.2026 06:30", datetime(2026, 12, 1, 5, 30, tzinfo=UTC)),
        ("", None),
    ],
)
def test_a_day_begins_at_midnight_of_the_operator(written: Any, moment: datetime | None) -> None:
    assert cells.beginning(written, WARSAW) == moment


def test_a_day_until_which_something_holds_is_its_last() -> None:
    assert cells.end("30.11.2026", WARSAW) == MIDNIGHT
    assert cells.end("2026-12-01T00:00:00+01:00", WARSAW) == MIDNIGHT


@pytest.mark.parametrize("written", ["jutro", "2026-13-01", "1.12", "0026-12-01", 5])
def test_what_is_no_date_is_refused(written: Any) -> None:
    with pytest.raises(CellError) as error:
        cells.beginning(written, WARSAW)
    assert error.value.fault == Fault.BAD_DATE


def test_a_guard_against_formulas_is_taken_off_again() -> None:
    assert [cells.text(each) for each in ("'=1", "''=1", "'tis", "=1")] == [
        "=1",
        "'=1",
        "'tis",
        "=1",
    ]
