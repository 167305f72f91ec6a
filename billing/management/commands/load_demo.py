"""Load the demo: two made-up firms with thirteen months of calls."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Account
from billing.demo.load import load
from billing.demo.logins import ADDRESS


class Command(BaseCommand):
    help = "Load two made-up firms with thirteen months of calls into an empty database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing where there is an account already"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not Account.objects.exists():
            logins = load(timezone.now(), self.stdout.write)
            self.stdout.write("\n".join(logins.lines(ADDRESS)))
        elif options["if_empty"]:
            self.stdout.write("There are accounts already: no demo was loaded.")
        else:
            raise CommandError(
                "There are accounts already. The demo is loaded only into an empty database."
            )
