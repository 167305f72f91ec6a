"""Children are stopped in time, watched, and their exit status is the shell's."""

import os
import signal
import sys
from pathlib import Path

import pytest

from callpanel.launcher.processes import (
    Child,
    LaunchError,
    run_in_foreground,
    spawn,
    stop,
    stopped_at_end,
    wait_until,
    watch,
)

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('on', flush=True); "


def python(data: Path, code: str) -> Child:
    return spawn("child", [sys.executable, "-c", code], log=data / "logs" / "child.log")


def test_a_child_is_asked_to_stop_by_its_own_signal(data: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = spawn("it", command, log=data / "it.log", stop_signal=signal.SIGUSR1)
    with stopped_at_end(child):
        pass
    assert child.process.returncode == -signal.SIGUSR1


def test_a_child_that_does_not_stop_is_killed(data: Path) -> None:
    child = python(data, STUBBORN + "time.sleep(60)")
    wait_until(lambda: child.log.read_text() == "on\n", child)
    stop([child], seconds=0.1)
    assert child.process.returncode == -signal.SIGKILL


def test_a_child_has_a_session_of_its_own(data: Path) -> None:
    """So the terminal's Ctrl-C does not reach it."""
    child = python(data, "import os; print(os.getsid(0))")
    child.process.wait()
    assert child.log.read_text() == f"{child.process.pid}\n"


def test_the_end_of_a_child_ends_the_watch_with_its_last_words(data: Path) -> None:
    child = python(data, "import sys; print(*range(30), sep='\\n'); sys.exit(3)")
    with pytest.raises(LaunchError) as raised:
        watch([child])
    *words, last = str(raised.value).splitlines()
    assert words == [str(number) for number in range(15, 30)]
    assert last == f"child ended with status 3. Its whole log: {child.log}"


def test_a_child_that_ends_is_not_waited_for(data: Path) -> None:
    child = python(data, "import sys; sys.exit('cannot bind')")
    with pytest.raises(LaunchError, match=r"cannot bind\nchild ended with status 1 while starting"):
        wait_until(lambda: False, child)


def test_a_child_that_is_never_ready_is_given_up(data: Path) -> None:
    child = python(data, "import time; time.sleep(60)")
    with (
        stopped_at_end(child),
        pytest.raises(LaunchError, match="child was not ready after 0 seconds"),
    ):
        wait_until(lambda: False, child, seconds=0.1)


@pytest.mark.parametrize(
    ("code", "status"),
    [("pass", 0), ("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 15)", 143)],
)
def test_a_command_in_front_ends_as_it_would_in_a_shell(code: str, status: int) -> None:
    assert run_in_foreground([sys.executable, "-c", code], os.environ) == status


def test_ctrl_c_belongs_to_the_command_in_front() -> None:
    code = "import os, signal, sys; os.kill(os.getppid(), signal.SIGINT); sys.exit(5)"
    assert run_in_foreground([sys.executable, "-c", code], os.environ) == 5
