"""A real PostgreSQL and a real Valkey: reachable for us alone, and gone when we are gone."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from callpanel.launcher.account import is_root
from callpanel.launcher.data import Remembered, free_port, sole_use
from callpanel.launcher.processes import LaunchError
from callpanel.launcher.servers import Running, Valkey, servers, serving

SUPERVISOR = """
import sys, time
from pathlib import Path
from callpanel.launcher.data import Remembered, free_port, sole_use
from callpanel.launcher.servers import servers

with sole_use(Path(sys.argv[1])), servers(Path(sys.argv[1]), durable=False) as running:
    print("started", flush=True)
    time.sleep(60)
"""


def answer(url: str, sql: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return row[0]


def free_ports(data: Path) -> list[bool]:
    """Of PostgreSQL and of Valkey: whether nobody listens there any more."""
    remembered = Remembered.of(data)
    ports = (remembered.postgres_port, remembered.valkey_port)
    return [free_port(port) == port for port in ports]


def test_the_database_speaks_polish(running: Running) -> None:
    assert answer(running.env["DATABASE_URL"], "SELECT lower('ZAŻÓŁĆ')") == "zażółć"
    assert answer(running.env["DATABASE_URL"], "SHOW server_encoding") == "UTF8"


def test_the_database_wants_the_password(running: Running) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(running.env["DATABASE_URL"], password="guess")


def test_the_broker_wants_the_password(running: Running) -> None:
    port = urlsplit(running.env["REDIS_URL"]).port
    with (
        redis.Redis.from_url(f"redis://127.0.0.1:{port}/0") as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_no_password_is_on_a_command_line(running: Running) -> None:
    password = urlsplit(running.env["DATABASE_URL"]).password
    commands = [str(child.process.args) for child in running.children.values()]
    assert [command for command in commands if str(password) in command] == []


@pytest.mark.skipif(not is_root(), reason="only root has rights to give up")
def test_as_root_neither_server_is_root(running: Running) -> None:
    owners = {Path("/proc", str(child.process.pid)).owner() for child in running.children.values()}
    assert owners == {"nobody"}


@pytest.mark.usefixtures("no_urls")
def test_data_secrets_and_addresses_outlive_a_restart(data: Path) -> None:
    (data / "postgres.new").mkdir()  # as if the very first start had been cut off
    with servers(data) as first, redis.Redis.from_url(first.env["REDIS_URL"]) as client:
        with psycopg.connect(first.env["DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 41 AS answer")
        client.set("kept", 42)
    with servers(data) as second, redis.Redis.from_url(second.env["REDIS_URL"]) as client:
        assert second.env == first.env
        assert answer(second.env["DATABASE_URL"], "SELECT answer FROM kept") == 41
        assert client.get("kept") == b"42"


@pytest.mark.usefixtures("no_urls")
def test_a_client_that_stays_does_not_hold_up_the_stop(data: Path) -> None:
    with servers(data, durable=False) as running:
        client = psycopg.connect(running.env["DATABASE_URL"])
    with client, pytest.raises(psycopg.OperationalError, match="terminating connection"):
        client.execute("SELECT 1")
    assert running.children["DATABASE_URL"].process.returncode == 0


def test_servers_that_are_given_are_used_and_none_is_started(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"DATABASE_URL": "postgresql://db.example/calls", "REDIS_URL": "redis://example/0"}
    for name, url in given.items():
        monkeypatch.setenv(name, url)
    with servers(data) as running:
        assert running.children == {}
        assert {name: running.env[name] for name in given} == given


@pytest.mark.usefixtures("no_urls")
def test_settings_of_ours_are_made_up_only_where_they_are_missing(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://example/0")
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/calls")
    monkeypatch.setenv("SECRET_KEY", "given")
    monkeypatch.delenv("STATIC_ROOT", raising=False)
    with servers(data) as running:
        assert running.env["SECRET_KEY"] == "given"
        assert running.env["STATIC_ROOT"] == str(data / "static")


def test_a_server_that_cannot_start_says_why(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        valkey = Valkey(data / "valkey", taken.getsockname()[1], "secret", durable=False)
        with (
            pytest.raises(LaunchError, match="Address already in use"),
            serving(valkey, data / "logs" / "Valkey.log"),
        ):
            pass


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
@pytest.mark.usefixtures("no_urls")
def test_no_server_outlives_a_kill_9_and_the_next_start_waits_for_their_end(data: Path) -> None:
    command = [sys.executable, "-c", SUPERVISOR, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "started\n"
        assert free_ports(data) == [False, False]
        supervisor.send_signal(signal.SIGKILL)
    with sole_use(data):
        assert free_ports(data) == [True, True]
    assert "database system is shut down" in (data / "logs" / "PostgreSQL.log").read_text()
