"""A purge that is killed with -9 at random places, again and again: it ends the same, and its receipts add up."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Account
from billing.models import Charge
from calls import partitions
from calls.models import (
    Call,
    CallGroup,
    InboxRecord,
    LegLink,
    LegRecord,
    MovedCall,
    Pbx,
    Receipt,
    UnpricedCall,
)
from calls.retention import purge
from tests.calls.nights import CALL, CHARGE, fill, fill_legs
from tests.live.test_processes import environment

pytestmark = pytest.mark.django_db(transaction=True)
KILLS = 10
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CUTOFF = datetime(2025, 11, 22, 23, 0, tzinfo=UTC)
TABLES: tuple[Any, ...] = (
    *(Call, Charge, MovedCall, UnpricedCall, CallGroup, LegRecord, LegLink, InboxRecord),
)
# The purge by itself, in batches so small and slow that it can be killed between any two of its statements.
PROGRAM = f"""
import django
django.setup()
from datetime import datetime
from calls.retention import deleting, legs, purge
deleting.BATCH, legs.BATCH, purge.REST = 20, 20, 0.2
now = datetime.fromisoformat({NOW.isoformat()!r})
print("begins", flush=True)
purge.run(now, database=now)
print("done", flush=True)
"""


def fill_all(accounts: list[Account], pbx: Pbx) -> None:
    """A year and four months of calls each, a third of which have to go, whole months among them."""
    for number, account in enumerate(accounts):
        began = [CUTOFF + timedelta(hours=6 * n) for n in range(-500, 400)]
        months = {partitions.month_of(each) for each in began}
        for model in (Call, Charge):
            partitions.ensure(model._meta.db_table, months)
        calls = [(account.pk, each, number * 10_000 + n) for n, each in enumerate(began)]
        key = ["account_id", "started_at", "id"]
        fill(Call, calls, key, pbx_id=pbx.pk, **CALL)
        key = ["account_id", "answered_at", "id", "call_started_at", "call_id"]
        fill(Charge, [(a, at, pk, at, pk) for a, at, pk in calls], key, **CHARGE)
        key = ["account_id", "started_at", "call_id"]
        fill(UnpricedCall, calls, key, no_rate=False)
        fill(MovedCall, calls, key)
        fill_legs(pbx, calls[::3])
    # Touched today, as if all of it had just been imported.
    CallGroup.objects.update(touched_at=NOW)
    InboxRecord.objects.update(received_at=NOW)


def left() -> dict[str, Any]:
    rows = {model.__name__: model._base_manager.count() for model in TABLES}
    return {**rows, "months": list(partitions.existing("calls_call")), "tables": tables()}


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '_20[0-9]{2}_[0-9]{2}$' ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def booked() -> Counter[str]:
    counts: Counter[str] = Counter()
    for receipt in Receipt.objects.all():
        counts.update(receipt.counts)
    return counts


def empty() -> None:
    for model in (*TABLES, Receipt):
        model._base_manager.all().delete()


def purge_killed_after(seconds: float) -> bool:
    """Whether the purge came to its end before it was killed."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM],
        cwd=settings.BASE_DIR,
        env={**environment(), "DJANGO_SETTINGS_MODULE": "callpanel.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return process.stdout.read() == "done\n"


def test_killed_at_random_places_it_ends_the_same_and_the_receipts_add_up(
    acme: Account, beta: Account, freeswitch: Pbx
) -> None:
    Account.objects.filter(pk=beta.pk).update(time_zone="America/New_York")
    fill_all([acme, beta], freeswitch)
    purge.run(NOW, database=NOW)
    undisturbed, counts = left(), booked()
    empty()
    fill_all([acme, beta], freeswitch)

    chance = random.Random(7)
    # The first ones while months are dropped, the others among the rows.
    moments = [chance.uniform(0, 0.06) for _ in range(3)]
    moments += [chance.uniform(0, 0.4) for _ in range(KILLS - 3)]
    ended = [purge_killed_after(seconds) for seconds in moments]
    while not booked():  # A slow machine.
        ended.append(purge_killed_after(2))
    purge.run(NOW, database=NOW)

    assert ended.count(False) >= KILLS / 2
    assert (left(), booked()) == (undisturbed, counts)
    assert Receipt.objects.exclude(left={}).count() == 0
