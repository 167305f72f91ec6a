"""The commands of ./run, which makes sure that there is one: demo, test, bench or manage."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from callpanel.launcher.benchmarks import bench
from callpanel.launcher.checks import test
from callpanel.launcher.data import InUseError, Remembered, data_directory, sole_use
from callpanel.launcher.demo import demo
from callpanel.launcher.processes import PROJECT, LaunchError, run_in_foreground
from callpanel.launcher.servers import environment, servers


def main(command: str, arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    interruptible()
    try:
        if command == "test":
            os.chdir(PROJECT)
            return test(arguments)
        if command == "bench":
            os.chdir(PROJECT)
            return bench(arguments)
        return manage(arguments) if command == "manage" else demo()
    except LaunchError as error:
        print(f"callpanel: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def interruptible() -> None:
    """Whatever asks us to stop is a Ctrl-C to us; under nohup, the end of the terminal asks nothing."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)


def manage(arguments: Sequence[str]) -> int:
    """A management command, with the servers of a ./run that is running, else with its own."""
    data = data_directory()
    with ExitStack() as stack:
        try:
            stack.enter_context(sole_use(data))
            env = stack.enter_context(servers(data)).env
        except InUseError:
            env = environment(data, Remembered.of(data))
        return run_in_foreground([sys.executable, PROJECT / "manage.py", *arguments], env)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
