"""Everything is killed at random while records come in; benchmarks/faults.py does the same for longer."""

import os
import subprocess
import sys

from callpanel.launcher.processes import PROJECT

RECORDS = "600"


def test_whatever_is_killed_while_records_come_in_nothing_is_lost_and_nothing_doubled() -> None:
    # A process of its own, because its PostgreSQL dies too; its servers are always the embedded ones.
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "benchmarks", "faults", RECORDS],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )

    said = done.stdout.splitlines()
    assert said[-1] == "nothing lost, nothing doubled", done.stdout[-4000:]
