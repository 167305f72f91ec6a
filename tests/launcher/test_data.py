"""The data directory: secrets and ports that stay, and one ./run at a time."""

import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from callpanel.launcher.data import InUseError, Remembered, free_port, sole_use
from callpanel.launcher.processes import LaunchError

# Takes the lock, starts a child that holds it for a while longer, and waits to be killed.
HOLDER = """
import subprocess, sys, time
from pathlib import Path
from callpanel.launcher.data import sole_use

with sole_use(Path(sys.argv[1])):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"], close_fds=False)
    print("holding", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def killed_holder(data: Path) -> None:
    """A ./run was killed with -9, and one of its processes takes a while to go."""
    command = [sys.executable, "-c", HOLDER, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        process.send_signal(signal.SIGKILL)


def test_secrets_are_made_up_once_and_ours_alone(data: Path) -> None:
    first = Remembered.of(data)
    first.postgres_port = 5544
    first.save(data)
    first.save(data)
    assert Remembered.of(data) == first
    assert (data / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_no_two_secrets_are_alike() -> None:
    one, other = asdict(Remembered()), asdict(Remembered())
    secrets = [each[name] for each in (one, other) for name in ("secret_key", "password")]
    assert len(set(secrets)) == 4
    assert min(map(len, secrets)) >= 32


def test_a_port_is_kept_while_it_is_free() -> None:
    port = free_port()
    assert free_port(port) == port


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        second = free_port()
        assert free_port(taken.getsockname()[1], second) == second


def test_an_unknown_port_is_any_free_one() -> None:
    assert free_port(0) > 1023


def test_a_second_start_is_told_where_the_first_one_is(data: Path) -> None:
    with sole_use(data) as lock:
        print("http://127.0.0.1:8000/", file=lock, flush=True)
        with pytest.raises(InUseError, match=r"already running at http://127\.0\.0\.1:8000/"):
            sole_use(data).__enter__()


def test_the_next_start_finds_the_lock_free(data: Path) -> None:
    for _ in range(2):
        with sole_use(data, patience=0):
            pass


@pytest.mark.usefixtures("killed_holder")
def test_processes_that_do_not_go_are_reported(data: Path) -> None:
    with pytest.raises(LaunchError, match="Servers of an earlier start are still running"):
        sole_use(data, patience=0).__enter__()
