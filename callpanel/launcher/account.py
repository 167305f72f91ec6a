"""PostgreSQL refuses to run as root, so as root both servers run as `nobody`."""

import os
import pwd
from pathlib import Path
from typing import Any


def is_root() -> bool:
    return os.geteuid() == 0


def unprivileged() -> dict[str, Any]:
    """Arguments for Popen. A passwd entry is needed (initdb looks itself up), not just a number."""
    if not is_root():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def hand_over(path: Path | int) -> None:
    """Makes a file or directory (or an open one, by its descriptor) the servers' own."""
    if is_root():
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
