"""A price list of the world, and calls to all of it that wait to be charged. Made up, but the same in every run."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import connection, transaction

from accounts.models import Account
from billing.models import AccountPriceList, PriceList, Rate
from calls import bulk, partitions
from calls.ingest.records import micros
from calls.ingest.store import COLUMNS
from calls.models import Call, Pbx, UnpricedCall

YEAR = timedelta(days=365)
ACCOUNTS = 40
PREFIXES = 30_000
NUMBERS = 190_000
# How long ago the versions of each price began.
VERSIONS = (2 * YEAR, timedelta(days=240), timedelta(days=120))
INCREMENTS = ((1, 1), (1, 1), (60, 1), (60, 60), (30, 6))
COUNTRIES = [str(code) for code in (1, 7, *range(20, 99), *range(210, 999))]
BATCH = 5000

_ids = count(1)
_numbers: list[str] = []


def plant(chance: random.Random, now: datetime) -> list[int]:
    """The price list and the accounts that pay by it; returns their ids."""
    Pbx.objects.create(name="bench", source="freeswitch-json")
    price_list = PriceList.objects.create(name="World")
    prefixes = _prefixes(chance)
    rates = (rate for prefix in prefixes for rate in _versions(price_list, prefix, chance, now))
    Rate.objects.bulk_create(rates, batch_size=BATCH)
    _numbers[:] = [_number(prefixes, chance) for _ in range(NUMBERS)]
    accounts = [Account.objects.create(name=f"Firm {n}", slug=f"firm-{n}") for n in range(ACCOUNTS)]
    since = now - 2 * YEAR
    for account in accounts:
        AccountPriceList.objects.create(account=account, price_list=price_list, since=since)
    return [account.pk for account in accounts]


def _prefixes(chance: random.Random) -> list[str]:
    """Country codes, and longer and longer pieces of them."""
    found = set(COUNTRIES)
    while len(found) < PREFIXES:
        country = chance.choice(COUNTRIES)
        length = chance.randint(1, 8 - len(country))
        found.add(country + "".join(chance.choices("0123456789", k=length)))
    return sorted(found)


def _versions(
    price_list: PriceList, prefix: str, chance: random.Random, now: datetime
) -> Iterator[Rate]:
    starts = [now - ago for ago in VERSIONS]
    first, following = chance.choice(INCREMENTS)
    for since, until in zip(starts, [*starts[1:], None], strict=True):
        yield Rate(
            price_list=price_list,
            prefix=prefix,
            name=f"Destination {prefix}",
            per_minute=Decimal(chance.randrange(20_000, 3_000_000)) / 1_000_000,
            connection_fee=Decimal(chance.choice((0, 0, 0, 5))) / 100,
            first_increment=first,
            next_increment=following,
            valid_from=since,
            valid_to=until,
        )


def _number(prefixes: Sequence[str], chance: random.Random) -> str:
    """Somewhere in the world; to 6 in 1,000 there is no rate."""
    prefix = "999" if chance.random() < 0.006 else chance.choice(prefixes)
    return f"+{prefix}{''.join(chance.choices('0123456789', k=11 - len(prefix)))}"


def calls(
    accounts: Sequence[int],
    number: int,
    chance: random.Random,
    end: datetime,
    *,
    span: timedelta = YEAR,
) -> None:
    """Store so many calls of the time before ``end``, with their entries in the queue."""
    pbx = Pbx.objects.get()
    starts = sorted(end - span * chance.random() for _ in range(number))
    partitions.ensure(Call._meta.db_table, {partitions.month_of(start) for start in starts})
    rows = (_row(chance.choice(accounts), pbx.pk, start, chance) for start in starts)
    with transaction.atomic(), bulk.staged(Call, COLUMNS, rows) as cursor:
        columns = ", ".join(COLUMNS)
        cursor.execute(f"INSERT INTO {Call._meta.db_table} ({columns}) SELECT {columns} FROM fresh")  # noqa: S608
        cursor.execute(
            f"INSERT INTO {UnpricedCall._meta.db_table} (account_id, started_at, call_id, no_rate)"  # noqa: S608
            " SELECT account_id, started_at, id, false FROM fresh"
        )
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {UnpricedCall._meta.db_table}")


def _row(account: int, pbx: int, start: datetime, chance: random.Random) -> tuple[Any, ...]:
    pk, number = next(_ids), chance.choice(_numbers)
    seconds = 0 if chance.random() < 0.12 else int(chance.expovariate(1 / 150)) + 1
    answered = micros(start) + 5_000_000
    leg = {"key": f"leg-{pk}", "to": number, "answered": answered, "seconds": seconds}
    paid = json.dumps([leg | {"estimated": False}])
    values: dict[str, Any] = {
        "account_id": account,
        "started_at": start,
        "id": pk,
        "pbx_id": pbx,
        "kind": "outgoing",
        "outcome": "answered",
        "direction": "international",
        "extension": "101",
        "extensions": '{"101"}',
        "peer": number,
        "own_number": "+48221234567",
        "people": f'{{"{number}"}}',
        "wait_s": 5,
        "talk_s": seconds,
        "paid": paid,
        # About as much as the legs of a real call.
        "legs": json.dumps([{"key": f"leg-{pk}", "facts": "x" * 300}]),
        "charging": "pending",
    }
    plain: dict[str, Any] = {"missed": False, "provisional": False, "estimated": False}
    return tuple((values | plain).get(name, "" if name != "hidden" else False) for name in COLUMNS)


def change_prices(share: float, chance: random.Random) -> None:
    """Make the price of this share of the rates another."""
    pks = list(Rate.objects.order_by("pk").values_list("pk", flat=True))
    chosen = chance.sample(pks, int(share * len(pks)))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Rate._meta.db_table} SET per_minute = per_minute + 0.01 WHERE id = ANY(%s)",  # noqa: S608
            [chosen],
        )
    PriceList.touch([PriceList.objects.get().pk])
