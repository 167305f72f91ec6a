"""The data directory of one checkout: servers' data, logs, secrets, ports; and who may use it."""

import fcntl
import hashlib
import json
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from callpanel.launcher.account import is_root
from callpanel.launcher.binaries import ROOTS_OWN
from callpanel.launcher.processes import PROJECT, LaunchError


class InUseError(LaunchError):
    """Another ./run uses this data directory."""


@dataclass
class Remembered:
    """What was made up at the first start and holds ever after. A port of 0 is not chosen yet."""

    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    postgres_port: int = 0
    valkey_port: int = 0

    @classmethod
    def of(cls, data: Path) -> "Remembered":
        path = data / "secrets.json"
        return cls(**json.loads(path.read_text())) if path.exists() else cls()

    def save(self, data: Path) -> None:
        new = data / "secrets.json.new"
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(asdict(self), file)
        new.rename(data / "secrets.json")


def data_directory() -> Path:
    """.data in the project; root's lies where the unprivileged servers can reach it.

    Raises LaunchError where it cannot be made.
    """
    if is_root():
        checkout = hashlib.sha256(bytes(PROJECT)).hexdigest()[:8]
        data = ROOTS_OWN / f"{PROJECT.name}-{checkout}"
    else:
        data = PROJECT / ".data"
    try:
        furnish(data)
    except PermissionError as error:
        raise LaunchError(f"{error}. Run it as the user who owns the folder.") from error
    return data


def furnish(data: Path) -> None:
    (data / "logs").mkdir(parents=True, exist_ok=True)
    (data / "logs").chmod(0o700)
    data.chmod(0o711)
    if is_root():
        data.parent.chmod(0o755)


@contextmanager
def throwaway_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="callpanel-") as name:
        data = Path(name)
        (data / "logs").mkdir()
        # Nothing is collected into it, but WhiteNoise wants it to be there.
        (data / "static").mkdir()
        data.chmod(0o711)
        yield data


@contextmanager
def sole_use(data: Path, patience: float = 20) -> Iterator[IO[str]]:
    """Locks the data directory and yields the lock file, whose first line is our process id.

    Our children inherit the lock: after a kill -9 of ./run it is free only when the last of them
    has gone, and that is waited for. Raises InUseError while another ./run is alive.
    """
    with (data / "lock").open("a+") as file:
        deadline = time.monotonic() + patience
        while not locked(file):
            refuse_a_second(file, overdue=time.monotonic() > deadline)
            time.sleep(0.1)
        os.set_inheritable(file.fileno(), True)
        file.truncate(0)
        print(os.getpid(), file=file, flush=True)
        yield file


def locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def refuse_a_second(file: IO[str], *, overdue: bool) -> None:
    file.seek(0)
    process, _, address = file.read().strip().partition("\n")
    if process and alive(int(process)):
        where = f" at {address}" if address else ""
        raise InUseError(f"already running{where} (process {process})")
    if overdue:
        raise LaunchError(
            f"Servers of an earlier start are still running in {Path(file.name).parent}. "
            "Stop them (the first line of postgres/postmaster.pid is PostgreSQL's process)."
        )


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def free_port(*wanted: int) -> int:
    """The first of the wanted ports on which nobody listens at 127.0.0.1, else any free one."""
    for port in (*wanted, 0):
        with socket.socket() as probe:
            # As the servers do it: connections of before that still linger are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LaunchError("There is no free port left on 127.0.0.1.")
