"""Show again who can sign in to the demo."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from billing.demo.logins import ADDRESS, Logins, path


class Command(BaseCommand):
    help = "Show who can sign in to the demo, and how a PBX sends it records."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", default=ADDRESS, help=f"of the panel; default {ADDRESS}")

    def handle(self, *args: Any, **options: Any) -> None:
        logins = Logins.kept()
        lines = logins.lines(options["address"]) if logins else [f"No demo: no file {path()}."]
        self.stdout.write("\n".join(lines))
