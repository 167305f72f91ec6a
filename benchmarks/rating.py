"""How fast calls are charged and rated again, beside what merely writing the same charges takes.

    ./run bench rating [--calls 1000000] [--processes 2]

A price list of 30,000 prefixes with three dated versions each, and a year of calls of forty accounts: an eighth of them
0 s long, a few without a rate. What is printed as the floor is COPY of exactly the charges that charging made, out of
memory into an empty table that is partitioned and indexed alike, by as many processes, in the same run.
"""

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from benchmarks._database import database

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
ACCOUNTS = 40
PREFIXES = 30_000
NUMBERS = 190_000
VERSIONS = [NOW - 2 * YEAR, NOW - timedelta(days=240), NOW - timedelta(days=120)]
INCREMENTS = [(1, 1), (1, 1), (60, 1), (60, 60), (30, 6)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with database():
        measure(options.calls, options.processes)


def measure(calls: int, processes: int) -> None:
    chance = random.Random(7)  # noqa: S311 - the same calls in every run
    accounts = make_accounts(chance)
    print(
        f"{calls:,} calls, {PREFIXES:,} prefixes × {len(VERSIONS)} versions, {processes} processes"
    )
    with timed("calls and their queue stored", calls):
        make_calls(accounts, calls, chance)
    reload_prices()
    fresh_batches(accounts)
    with timed("charged out of the queue, the rest", count("UnpricedCall", no_rate=False)):
        in_processes(processes, charge)
    charges = count("Charge")
    rows = charge_rows()
    vacuum()
    with timed(f"FLOOR: COPY of {charges:,} charges", charges) as floor:
        in_processes(processes, lambda share: copy_rows(rows[share::processes]))
    del rows
    for title, share in (("nothing", 0.0), ("1 price in 10", 0.1), ("every price", 1.0)):
        change_prices(share, chance)
        vacuum()
        counted = rerate(f"re-rated, {title} changed", charges, processes)
        for name, seconds in counted.items():
            print(
                f"    {name}: {charges / seconds:,.0f} calls/s, {floor[0] / seconds:.0%} of the floor"
            )


@contextmanager
def timed(what: str, units: int) -> Iterator[list[float]]:
    """Prints how long it took; yields a list that then holds the seconds."""
    seconds: list[float] = []
    began = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - began)
    print(f"{what}: {seconds[0]:.1f} s, {units / seconds[0]:,.0f}/s", flush=True)


def in_processes(count: int, work: Callable[[int], None]) -> None:
    """Runs ``work`` with 0, 1, … in as many processes at a time, each with a connection of its own."""
    from django.db import connections  # noqa: PLC0415 - needs the settings

    connections.close_all()
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work(number)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    if failed:
        raise SystemExit("a process failed; its traceback is above")


def make_accounts(chance: random.Random) -> list[int]:
    from accounts.models import Account  # noqa: PLC0415
    from billing.models import AccountPriceList, PriceList, Rate  # noqa: PLC0415

    price_list = PriceList.objects.create(name="World")
    Rate.objects.bulk_create(
        (
            Rate(
                price_list=price_list,
                prefix=prefix,
                name=f"Destination {prefix}",
                per_minute=Decimal(chance.randrange(20_000, 3_000_000)) / 1_000_000,
                connection_fee=Decimal(chance.choice((0, 0, 0, 5))) / 100,
                first_increment=increments[0],
                next_increment=increments[1],
                valid_from=since,
                valid_to=until,
            )
            for prefix in prefixes(chance)
            for since, until in zip(VERSIONS, [*VERSIONS[1:], None], strict=True)
            for increments in (chance.choice(INCREMENTS),)
        ),
        batch_size=5000,
    )
    accounts = [Account.objects.create(name=f"Firm {n}", slug=f"firm-{n}") for n in range(ACCOUNTS)]
    for account in accounts:
        AccountPriceList.objects.create(
            account=account, price_list=price_list, since=NOW - 2 * YEAR
        )
    return [account.pk for account in accounts]


def prefixes(chance: random.Random) -> list[str]:
    """Country codes and longer and longer pieces of them, as price lists of the world have."""
    found = {str(code) for code in (1, 7, *range(20, 99), *range(210, 999)) if code != 999}
    beginnings = sorted(found)
    while len(found) < PREFIXES:
        beginning = chance.choice(beginnings)
        found.add(beginning + str(chance.randrange(10 ** chance.randint(1, 9 - len(beginning)))))
    return sorted(found)


