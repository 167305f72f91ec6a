"""Two recorded PBXes with prices, as many records of them as wanted, and what became of the records."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone
from psycopg import sql

from accounts.models import Account
from billing.charging import charge_pending
from billing.models import AccountPriceList, Charge, PriceList, Rate
from callpanel.launcher.processes import PROJECT
from calls.ingest import inbox, pipeline
from calls.models import (
    Call,
    CallGroup,
    InboxRecord,
    LegLink,
    LegRecord,
    MovedCall,
    Pbx,
    TenantCode,
    UnpricedCall,
)
from tests.records import HERE
from tests.records.copies import asterisk_copy, freeswitch_copy

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# Between two copies of the recordings: as if a small office rang all day.
PACE = 60
# So far back lies the end of the copies that are not to look as if they were happening right now.
AGO = 3600
RATES = {"48": "0.6", "485": "0.9", "4870": "2.46", "49": "1.2", "": "3"}


@dataclass(frozen=True)
class Plant:
    """Two firms on one Asterisk, one of them on a FreeSWITCH too."""

    freeswitch: Pbx
    asterisk: Pbx
    freeswitch_path: str
    asterisk_path: str


@dataclass(frozen=True)
class Rows:
    """All calls and charges as plain values, without the time at which they were charged."""

    calls: list[dict[str, Any]]
    charges: list[dict[str, Any]]


def plant() -> Plant:
    """Make the firms, their PBXes and prices in an empty database."""
    acme = Account.objects.create(name="Acme sp. z o.o.", slug="acme")
    beta = Account.objects.create(name="Beta s.c.", slug="beta")
    freeswitch = Pbx(name="freeswitch", source="freeswitch-json")
    asterisk = Pbx(name="asterisk", source="asterisk-csv", trunks="carrier*")
    paths = []
    for pbx in (freeswitch, asterisk):
        paths.append(f"/in/{pbx.name}/{pbx.renew_secret()}/")
        pbx.save()
    codes = (
        (freeswitch, "firma.example", acme),
        (asterisk, "acme", acme),
        (asterisk, "beta", beta),
    )
    for pbx, code, account in codes:
        TenantCode.objects.create(pbx=pbx, code=code, account=account)
    prices = PriceList.objects.create(name="Base")
    for prefix, price in RATES.items():
        Rate.objects.create(
            price_list=prices, prefix=prefix, name=prefix, per_minute=price, valid_from=LONG_AGO
        )
    for account in (acme, beta):
        AccountPriceList.objects.create(account=account, price_list=prices, since=LONG_AGO)
    return Plant(freeswitch, asterisk, *paths)


def freeswitch_bodies(count: int) -> list[bytes]:
    """So many records of FreeSWITCH, of whole copies of the recording, and of a part of one more."""
    recorded = sorted((HERE / "freeswitch/json").glob("*.json"))
    return list(_copies([path.read_bytes() for path in recorded], freeswitch_copy, count))


def asterisk_lines(count: int) -> list[bytes]:
    recorded = (HERE / "asterisk/master.csv").read_bytes().splitlines()
    return list(_copies(recorded, asterisk_copy, count))


def _copies(
    recorded: Sequence[bytes], copy: Callable[[bytes, int, int], bytes], count: int
) -> Iterator[bytes]:
    copies = -(-count // len(recorded))
    first = int(time.time()) - AGO - copies * PACE
    for place in range(count):
        number, record = divmod(place, len(recorded))
        yield copy(recorded[record], number + 1, first + number * PACE)


def follower(plant: Plant, master: Path) -> list[str | Path]:
    """The command that follows a growing Master.csv."""
    command = [
        sys.executable,
        str(PROJECT / "manage.py"),
        "follow_cdr",
        "--pbx",
        plant.asterisk.name,
    ]
    return [*command, "--every", "0.1", master]


def states() -> dict[str, int]:
    """How many received records there are of each state."""
    counted = InboxRecord.objects.order_by().values_list("state").annotate(count=Count("id"))
    return dict(counted)


def settled(records: int) -> bool:
    """Whether so many records were received and worked off, and all their calls priced."""
    counts = states()
    unpriced = UnpricedCall.objects.filter(no_rate=False).exists()
    return sum(counts.values()) >= records and not counts.get("pending") and not unpriced


def settle() -> None:
    """Make final what waits for records that will not come."""
    later = timezone.now() + 2 * pipeline.SETTLE
    while pipeline.settle(later):
        pass
    charge_pending(later)


def empty() -> None:
    """Take away all that came of records; firms, prices and PBXes stay."""
    models = (Call, Charge, CallGroup, InboxRecord, LegLink, LegRecord, MovedCall, UnpricedCall)
    tables = sql.SQL(", ").join(sql.Identifier(model._meta.db_table) for model in models)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("TRUNCATE {}").format(tables))


def deliver_undisturbed(plant: Plant, bodies: Sequence[bytes], lines: Sequence[bytes]) -> None:
    """The same records once more, in an empty database, in order and without anything in between."""
    empty()
    now = timezone.now()
    inbox.receive(plant.freeswitch, bodies, now=now)
    inbox.receive(plant.asterisk, lines, now=now)
    while pipeline.fold_inbox():
        pass
    settle()


def rows() -> Rows:
    calls = Call.objects.order_by("account", "started_at", "id").values()
    charges = Charge.objects.order_by("account", "answered_at", "id").values()
    return Rows(
        [dict(call) for call in calls],
        [{name: charge[name] for name in charge if name != "charged_at"} for charge in charges],  # type: ignore[literal-required]
    )
