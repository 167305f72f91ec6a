"""./run test: every check and every test, against servers that are thrown away afterwards."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from callpanel.launcher.data import throwaway_directory
from callpanel.launcher.processes import PROJECT, run_in_foreground
from callpanel.launcher.servers import servers

BIN = Path(sys.executable).parent


def checks() -> dict[str, list[str | Path]]:
    """Commands by the name they have in the report."""
    manage: list[str | Path] = [sys.executable, PROJECT / "manage.py"]
    templates = sorted((PROJECT / "templates").glob("**/*.html"))
    return {
        "ruff check": [BIN / "ruff", "check", "."],
        "ruff format": [BIN / "ruff", "format", "--check", "."],
        "mypy": [BIN / "mypy"],
        "lint-imports": [BIN / "lint-imports"],
        "djade": [BIN / "djade", "--check", *templates],
        "makemigrations": [*manage, "makemigrations", "--check", "--dry-run"],
        "manage.py check": [*manage, "check"],
    }


def test(arguments: Sequence[str]) -> int:
    """Checks, then pytest; with arguments pytest alone. Returns the exit status for the shell."""
    with throwaway_directory() as data, servers(data, durable=False) as running:
        if arguments:
            return pytest(arguments, running.env)
        failed = [
            name for name, command in checks().items() if not passes(name, command, running.env)
        ]
        # One process a core, each with a database of its own; what is in one file stays together.
        if pytest(["--numprocesses=auto", "--dist=loadfile"], running.env):
            failed.append("pytest")
    print(f"callpanel: failed: {', '.join(failed)}" if failed else "callpanel: everything passed")
    return 1 if failed else 0


def pytest(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    return run_in_foreground([sys.executable, "-m", "pytest", *arguments], env)


def passes(name: str, command: Sequence[str | Path], env: Mapping[str, str]) -> bool:
    """Runs one check and reports it in a line, with what it said if it failed."""
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    verdict = "failed" if done.returncode else "passed"
    print(f"callpanel: {name:<16} {verdict} in {time.monotonic() - began:.1f} s", flush=True)
    if done.returncode:
        print(done.stdout, flush=True)
    return done.returncode == 0
