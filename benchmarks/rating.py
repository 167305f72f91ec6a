"""How fast calls are charged and rated again, beside what merely writing the same charges takes.

A price list of 30,000 prefixes with three dated versions each, and a year of calls of forty accounts: an eighth of them
0 s long, a few without a rate. The floor, measured in the same run: COPY of exactly the charges that charging made, out
of memory, into an empty table that is partitioned and indexed alike, by as many processes.

    ./run bench rating [CALLS [PROCESSES]]
"""

import os
import random
import statistics
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, connections, transaction
from psycopg import sql

from accounts.models import Account
from benchmarks.support import rated_calls as made
from benchmarks.support.stack import Stack
from billing import rerating, tariffs
from billing.charging import charge_all_of, charge_batch
from billing.models import Charge, ChargeChange, PriceList, Rate
from billing.tariffs import Tariffs
from callpanel.celery import freeze_what_is_loaded
from calls import partitions
from calls.models import UnpricedCall

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CALLS, PROCESSES = 1_000_000, 2
FRESH_BATCHES = 20


def main(running: Stack, arguments: Sequence[str]) -> int:
    calls = int(arguments[0]) if arguments else CALLS
    processes = int(arguments[1]) if arguments[1:] else PROCESSES
    chance = random.Random(7)  # noqa: S311 - the same calls in every run
    accounts = made.plant(chance, NOW)
    rates = Rate.objects.count()
    print(
        f"{calls:,} calls, {rates:,} rates, {processes} processes, {os.getloadavg()[0]:.1f} waiting for a processor"
    )
    made.calls(accounts, calls, chance, NOW)
    reload_prices(rates)
    waiting = UnpricedCall.objects.count()
    show("charged out of the queue", waiting, lambda: in_processes(processes, charge))
    fresh_batches(accounts, chance)
    floor = measure_floor(processes)
    for title, share in (("no price", 0.0), ("1 price in 10", 0.1), ("every price", 1.0)):
        measure_rerating(f"re-rated, {title} changed", share, processes, floor, chance)
    return 0


@dataclass(frozen=True)
class Pace:
    """Calls a second, and calls a second of a processor: what others do on the machine changes only the first much."""

    wall: float
    processor: float

    def share_of(self, floor: "Pace") -> str:
        shares = self.wall / floor.wall, self.processor / floor.processor
        return f"{shares[0]:.0%} of the floor, by processor time {shares[1]:.0%}"


def show(name: str, units: int, work: Callable[[], float]) -> Pace:
    """``work`` returns the processor time that it took."""
    began = time.monotonic()
    busy = work()
    pace = Pace(units / (time.monotonic() - began), units / busy)
    print(
        f"{name:42}{pace.wall:9,.0f} calls/s {pace.processor:9,.0f} a processor second", flush=True
    )
    return pace


def in_processes(count: int, work: Callable[[int, int], None]) -> float:
    """Runs ``work(number, count)`` in so many processes at a time, each with a connection of its own.

    Returns the seconds for which they and their database processes kept a processor busy.
    """
    connections.close_all()
    children = []
    reading, writing = os.pipe()
    for number in range(count):
        if (child := os.fork()) == 0:
            run_and_leave(work, number, count, writing)
        children.append(child)
    os.close(writing)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    if any(statuses):
        raise SystemExit("a process failed")
    with os.fdopen(reading) as results:
        return sum(map(float, results))


def run_and_leave(work: Callable[[int, int], None], number: int, count: int, result: int) -> None:
    freeze_what_is_loaded()
    try:
        work(number, count)
        os.write(result, f"{time.process_time() + backend_seconds()}\n".encode())
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def reload_prices(rates: int) -> None:
    """How long it takes to read the whole list, with all its versions, when one price in it has changed."""
    seconds = []
    for _ in range(5):
        tariffs._tables.clear()
        began = time.monotonic()
        tariffs._table(PriceList.objects.get())
        seconds.append(time.monotonic() - began)
    print(
        f"price list of {rates:,} rates read again in {statistics.median(seconds):.3f} s",
        flush=True,
    )


def charge(number: int, count: int) -> None:
    plans = Tariffs()
    for account in Account.objects.order_by("pk")[number::count]:
        charge_all_of(account.pk, plans, NOW)


