"""A month's purge and one night's, beside bare DROP and DELETE, and who has to wait meanwhile.

A year and a month of calls of many firms, every third with a charge. While the purge runs in a process of its own,
lists are read and records are taken in and folded; both were measured before, without it.

    ./run bench purge [CALLS]
"""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Account, Membership, Role, User
from benchmarks.support import feeds
from benchmarks.support.stack import Stack
from billing.models import Charge
from calls import partitions
from calls.erasure import erasing
from calls.ingest import inbox, pipeline
from calls.models import Call, Pbx, Receipt
from calls.periods import Period
from calls.retention.cutoffs import cutoff_on, night_of
from tests.records import HERE
from tests.records.copies import freeswitch_copy

CALLS = 10_000_000
FIRMS = 20
DAYS = 396
DAY = timedelta(days=1)
ZONE = ZoneInfo("Europe/Warsaw")
CALM_SECONDS = 20
# Between two requests of one reader or writer, so that the machine has something left.
PAUSE = 0.02
LEG = (
    '[{"key": "6f3c", "span": [1795403337749429, 1795403345789420], "links": ["6f3c", "df1e"], "uuid": "6f3c",'
    ' "number": "48501234567", "caller": "48221000101", "profile": "external", "start": 1795403337749429,'
    ' "answer": 1795403340749422, "end": 1795403345789420, "billed_ms": 5040, "gateway": "operator"}]'
)
PROGRAM = """
import django, sys, time
django.setup()
from datetime import datetime
from calls.retention import purge
now = datetime.fromisoformat(sys.argv[1])
began = time.monotonic()
purge.run(now, database=now)
print(time.monotonic() - began)
"""


def main(running: Stack, arguments: Sequence[str]) -> int:
    calls = int(arguments[0]) if arguments else CALLS
    plant = feeds.plant()
    firms = _firms()
    now = timezone.now()
    began = time.monotonic()
    _fill(calls, firms, plant.freeswitch, now)
    print(f"{calls:,} calls of {FIRMS} firms in {DAYS} days, made in {time.monotonic() - began:.0f} s",
          flush=True)  # fmt: skip
    began = time.monotonic()
    erasing.preview(firms[0], "+48500000123")
    print(
        f"looking for a number in {calls // FIRMS:,} calls: {time.monotonic() - began:.1f} s",
        flush=True,
    )
    load = Load(firms[0], plant)
    with load.running():
        time.sleep(2)
        calm = load.during(lambda: time.sleep(CALM_SECONDS))
        print(f"{'without a purge':28}{calm}", flush=True)
        for name, night in (("a month's purge", now), ("one night's purge", now + DAY)):
            _floor(name, night)
            seconds, waits = load.timed(lambda night=night: _purge(running, night))  # type: ignore[misc]
            rows = Receipt.objects.filter(finished_at=night).aggregate(rows=Sum("deleted"))["rows"]
            print(f"{name:28}{waits}\n{'':28}{rows:,} rows in {seconds:.1f} s", flush=True)
    return 0


@dataclass
class Times:
    """Milliseconds that each kind of request took."""

    lists: list[float] = field(default_factory=list)
    received: list[float] = field(default_factory=list)
    folded: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        told = (("list", self.lists), ("receive", self.received), ("fold", self.folded))
        return "   ".join(f"{name} {_quantiles(values)}" for name, values in told)


def _quantiles(values: list[float]) -> str:
    ordered = sorted(values)
    p99 = ordered[int(len(ordered) * 0.99)]
    return f"p50 {statistics.median(ordered):.0f} p99 {p99:.0f} worst {ordered[-1]:.0f} ms"


class Load:
    """Two who read lists, and a PBX that sends its records."""

    def __init__(self, firm: Account, plant: feeds.Plant) -> None:
        user = User.objects.create_user("reader@example.com", "pass")
        self.reader = Membership.objects.create(account=firm, user=user, role=Role.OWNER)
        self.pbx = plant.freeswitch
        self.bodies = _bodies()
        self.times = Times()
        self.over = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        jobs = (self._read, self._read, self._send)
        threads = [threading.Thread(target=self._again, args=[job]) for job in jobs]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()

    def during(self, work: Callable[[], object]) -> Times:
        """How long requests took while something was done."""
        self.times = Times()
        work()
        return self.times

    def timed(self, work: Callable[[], float]) -> tuple[float, Times]:
        self.times = Times()
        return work(), self.times

    def _again(self, job: Callable[[], None]) -> None:
        while not self.over.is_set():
            job()
            time.sleep(PAUSE)
        connection.close()

    def _read(self) -> None:
        now = timezone.now()
        calls = Call.objects.visible_to(self.reader).between(Period(now - 30 * DAY, now))
        began = time.monotonic()
        list(calls.for_list()[:51])
        self.times.lists.append((time.monotonic() - began) * 1000)

    def _send(self) -> None:
        began = time.monotonic()
        inbox.receive(self.pbx, [next(self.bodies)], now=timezone.now())
        received = time.monotonic()
        pipeline.fold_batch(self.pbx, timezone.now())
        self.times.received.append((received - began) * 1000)
        self.times.folded.append((time.monotonic() - received) * 1000)


