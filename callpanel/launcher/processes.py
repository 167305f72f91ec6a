"""Child processes that are stopped in order, and that on Linux do not outlive a kill -9 of this one."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from callpanel.launcher.account import unprivileged

PROJECT = Path(__file__).resolve().parent.parent.parent
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
# Loaded before any fork; a child may not load libraries between fork and exec.
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class LaunchError(Exception):
    """What went wrong, in words for the person at the terminal."""


@dataclass(frozen=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals

    def failure(self, what: str) -> LaunchError:
        """An error that says what happened to this process, with the end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return LaunchError("\n".join([*lines, f"{self.name} {what}. Its whole log: {self.log}"]))


def dying_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """For ``preexec_fn``: the kernel sends the signal when this process has died, however it did.

    It counts the death of the *thread* that starts the child, so start children from the main one.
    macOS has nothing of the kind: there the servers survive a kill -9 of ./run.
    """
    if LIBC is None:
        return None
    parent = os.getpid()

    def before_exec() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:
            os._exit(1)

    return before_exec


def spawn(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    stop_signal: signal.Signals = signal.SIGTERM,
    server: bool = False,
) -> Child:
    """Starts a process that writes to `log` (begun anew); a `server` never runs as root.

    It leads a session of its own, so the terminal's Ctrl-C reaches it only through us.
    """
    with log.open("wb") as output, tempfile.TemporaryFile() as text:
        text.write(stdin.encode())
        text.seek(0)
        process = subprocess.Popen(
            command,
            stdin=text,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/" if server else PROJECT,
            env=env,
            # Inherits the lock of the data directory (see data.sole_use) and nothing else.
            close_fds=False,
            start_new_session=True,
            preexec_fn=dying_with_parent(stop_signal),
            **(unprivileged() if server else {}),
        )
    return Child(name, process, log, stop_signal)


def wait_until(ready: Callable[[], bool], child: Child, seconds: float = 60) -> None:
    """Asks `ready` again and again. Raises LaunchError if the child ends, or takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if child.process.poll() is not None:
            raise child.failure(f"ended with status {child.process.returncode} while starting")
        if time.monotonic() > deadline:
            raise child.failure(f"was not ready after {seconds:.0f} seconds")
        time.sleep(0.03)


def watch(children: Sequence[Child]) -> NoReturn:
    """Returns never; raises LaunchError as soon as one of them ends by itself."""
    while True:
        for child in children:
            if child.process.poll() is not None:
                raise child.failure(f"ended with status {child.process.returncode}")
        time.sleep(0.3)


@contextmanager
def stopped_at_end(*children: Child) -> Iterator[None]:
    try:
        yield
    finally:
        with undisturbed():
            stop(children)


def stop(children: Sequence[Child], seconds: float = 20) -> None:
    """Asks all at once to stop, waits until all have gone, and kills what has not by then."""
    for child in children:
        child.process.send_signal(child.stop_signal)
    deadline = time.monotonic() + seconds
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()


@contextmanager
def undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not cut an orderly stop short."""
    before = [signal.signal(each, signal.SIG_IGN) for each in SIGNALS]
    try:
        yield
    finally:
        for each, handler in zip(SIGNALS, before, strict=True):
            signal.signal(each, handler)


def run_in_foreground(command: Sequence[str | Path], env: Mapping[str, str]) -> int:
    """Runs a command at our terminal and returns its exit status; Ctrl-C is its own affair."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with subprocess.Popen(
            command, env=env, preexec_fn=dying_with_parent(signal.SIGTERM)
        ) as process:
            return exit_status(process)
    finally:
        signal.signal(signal.SIGINT, before)


def exit_status(process: subprocess.Popen[bytes]) -> int:
    """As a shell counts it: 128 and more for the signal that ended it. Hands a SIGTERM on."""
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.terminate()
        raise
    return status if status >= 0 else 128 - status
