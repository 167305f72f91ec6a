"""The real processes together: a record posted to the web process ends as a priced row."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Account
from billing.models import AccountPriceList, Charge, PriceList, Rate
from calls.models import Call, InboxRecord, Pbx, UnpricedCall
from tests.conftest import LONG_AGO
from tests.records import HERE, freeswitch_scenarios

ROOT = Path(settings.BASE_DIR)
# Generous, because a machine may be busy; nothing here measures time.
PATIENCE = 60.0
# Beside the one of the settings; each of several processes that test has its own.
BROKER = 9 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
# When the recorded calls were made; the processes live by the real clock.
RECORDED_SECOND = 1795403337

pytestmark = pytest.mark.django_db(transaction=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition that the processes have to bring about."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the processes did not get there"
        time.sleep(0.1)


def environment() -> dict[str, str]:
    """The processes' own environment: the tests' database, and a broker database of their own."""
    database, redis = connection.settings_dict, urlsplit(settings.REDIS_URL)
    host = f"{database['HOST']}:{database['PORT']}"
    login = f"{database['USER']}:{database['PASSWORD']}"
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql://{login}@{host}/{database['NAME']}",
        "REDIS_URL": redis._replace(path=f"/{BROKER}").geturl(),
        "C_FORCE_ROOT": "1",
    }


class Processes:
    """Web, worker and beat, each in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        python = [sys.executable, "-m"]
        commands = {
            "web": [*python, "gunicorn", "callpanel.wsgi", "-b", f"127.0.0.1:{self.port}"],
            "worker": [*python, "celery", "-A", "callpanel", "worker", "-c", "1"],
            "beat": [*python, "celery", "-A", "callpanel", "beat", "-s", str(self.folder / "beat")],
            "follower": [
                *(
                    sys.executable,
                    "manage.py",
                    "follow_cdr",
                    "--pbx",
                    "asterisk",
                    "--every",
                    "0.05",
                ),
                str(self.folder / "Master.csv"),
            ],
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603 - our own commands
                commands[name],
                cwd=ROOT,
                env=environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def answers(self) -> bool:
        with suppress(OSError):
            return self.ask("/healthz") == 200
        return False

    def ask(self, path: str, body: bytes | None = None) -> int:
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, body, timeout=10) as response:
            status: int = response.status
        return status


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path)
    yield processes
    for name in list(processes.running):
        processes.kill(name)


@pytest.fixture
def secret(freeswitch: Pbx, acme: Account) -> str:
    price_list = PriceList.objects.create(name="Base")
    Rate.objects.create(
        price_list=price_list, prefix="48", name="Poland", per_minute="0.6", valid_from=LONG_AGO
    )
    AccountPriceList.objects.create(account=acme, price_list=price_list, since=LONG_AGO)
    secret = freeswitch.renew_secret()
    freeswitch.save()
    return secret


def fresh(body: bytes) -> bytes:
    """The recorded call as if it had been made an hour ago."""
    shift = int(time.time()) - 3600 - RECORDED_SECOND
    return re.sub(rb"17954\d{5}", lambda found: str(int(found[0]) + shift).encode(), body)


def prices() -> list[tuple[str, Decimal | None]]:
    return list(Call.objects.values_list("charging", "cost"))


BODIES = [fresh(body) for body in freeswitch_scenarios()[0].bodies]
PRICED = [("charged", Decimal("0.05"))]


def test_a_posted_record_is_a_priced_call_soon_after(processes: Processes, secret: str) -> None:
    for name in ("web", "worker"):
        processes.start(name)
    until(processes.answers)

    answers = [processes.ask(f"/in/freeswitch/{secret}/", body) for body in BODIES]

    assert answers == [200, 200]
    until(lambda: prices() == PRICED)


def test_what_was_acknowledged_while_no_worker_ran_is_found_by_the_sweep(
    processes: Processes, secret: str
) -> None:
    processes.start("web")
    until(processes.answers)
    answers = [processes.ask(f"/in/freeswitch/{secret}/", body) for body in BODIES]
    processes.kill("web")
    assert (answers, prices()) == ([200, 200], [])

    processes.start("worker")
    processes.start("beat")

    until(lambda: prices() == PRICED)


ROUNDS = 5


def shifted(line: bytes, number: int) -> bytes:
    """A recorded outgoing call as one of today's, an hour ago, with ids of its own."""
    now = int(time.time()) - 3600 + number
    times = [
        time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + seconds)).encode()
        for seconds in (0, 2, 7)
    ]
    recorded = (b"2026-11-23 03:07:44", b"2026-11-23 03:07:46", b"2026-11-23 03:07:51")
    for old, new in zip(recorded, times, strict=True):
        line = line.replace(old, new)
    return line.replace(b"1795403264.3", f"{now}.{number}".encode())


def test_a_follower_killed_again_and_again_takes_every_line_once(
    processes: Processes, asterisk: Pbx
) -> None:
    recorded = (HERE / "asterisk/master.csv").read_bytes().splitlines()[0]
    master = processes.folder / "Master.csv"
    master.touch()
    written = []
    for number in range(ROUNDS):
        processes.start("follower")
        for piece in range(20):
            written.append(shifted(recorded, number * 20 + piece))
            with master.open("ab") as file:
                file.write(written[-1] + b"\n")
            time.sleep(0.01)
        until(lambda: InboxRecord.objects.exists())
        processes.kill("follower")
    processes.start("follower")

    until(lambda: InboxRecord.objects.count() >= len(written))

    stored = InboxRecord.objects.order_by("id").values_list("body", flat=True)
    assert [bytes(body) for body in stored] == written


def test_a_worker_killed_while_it_folds_loses_and_doubles_nothing(
    processes: Processes, secret: str
) -> None:
    scenarios = [each for each in freeswitch_scenarios() if each.name.startswith("out_")]
    bodies = [again(body, copy) for copy in range(20) for each in scenarios for body in each.bodies]
    for name in ("web", "beat"):
        processes.start(name)
    until(processes.answers)

    for part in range(ROUNDS):
        processes.start("worker")
        answers = [
            processes.ask(f"/in/freeswitch/{secret}/", body) for body in bodies[part::ROUNDS]
        ]
        assert set(answers) == {200}
        processes.kill("worker")
    processes.start("worker")

    def settled() -> bool:
        waiting = InboxRecord.objects.filter(state="pending").exists()
        return not waiting and not UnpricedCall.objects.filter(no_rate=False).exists()

    until(settled)
    assert InboxRecord.objects.count() == len(bodies)
    assert Call.objects.filter(provisional=False).count() == 20 * len(scenarios)
    answered = Call.objects.filter(outcome="answered").exclude(paid=[])
    assert Charge.objects.count() == answered.count() > 0


def again(body: bytes, copy: int) -> bytes:
    """The record of another call: the same story with uuids of its own."""
    return re.sub(
        rb"[0-9a-f]{8}(?=(-[0-9a-f]{4}){3}-[0-9a-f]{12})",
        lambda found: f"{int(found[0], 16) ^ copy:08x}".encode(),
        fresh(body),
    )
