from typing import Any

from django.core.management.base import BaseCommand

from calls.retention import restoring


class Command(BaseCommand):
    help = (
        "Prints a line for each erased number, without the number: to be kept beside the backups."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for line in restoring.known_erasures():
            self.stdout.write(line)
