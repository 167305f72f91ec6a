"""Runs a benchmark by its name, with a PostgreSQL and a Valkey of its own, as careful as in production."""

import os
import sys
from importlib import import_module

import django

from benchmarks.support.stack import stack


def main(name: str, arguments: list[str]) -> int:
    with stack() as running:
        os.environ.update(running.env)
        running.start("postgres", "valkey")
        running.manage("migrate", "-v0")
        os.environ["DJANGO_SETTINGS_MODULE"] = "callpanel.settings"
        django.setup()
        status: int = import_module(f"benchmarks.{name}").main(running, arguments)
        return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