def make_calls(accounts: list[int], calls: int, chance: random.Random) -> None:
    from django.db import connection  # noqa: PLC0415
    from psycopg.types.json import Jsonb  # noqa: PLC0415

    from calls import partitions  # noqa: PLC0415
    from calls.ingest.records import micros  # noqa: PLC0415
    from calls.models import Call, Pbx  # noqa: PLC0415

    pbx = Pbx.objects.create(name="bench", source="freeswitch-json")
    numbers = make_numbers(chance)
    starts = sorted(NOW - YEAR * chance.random() for _ in range(calls))
    partitions.ensure(Call._meta.db_table, {partitions.month_of(start) for start in starts})
    columns = (
        "account_id, started_at, id, pbx_id, kind, outcome, missed, provisional, estimated, direction, extension,"
        " extensions, peer, peer_name, hidden, own_number, people, wait_s, talk_s, paid, legs, charging"
    )
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {Call._meta.db_table} ({columns}) FROM STDIN") as copy:
            for pk, start in enumerate(starts):
                number = chance.choice(numbers)
                seconds = 0 if chance.random() < 0.12 else int(chance.expovariate(1 / 150)) + 1
                answered = micros(start) + 5_000_000
                leg = {"key": f"{pk}-leg", "to": number, "answered": answered}
                paid = Jsonb([{**leg, "seconds": seconds, "estimated": False}])
                copy.write_row(
                    (
                        *(chance.choice(accounts), start, pk, pbx.pk, "outgoing", "answered"),
                        *(False, False, False, "international", "101", ["101"], number, "", False),
                        *("+48221234567", [number], 5, seconds, paid, paid, "pending"),
                    )
                )
        cursor.execute(
            "INSERT INTO calls_unpricedcall (account_id, started_at, call_id, no_rate)"
            f" SELECT account_id, started_at, id, false FROM {Call._meta.db_table}"
        )
    vacuum()


def make_numbers(chance: random.Random) -> list[str]:
    beginnings = [prefix for prefix in prefixes(random.Random(7)) if len(prefix) > 2]  # noqa: S311
    return [
        f"+{chance.choice(beginnings):0<3}{chance.randrange(10**6):06}"
        if chance.random() > 0.006
        else f"+999{chance.randrange(10**6):06}"
        for _ in range(NUMBERS)
    ]


def vacuum() -> None:
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def count(name: str, **conditions: Any) -> int:
    from django.apps import apps  # noqa: PLC0415

    model = apps.get_model("billing" if name == "Charge" else "calls", name)
    return model._default_manager.filter(**conditions).count()


def reload_prices() -> None:
    from billing import tariffs  # noqa: PLC0415
    from billing.models import PriceList  # noqa: PLC0415

    price_list = PriceList.objects.get()
    times = []
    for _ in range(5):
        tariffs._tables.clear()
        began = time.perf_counter()
        tariffs._table(price_list)
        times.append(time.perf_counter() - began)
    rates = PREFIXES * len(VERSIONS)
    print(
        f"reload of {rates:,} rates: {statistics.median(times):.3f} s"
        f" (of {PREFIXES:,}: {statistics.median(times) / len(VERSIONS):.3f} s)"
    )


def fresh_batches(accounts: list[int]) -> None:
    """Batches of 1,000 fresh calls, and how long their statements and the commit took."""
    from django.db import connection  # noqa: PLC0415

    from billing.charging import charge_batch  # noqa: PLC0415
    from billing.tariffs import Tariffs  # noqa: PLC0415

    tariffs = Tariffs()
    spent: list[float] = []

    def stopwatch(execute: Any, *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            spent[-1] += time.perf_counter() - began

    commit = connection._commit  # type: ignore[attr-defined]
    whole = []
    connection._commit = lambda: stopwatch(commit)  # type: ignore[attr-defined]
    with connection.execute_wrapper(stopwatch):
        for account in accounts * 2:
            spent.append(0.0)
            began = time.perf_counter()
            charge_batch(account, tariffs, NOW, limit=1000)
            whole.append(time.perf_counter() - began)
    del connection._commit  # type: ignore[attr-defined]
    print(
        f"fresh batch of 1,000: {1000 * statistics.median(spent):.1f} ms in the database"
        f" (of {1000 * statistics.median(whole):.1f} ms in all; best {1000 * min(spent):.1f} ms)"
    )


def charge(share: int) -> None:
    """Every second, third … account of the queue."""
    from billing import charging  # noqa: PLC0415
    from billing.tariffs import Tariffs  # noqa: PLC0415
    from calls.models import UnpricedCall  # noqa: PLC0415

    tariffs = Tariffs()
    waiting = UnpricedCall.objects.filter(no_rate=False).order_by("account_id")
    accounts = list(waiting.values_list("account_id", flat=True).distinct())
    for account in accounts[share::2]:
        charging._charge_account(account, tariffs, NOW)


def charge_rows() -> list[bytes]:
    """Blocks of the charges as COPY gives them."""
    from django.db import connection  # noqa: PLC0415

    query = "COPY (SELECT * FROM billing_charge ORDER BY account_id, answered_at) TO STDOUT (FORMAT BINARY)"
    raise NotImplementedError(query, connection)


def copy_rows(blocks: list[bytes]) -> None:
    raise NotImplementedError(blocks)


def change_prices(share: float, chance: random.Random) -> None:
    raise NotImplementedError(share, chance)


def rerate(title: str, charges: int, processes: int) -> dict[str, float]:
    raise NotImplementedError(title, charges, processes)


if __name__ == "__main__":
    main()
