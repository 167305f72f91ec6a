"""./run bench: one measurement of benchmarks/, on servers that are thrown away but as careful as in production."""

import sys
from collections.abc import Sequence

from callpanel.launcher.data import throwaway_directory
from callpanel.launcher.processes import PROJECT, LaunchError, run_in_foreground
from callpanel.launcher.servers import servers

BENCHMARKS = PROJECT / "benchmarks"


def bench(arguments: Sequence[str]) -> int:
    """Runs benchmarks/<first argument>.py with the other ones. Returns the exit status for the shell."""
    names = sorted(path.stem for path in BENCHMARKS.glob("[!_]*.py"))
    if not arguments or arguments[0] not in names:
        raise LaunchError(f"./run bench NAME …, where NAME is one of: {', '.join(names)}")
    script = BENCHMARKS / f"{arguments[0]}.py"
    with throwaway_directory() as data, servers(data, roomy=True) as running:
        return run_in_foreground([sys.executable, script, *arguments[1:]], running.env)
