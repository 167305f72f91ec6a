"""A file's table is found and its rows are read, whichever program and language wrote it."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter

from billing.pricefiles.content import Fault, FileRow, Finding
from billing.pricefiles.reading import Reader, Refusal, RefusedError, read

READER = Reader(ZoneInfo("Europe/Warsaw"))
PLAIN = {"per_minute": Decimal("0.12"), "per_call": None}


def workbook(*sheets: Sequence[Sequence[Any]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for line, row in enumerate(rows):
                sheet.write_row(line, 0, row)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        "Prefix;Cena za minutę\n48;0,12\n".encode(),
        b"Prefix,Price a minute\n48,0.12\n",
        b'Prefix,Price per minute\n48,"0,12"\n',
        "kod kierunkowy\tstawka\n+48\t0.12 zł\n".encode(),
        "\ufeffPREFIKS;CENA NETTO\r\n0048;0,12\r\n".encode(),
        "Prefiks;Cena za minutę [zł]\n48;0,12\n".encode("cp1250"),
        "Prefix;Rate\n48;0,12\n".encode("utf-16"),
        b"sep=;\nDial code;Rate/min\n48;0.12\n",
        workbook([["Prefix", "Cena (netto)"], [48, 0.12]]),
        workbook([["Uwagi"], ["nic"]], [["Cennik 2027"], [], ["Prefix", "Cena"], ["48", "0,12"]]),
    ],
)
def test_the_table_is_found_in_files_of_all_kinds(content: bytes) -> None:
    file = read(content, READER)

    assert [(row.prefix, row.space, row.given) for row in file.rows] == [("48", "e164", PLAIN)]
    assert file.findings == []


def test_all_columns_are_read() -> None:
    header = (
        "Prefix;Numery;Nazwa;Cena za minutę;Cena za połączenie;Wieczór;Weekend;Opłata inicjalna;Opłata minimalna;"
        "Naliczanie;Ważna od;Ważna do;Uwagi"
    )
    rows = "118;krótkie;Biura numerów;;1,50;1,20;;0,10;0,20;60/1;01.01.2027;31.03.2027;x"

    file = read(f"{header}\n{rows}\n".encode(), READER)

    assert file.rows == [
        FileRow(
            line=2,
            space="short",
            prefix="118",
            given={
                "name": "Biura numerów",
                "per_minute": Decimal(0),
                "per_call": Decimal("1.50"),
                "evening": Decimal("1.20"),
                "weekend": None,
                "connection_fee": Decimal("0.10"),
                "minimum": Decimal("0.20"),
                "first_increment": 60,
                "next_increment": 1,
            },
            valid_from=datetime(2026, 12, 31, 23, tzinfo=UTC),
            valid_to=datetime(2027, 3, 31, 22, tzinfo=UTC),
            says_end=True,
        )
    ]
    assert file.unused == ("Uwagi",)


def test_each_bad_row_is_found_with_its_line_and_the_good_ones_are_kept() -> None:
    content = """Cennik hurtowy;;
Prefix;Nazwa;Cena
48;"Polska,
stacjonarne";0,06

EUROPA;;
49;Niemcy;
33;Francja;0,1234567
3O;Holandia;0,22
31,32;Beneluks;0,22
"""

    file = read(content.encode(), READER)

    assert [(row.line, row.prefix) for row in file.rows] == [(3, "48"), (10, "31"), (10, "32")]
    assert file.rows[0].given["name"] == "Polska, stacjonarne"
    assert file.findings == [
        Finding(6, Fault.BAD_PREFIX, "EUROPA"),
        Finding(7, Fault.NO_PRICE, ""),
        Finding(8, Fault.TOO_EXACT, "0,1234567"),
        Finding(9, Fault.BAD_PREFIX, "3O"),
    ]
    assert file.named == {("e164", prefix) for prefix in ("48", "49", "33", "31", "32")}


def test_of_net_and_gross_prices_those_of_the_list_are_taken() -> None:
    content = b"prefix;cena netto;cena brutto\n48;0,10;0,123\n"

    prices = [
        [row.given["per_minute"] for row in read(content, Reader(READER.zone, basis=basis)).rows]
        for basis in ("net", "gross")
    ]

    assert prices == [[Decimal("0.10")], [Decimal("0.123")]]


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", Refusal.NO_HEADER),
        (b"48;0,12\n49;0,20\n", Refusal.NO_HEADER),
        (b"prefix;name\n48;Poland\n", Refusal.NO_HEADER),
        (b"prefix;cena brutto\n48;0,12\n", Refusal.BASIS),
        (b"prefix;cena;stawka\n48;0,12;0,13\n", Refusal.TWICE),
        (b"PK\x03\x04 and nothing more", Refusal.UNREADABLE),
        (b"\x89PNG\0\0", Refusal.UNREADABLE),
        (b"%PDF-1.7", Refusal.NO_HEADER),
    ],
)
def test_a_file_without_one_table_of_prices_is_refused_as_a_whole(
    content: bytes, refusal: Refusal
) -> None:
    with pytest.raises(RefusedError) as error:
        read(content, READER)
    assert error.value.refusal == refusal


def test_free_and_blocked_numbers_need_no_price() -> None:
    content = "prefix;cena;sposób\n48800;;bezpłatne\n88;;zablokowane\n49;;wyceniane\n".encode()

    file = read(content, READER)

    assert [(row.prefix, row.given["treatment"]) for row in file.rows] == [
        ("48800", "free"),
        ("88", "blocked"),
    ]
    assert file.findings == [Finding(4, Fault.NO_PRICE, "")]


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    content = b"prefix;rate\n" + b"".join(b"%d;1\n" % number for number in range(1, 4501))

    read(content, READER, lambda done, total: told.append((done, total)))

    assert told == [(0, 4500), (2000, 4500), (4000, 4500), (4500, 4500)]
