"""The real processes together: a record posted to the web process ends as a priced row."""

import os
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
from billing.models import AccountPriceList, PriceList, Rate
from calls.models import Call, Pbx
from tests.conftest import LONG_AGO
from tests.records import freeswitch_scenarios

ROOT = Path(settings.BASE_DIR)
# Generous, because a machine may be busy; nothing here measures time.
PATIENCE = 60.0

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
        "REDIS_URL": redis._replace(path="/9").geturl(),
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
    """The recorded call as if it had been made just now."""
    recorded = 1795403337
    shift = int(time.time()) - 60 - recorded
    text = body.decode()
    for second in range(recorded - 1, recorded + 20):
        text = text.replace(str(second), f"{second + shift}")
    return text.encode()


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
