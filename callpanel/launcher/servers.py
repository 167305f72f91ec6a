"""A PostgreSQL and a Valkey of our own, on 127.0.0.1 and behind a password."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from callpanel.launcher.account import hand_over, unprivileged
from callpanel.launcher.binaries import postgres_program, valkey_server
from callpanel.launcher.data import Remembered, free_port
from callpanel.launcher.processes import (
    Child,
    LaunchError,
    dying_with_parent,
    spawn,
    stopped_at_end,
    wait_until,
)

# For data that are thrown away: a crash of the machine may lose them.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    """`data` is its cluster, made where it is missing; its folder has to exist."""

    data: Path
    port: int
    password: str
    options: dict[str, str]
    name = "PostgreSQL"
    # "Fast": the default, SIGTERM, waits for clients, and a pool never leaves by itself.
    stop_signal = signal.SIGINT
    stdin = ""

    @property
    def url(self) -> str:
        return f"postgresql://callpanel:{self.password}@127.0.0.1:{self.port}/callpanel"

    def command(self) -> list[str | Path]:
        options = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            **self.options,
        }
        settings = [f"--{name}={value}" for name, value in options.items()]
        return [postgres_program("postgres"), "-D", self.data, *settings]

    def initialise(self) -> None:
        """Makes the cluster and the database, under another name until both are whole."""
        if self.data.exists():
            # Nobody runs on it, for we hold the lock; a process that merely has the old one's
            # number, as happens when a container starts again, would keep PostgreSQL from starting.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            return
        new = self.data.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        hand_over(new)
        finish([*initdb(), "-D", new], self.password)
        single = ["--single", "-D", str(new), "template1"]
        finish([postgres_program("postgres"), *single], "CREATE DATABASE callpanel;\n")
        new.rename(self.data)

    def ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def initdb() -> list[str | Path]:
    """The builtin locale is the same everywhere; this PostgreSQL has no ICU."""
    locale = ["--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    access = ["--username=callpanel", "--auth=scram-sha-256", "--pwfile=/dev/stdin"]
    return [postgres_program("initdb"), *access, "--encoding=UTF8", *locale, "--no-sync"]


def finish(command: Sequence[str | Path], stdin: str) -> None:
    """Runs a program of PostgreSQL to its end. Raises LaunchError with what it said if it fails."""
    with tempfile.TemporaryFile("w+") as text:
        # initdb opens /dev/stdin by name, so its account needs the right to.
        hand_over(text.fileno())
        text.write(stdin)
        text.seek(0)
        done = subprocess.run(
            command,
            stdin=text,
            capture_output=True,
            text=True,
            cwd="/",
            start_new_session=True,
            preexec_fn=dying_with_parent(signal.SIGTERM),
            **unprivileged(),
        )
    if done.returncode:
        raise LaunchError(f"{done.stdout}{done.stderr}PostgreSQL's database could not be made.")


@dataclass(frozen=True)
class Valkey:
    """`data` is the folder of its append-only file; its own folder has to exist."""

    data: Path
    port: int
    password: str
    durable: bool
    name = "Valkey"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def stdin(self) -> str:
        """Its configuration, which holds the password: a command line is there for all to see."""
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self.password}",
                f'dir "{self.data}"',
                f"appendonly {'yes' if self.durable else 'no'}",
                'save ""',
            ]
        )

    def command(self) -> list[str | Path]:
        return [valkey_server(), "-"]

    def initialise(self) -> None:
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
            hand_over(self.data)

    def ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def serving(server: Postgres | Valkey, log: Path) -> Iterator[Child]:
    server.initialise()
    child = spawn(
        server.name,
        server.command(),
        log=log,
        stdin=server.stdin,
        stop_signal=server.stop_signal,
        server=True,
    )
    with stopped_at_end(child):
        wait_until(server.ready, child)
        yield child


@dataclass(frozen=True)
class Running:
    """`env` is what our processes need; `children` are the servers started, by the variable's name."""

    env: dict[str, str]
    children: dict[str, Child]


def own_servers(
    data: Path, remembered: Remembered, *, durable: bool = True
) -> dict[str, Postgres | Valkey]:
    """Both servers, by the variable that names another one to be used instead."""
    options = {} if durable else FORGETFUL
    password = remembered.password
    return {
        "DATABASE_URL": Postgres(data / "postgres", remembered.postgres_port, password, options),
        "REDIS_URL": Valkey(data / "valkey", remembered.valkey_port, password, durable),
    }


def wanted(own: dict[str, Postgres | Valkey]) -> dict[str, Postgres | Valkey]:
    """Those that the environment does not replace."""
    return {name: server for name, server in own.items() if not os.environ.get(name)}


def environment(data: Path, remembered: Remembered) -> dict[str, str]:
    """Our environment, completed by what the settings need."""
    urls = {name: server.url for name, server in wanted(own_servers(data, remembered)).items()}
    made_up = {
        "SECRET_KEY": remembered.secret_key,
        "STATIC_ROOT": str(data / "static"),
        "CALLPANEL_DEMO_LOGINS": str(data / "demo-logins.json"),
    }
    return {**made_up, **os.environ, **urls}


@contextmanager
def servers(data: Path, *, durable: bool = True) -> Iterator[Running]:
    """Starts what is wanted, on the ports of last time where they are free; stops it at the end."""
    remembered = Remembered.of(data)
    remembered.postgres_port = free_port(remembered.postgres_port)
    remembered.valkey_port = free_port(remembered.valkey_port)
    remembered.save(data)
    with ExitStack() as stack:
        children = {
            name: stack.enter_context(serving(server, data / "logs" / f"{server.name}.log"))
            for name, server in wanted(own_servers(data, remembered, durable=durable)).items()
        }
        yield Running(environment(data, remembered), children)
