from argparse import ArgumentParser, FileType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from calls.retention import clock, restoring


class Command(BaseCommand):
    help = "Deletes again what was deleted, and erases again what was erased, since a backup that was restored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--erasures", type=FileType("r"), help="the latest output of list_erasures"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for line in restoring.purge_again(
                timezone.now(),
                database=clock.of_database(),
                erasures=options["erasures"] or (),
            ):
                self.stdout.write(line)
        except (RuntimeError, ValueError, KeyError) as error:
            raise CommandError(str(error)) from error