def _bodies() -> Iterator[bytes]:
    """Records without end: the recorded ones again and again, each time as other calls."""
    recorded = [path.read_bytes() for path in sorted((HERE / "freeswitch/json").glob("*.json"))]
    for number in count(1):
        began = int(time.time()) - feeds.AGO
        yield from (freeswitch_copy(record, number, began) for record in recorded)


def _firms() -> list[Account]:
    return [
        Account.objects.create(name=f"Firm {number}", slug=f"firm-{number}")
        for number in range(FIRMS)
    ]


def _fill(calls: int, firms: Sequence[Account], pbx: Pbx, now: datetime) -> None:
    """Calls at an even pace, the firms in turn."""
    first = now - DAYS * DAY
    months = {partitions.month_of(first + day * DAY) for day in range(DAYS + 2)}
    for model in (Call, Charge):
        partitions.ensure(model._meta.db_table, months)
    with connection.cursor() as cursor:
        for begin in range(0, calls, 500_000):
            span: dict[str, Any] = {
                "begin": begin,
                "end": min(begin + 500_000, calls) - 1,
                "first": first,
            }
            step = timedelta(days=DAYS) / calls
            rest = {"step": step, "firm": firms[0].pk, "firms": FIRMS, "pbx": pbx.pk, "leg": LEG}
            cursor.execute(FILL_CALLS, span | rest)
            cursor.execute(FILL_CHARGES, span | rest)
        cursor.execute("VACUUM ANALYZE")


FILL_CALLS = """
    INSERT INTO calls_call (account_id, started_at, id, pbx_id, kind, outcome, missed, provisional, estimated,
        direction, extension, extensions, peer, peer_name, hidden, own_number, people, wait_s, talk_s, paid, legs,
        charging)
    SELECT %(firm)s + n %% %(firms)s, %(first)s + n * %(step)s, n, %(pbx)s, 'incoming', 'answered', false, false,
        false, 'mobile', '101', '{101}', '+48' || 500000000 + n %% 99999, '', false, '+48221000101', '{101}', 5, 60,
        '[]', %(leg)s, 'free'
    FROM generate_series(%(begin)s, %(end)s) n
"""
FILL_CHARGES = """
    INSERT INTO billing_charge (account_id, answered_at, id, call_started_at, call_id, number, seconds,
        bundle_seconds, estimated, amount, currency, terms_id, charged_at)
    SELECT %(firm)s + n %% %(firms)s, %(first)s + n * %(step)s, n, %(first)s + n * %(step)s, n, '+48501234567', 60,
        0, false, 0.6, 'PLN', 1, %(first)s
    FROM generate_series(%(begin)s, %(end)s) n WHERE n %% 3 = 0
"""


def _purge(running: Stack, now: datetime) -> float:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, now.isoformat()],
        env={**running.env, "DJANGO_SETTINGS_MODULE": "callpanel.settings"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)


def _floor(name: str, now: datetime) -> None:
    """The same calls in a table of their own: one DELETE, and one DROP."""
    cutoff = cutoff_on(night_of(now, ZONE), 365, ZONE)
    with connection.cursor() as cursor:
        copy = "CREATE TABLE bare AS SELECT * FROM calls_call WHERE started_at < %s"
        seconds = []
        for statement in ("DELETE FROM bare", "DROP TABLE bare"):
            cursor.execute("DROP TABLE IF EXISTS bare")
            cursor.execute(copy, [cutoff])
            rows = cursor.rowcount
            began = time.monotonic()
            cursor.execute(statement)
            seconds.append(time.monotonic() - began)
    print(f"{name + ', floor':28}{rows:,} calls: DELETE {seconds[0]:.2f} s, DROP {seconds[1]:.2f} s",
          flush=True)  # fmt: skip