def fresh_batches(accounts: Sequence[int], chance: random.Random) -> None:
    """Batches of 1,000 calls that were stored a moment ago: time and processor time in the database."""
    plans = Tariffs()
    clock = DatabaseClock()
    for account in accounts[:FRESH_BATCHES]:
        made.calls([account], 1000, chance, NOW + timedelta(hours=1), span=timedelta(hours=1))
        with clock.running():
            charge_batch(account, plans, NOW)
    print(f"batch of 1,000 fresh calls: {clock}", flush=True)


class DatabaseClock:
    """Time that a transaction spends in the database, commit included, and the database process's own."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self.worked: list[float] = []

    def running(self) -> "DatabaseClock":
        return self

    def __enter__(self) -> None:
        self.cpu = backend_seconds()
        self.waited.append(0.0)
        self.wrapper = connection.execute_wrapper(self.timed)
        self.wrapper.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.wrapper.__exit__(*error)
        self.worked.append(backend_seconds() - self.cpu)

    def timed(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        began = time.monotonic()
        try:
            return execute(*arguments)
        finally:
            self.waited[-1] += time.monotonic() - began

    def __str__(self) -> str:
        waited, worked = (1000 * statistics.median(each) for each in (self.waited, self.worked))
        return f"{waited:.1f} ms waited for statements, {worked:.1f} ms of the database's processor"


def backend_seconds() -> float:
    """Processor time of this connection's process, COPY and commit included. Linux only."""
    pid = connection.connection.info.backend_pid
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def measure_floor(processes: int) -> Pace:
    """COPY of the charges that there are, by as many processes, into a table like theirs."""
    tidy_up()
    blocks = [charges_as_copied(month) for month in partitions.existing(Charge._meta.db_table)]
    make_floor_table()
    charges = Charge.objects.count()
    pace = show(
        "FLOOR: COPY of the same charges",
        charges,
        lambda: in_processes(processes, lambda number, count: copy(blocks[number::count])),
    )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE floor")
    return pace


def charges_as_copied(month: Any) -> list[bytes]:
    query = sql.SQL("COPY {} TO STDOUT").format(
        sql.Identifier(f"{Charge._meta.db_table}_{month:%Y_%m}")
    )
    with connection.cursor() as cursor, cursor.copy(query) as copied:
        return [bytes(block) for block in copied]


def make_floor_table() -> None:
    with connection.cursor() as cursor:
        like = sql.Identifier(Charge._meta.db_table)
        cursor.execute(
            sql.SQL(
                "CREATE TABLE floor (LIKE {} INCLUDING INDEXES) PARTITION BY RANGE (answered_at)"
            ).format(like)
        )
    partitions.ensure("floor", partitions.existing(Charge._meta.db_table))


def copy(blocks: Sequence[list[bytes]]) -> None:
    """Ten thousand rows a transaction, as re-rating writes them."""
    for rows in blocks:
        lines = b"".join(rows).splitlines(keepends=True)
        for first in range(0, len(lines), rerating.CHUNK):
            copy_block(b"".join(lines[first : first + rerating.CHUNK]))


@transaction.atomic
def copy_block(rows: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY floor FROM STDIN") as copied:
        copied.write(rows)


def measure_rerating(
    title: str, share: float, processes: int, floor: Pace, chance: random.Random
) -> None:
    """What the whole year takes, first to count and then to do; the prices of this share of the list are others."""
    made.change_prices(share, chance)
    tidy_up()
    changes = ChargeChange.objects.count()
    order = rerating.request(start=NOW - made.YEAR, end=NOW, reason="benchmark", by=None, now=NOW)
    for step in ("counted", "done"):
        pace = show(
            f"{title}, {step}", Charge.objects.count(), lambda: in_processes(processes, work)
        )
        rerating.work(NOW)
        print(f"{'':42}{pace.share_of(floor)}", flush=True)
        order.refresh_from_db()
        if step == "counted":
            rerating.start(order)
    print(f"    {order.totals()}; {ChargeChange.objects.count() - changes:,} changes kept")


def work(number: int, count: int) -> None:
    while rerating.work(NOW, seconds=3600):
        pass


def tidy_up() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
