"""./run bench NAME: one of benchmarks/."""

import os
import sys
from collections.abc import Sequence

from callpanel.launcher.processes import PROJECT, LaunchError, run_in_foreground

BENCHMARKS = PROJECT / "benchmarks"


def bench(arguments: Sequence[str]) -> int:
    """Returns the exit status of the benchmark. Raises LaunchError when there is none of this name."""
    names = sorted(path.stem for path in BENCHMARKS.glob("[a-z]*.py"))
    if not arguments or arguments[0] not in names:
        raise LaunchError(f"./run bench takes one of: {', '.join(names)}.")
    return run_in_foreground([sys.executable, "-m", "benchmarks", *arguments], os.environ)
