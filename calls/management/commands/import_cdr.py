"""Take CDR files over, as often as one likes: what is there already stays as it is."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from calls.ingest.importing import import_files
from calls.ingest.records import CdrError
from calls.models import Pbx


class Command(BaseCommand):
    help = "Import CDR files: Asterisk's Master.csv or CSV with a header, FreeSWITCH JSON files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--pbx", required=True, help="name of the PBX entry")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        pbx = Pbx.objects.filter(name=options["pbx"]).first()
        if pbx is None:
            known = ", ".join(Pbx.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no PBX entry {options['pbx']!r}; there are: {known}.")
        try:
            for line in import_files(pbx, options["files"]):
                self.stdout.write(line)
        except (CdrError, OSError) as error:
            raise CommandError(str(error)) from error
