"""A backup is restored for real, and one command forgets again what was forgotten since it was made."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from callpanel.launcher.binaries import postgres_program
from callpanel.launcher.processes import LaunchError
from calls.erasure import erasing
from calls.models import Call
from calls.retention import purge, restoring
from tests.builders import make_call
from tests.live.test_processes import environment

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
CALLER = "+48601222333"
RESTORED = "restored_callpanel"


def program(name: str) -> Path:
    """A client of PostgreSQL, out of the same package as the server, or the system's."""
    try:
        return postgres_program(name)
    except LaunchError:
        found = shutil.which(name)
        return Path(found) if found else pytest.skip(f"no {name} here")


def run(command: list[str | Path], env: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own programs
        command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def url(database: str) -> str:
    return environment()["DATABASE_URL"].rpartition("/")[0] + f"/{database}"


@pytest.fixture
def second_database() -> Iterator[str]:
    """An empty database beside the tests' own."""
    name = connection.settings_dict["NAME"]
    with psycopg.connect(url(name), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {RESTORED} (FORCE)")
        admin.execute(f"CREATE DATABASE {RESTORED} TEMPLATE template0")
        yield url(RESTORED)
        admin.execute(f"DROP DATABASE {RESTORED} (FORCE)")


def rows(database: str, question: str) -> list[Any]:
    with psycopg.connect(database) as client:
        return client.execute(question).fetchall()


LEFT = "SELECT count(*) FROM calls_receipt WHERE \"left\" <> '{}'"
CALLS = "SELECT account_id, started_at, id, peer, cost FROM calls_call ORDER BY 1, 2, 3"


def yesterdays_data(account: Account, now: datetime) -> None:
    """A call that the last night deleted, one with a number that was erased since, and others."""
    make_call(account, at=now - 366 * DAY - timedelta(hours=12))
    make_call(account, at=now - 5 * DAY, peer=CALLER, peer_name="Jan")
    make_call(account, at=now - 364 * DAY)
    make_call(account, at=now - DAY)


def test_what_was_forgotten_since_the_backup_is_forgotten_after_the_restore(
    acme: Account, second_database: str, tmp_path: Path
) -> None:
    now = timezone.now()
    yesterdays_data(acme, now)
    purge.run(now - 40 * DAY, database=now - 40 * DAY)
    own, dump = url(connection.settings_dict["NAME"]), tmp_path / "callpanel.dump"
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}

    run([program("pg_dump"), "--format=custom", f"--file={dump}", own], clean)
    purge.run(now - 12 * DAY, database=now - 12 * DAY)
    purge.run(now, database=now)
    erasing.request(acme, CALLER, by="olga@operator.example", now=now)
    erasing.work_off(now)
    forgotten = rows(own, CALLS)
    erasures = tmp_path / "erasures.jsonl"
    erasures.write_text("".join(f"{line}\n" for line in restoring.known_erasures()))

    run([program("pg_restore"), "--no-owner", f"--dbname={second_database}", dump], clean)
    restored = rows(second_database, CALLS)
    said = run(
        [sys.executable, "manage.py", "purge_after_restore", "--erasures", erasures],
        {**environment(), "DATABASE_URL": second_database},
    )

    assert len(restored) == 4 > len(forgotten)
    assert CALLER in {peer for *_, peer, _ in restored}
    assert rows(second_database, CALLS) == forgotten
    assert CALLER not in erasures.read_text()
    assert said.splitlines()[-1] == "1 erased numbers were found again; 1 erasures are done."
    assert rows(second_database, LEFT) == [(0,)]
    assert Call.objects.count() == len(forgotten) == 3
