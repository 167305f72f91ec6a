"""Everything that callpanel runs on, each process to be killed and started again: what the benchmarks measure."""

import http.client
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from callpanel.launcher.data import Remembered, free_port, throwaway_directory
from callpanel.launcher.processes import PROJECT, Child, run_in_foreground, spawn, wait_until
from callpanel.launcher.servers import Postgres, Valkey, environment, own_servers

PYTHON = sys.executable
PATIENCE = 120.0


class Stack:
    """A PostgreSQL, a Valkey, and our processes, in a folder of their own. Nothing runs at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remembered = Remembered.of(folder)
        self.remembered.postgres_port = free_port()
        self.remembered.valkey_port = free_port()
        self.web_port = free_port()
        own = own_servers(folder, self.remembered)
        self.servers: dict[str, Postgres | Valkey] = {
            "postgres": own["DATABASE_URL"],
            "valkey": own["REDIS_URL"],
        }
        self.env = environment(folder, self.remembered) | {
            "DATABASE_URL": own["DATABASE_URL"].url,
            "REDIS_URL": own["REDIS_URL"].url,
            "C_FORCE_ROOT": "1",
        }
        self.commands: dict[str, Sequence[str | Path]] = {
            "web": [PYTHON, "-m", "gunicorn", "callpanel.wsgi", *self.web_options()],
            "worker": [
                "nice",
                PYTHON,
                "-m",
                "celery",
                "-A",
                "callpanel",
                "worker",
                "-c",
                "2",
                "-l",
                "WARNING",
            ],
            "beat": [PYTHON, "-m", "celery", "-A", "callpanel", "beat", "-s", str(folder / "beat")],
        }
        self.running: dict[str, Child] = {}

    def web_options(self) -> list[str]:
        where = f"127.0.0.1:{self.web_port}"
        return ["-b", where, "--workers=2", "--threads=4", "--log-level=warning"]

    def start(self, *names: str) -> None:
        for name in names:
            log = self.folder / "logs" / f"{name}-{time.monotonic_ns()}.log"
            if server := self.servers.get(name):
                server.initialise()
                child = spawn(
                    name, server.command(), log=log, stdin=server.stdin, env=None, server=True
                )
                self.running[name] = child
                wait_until(server.ready, child)
            else:
                self.running[name] = spawn(name, self.commands[name], log=log, env=self.env)

    def manage(self, *arguments: str | Path) -> None:
        """Run a management command. Raises RuntimeError if it fails."""
        command = [PYTHON, str(PROJECT / "manage.py"), *map(str, arguments)]
        if status := run_in_foreground(command, self.env):
            raise RuntimeError(f"manage.py {arguments[0]} ended with status {status}")

    def kill(self, *names: str) -> None:
        """kill -9, of the process and of all that it started."""
        for name in names:
            process = self.running.pop(name).process
            # PostgreSQL's processes lead sessions of their own, so a process group is not enough.
            for pid in (process.pid, *_descendants(process.pid)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()

    def answers(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/healthz", b"") == 200
        return False

    def ask(self, method: str, path: str, body: bytes) -> int:
        """The status of one request. Raises OSError or HTTPException where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=5)
        try:
            connection.request(method, path, body)
            return connection.getresponse().status
        finally:
            connection.close()


@contextmanager
def stack() -> Iterator[Stack]:
    with throwaway_directory() as folder:
        stack = Stack(folder)
        try:
            yield stack
        finally:
            stack.kill(*list(stack.running))


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for a condition. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not reached in {seconds:.0f} s: {condition}")
        time.sleep(0.05)


def _descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name, in parentheses, may hold blanks.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found[1:]
