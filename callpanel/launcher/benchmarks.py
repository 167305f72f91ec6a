"""./run bench NAME: one of benchmarks/, against servers that are as careful as in production, and thrown away."""

import sys
from collections.abc import Sequence

from callpanel.launcher.data import throwaway_directory
from callpanel.launcher.processes import PROJECT, LaunchError, run_in_foreground
from callpanel.launcher.servers import servers

BENCHMARKS = PROJECT / "benchmarks"


def bench(arguments: Sequence[str]) -> int:
    """Returns the exit status of the benchmark. Raises LaunchError when there is none of this name."""
    name, *further = arguments or [""]
    names = sorted(path.stem for path in BENCHMARKS.glob("[a-z]*.py"))
    if name not in names:
        raise LaunchError(f"./run bench takes one of: {', '.join(names)}.")
    with throwaway_directory() as data, servers(data) as running:
        env = {**running.env, "CALLPANEL_FOLDER": str(data)}
        migrated = run_in_foreground([sys.executable, "manage.py", "migrate", "-v0"], env)
        return migrated or run_in_foreground(
            [sys.executable, "-m", f"benchmarks.{name}", *further], env
        )
