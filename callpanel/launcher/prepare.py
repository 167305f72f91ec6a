"""Brings the database and the static files up to date, in one process: each start of Django costs."""

import hashlib
import io
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


class LastLine(io.TextIOBase):
    """Shows on a terminal the beginning of what was written last, and at the end nothing."""

    def write(self, text: str) -> int:
        line = text.splitlines()[0] if text else ""
        if sys.stderr.isatty():
            print(f"\r\033[K{line:.70}", end="", file=sys.stderr, flush=True)
        return len(text)

    def close(self) -> None:
        self.write("")
        super().close()


def main(arguments: list[str]) -> None:
    """With an address of the panel: fills an empty database, and prints who can sign in there."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callpanel.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    collect_static()
    for address in arguments:
        with LastLine() as progress:
            call_command("load_demo", if_empty=True, stdout=progress)
        call_command("show_demo_logins", address=address)


def collect_static() -> None:
    """Hashing and compressing takes seconds, so it is done only if a file is not as last time."""
    stamp = Path(settings.STATIC_ROOT).with_suffix(".stamp")
    state = state_of_static_files()
    if not stamp.exists() or stamp.read_text() != state:
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(state)


def state_of_static_files() -> str:
    files = (
        Path(storage.path(name)) for finder in get_finders() for name, storage in finder.list([])
    )
    stats = sorted((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return hashlib.sha256(repr(stats).encode()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
