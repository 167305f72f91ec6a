"""30,000 prices from a file into a price list: read and compared, then applied, with the same statements as the pages.

The floor, measured in the same run: COPY of the very rates that come out into a bare table without an index.

    ./run bench price_import [ROWS]
"""

import io
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random

import xlsxwriter
from django.db import connection
from django.utils import timezone

from benchmarks.support.stack import Stack
from billing.models import PriceList, PriceListImport
from billing.pricefiles import imports, stored, writing

ROWS = 30_000
HEADER = ("Prefiks", "Nazwa", "Cena za minutę", "Naliczanie", "Opłata początkowa")

Row = tuple[str, str, Decimal, str, Decimal]


def main(running: Stack, arguments: Sequence[str]) -> int:
    count = int(arguments[0]) if arguments else ROWS
    price_list = PriceList.objects.create(name="Benchmark")
    first = rows(count)
    dearer = [(*row[:2], row[2] * 2, *row[3:]) for row in first[: count // 2]]
    load(price_list, "all new, CSV", as_csv(first))
    floor(count)
    load(price_list, "the same again, XLSX", as_xlsx(first))
    load(price_list, "half changed, half ended, CSV", as_csv(dearer), mode="complete")
    zone = imports.operator_zone()
    took(
        "export of all, CSV", lambda: writing.as_csv(stored.versions(price_list), zone, dates=True)
    )
    took(
        "export of all, XLSX",
        lambda: writing.as_xlsx(stored.versions(price_list), zone, dates=True),
    )
    return 0


def rows(count: int) -> list[Row]:
    """Prefixes of all lengths, as a wholesale list has them."""
    random = Random(2026)  # noqa: S311 - the same rows every time
    prefixes: set[str] = set()
    while len(prefixes) < count:
        prefixes.add(str(random.randrange(1, 10 ** random.randint(2, 9))))
    return [
        (
            prefix,
            f"Destination {prefix[:3]}",
            Decimal(random.randrange(1, 30_000)).scaleb(-4),
            random.choice(("1/1", "60/1", "60/60")),
            Decimal("0.05"),
        )
        for prefix in sorted(prefixes)
    ]


def as_csv(found: Sequence[Row]) -> bytes:
    lines = (";".join(map(str, row)).replace(".", ",") for row in (HEADER, *found))
    return "\n".join(lines).encode()


def as_xlsx(found: Sequence[Row]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate((HEADER, *found)):
            sheet.write_row(line, 0, row)
    return file.getvalue()


def load(price_list: PriceList, name: str, content: bytes, mode: str = "additions") -> None:
    """Print how long reading and comparing took, and applying."""
    now = timezone.now()
    order = PriceListImport.objects.create(
        price_list=price_list,
        file_name=name,
        content=content,
        mode=mode,
        effective=now + timedelta(days=1),
        requested_at=now,
    )
    took(f"{name}: read and compared", lambda: imports.work(now))
    order.refresh_from_db()
    counts = " ".join(f"{kind} {count:,}" for kind, count in order.report["counts"].items())
    print(f"    {counts}")
    order.order(now, {"findings", "past"})
    took(f"{name}: applied", lambda: imports.work(now))
    order.refresh_from_db()
    if order.state != "done":
        raise RuntimeError(f"{name} is {order.state}")


def floor(count: int) -> None:
    with connection.cursor() as cursor:
        with cursor.copy("COPY (TABLE billing_rate) TO STDOUT") as copy:
            data = b"".join(bytes(piece) for piece in copy)
        cursor.execute("CREATE TABLE bare AS SELECT * FROM billing_rate WITH NO DATA")

        def write() -> None:
            with cursor.copy("COPY bare FROM STDIN") as copy:
                copy.write(data)

        took(f"floor: COPY of its {count:,} rates", write)
        cursor.execute("DROP TABLE bare")


def took(name: str, work: Callable[[], object]) -> None:
    began = time.monotonic()
    work()
    print(f"{name:48}{time.monotonic() - began:8.2f} s", flush=True)
