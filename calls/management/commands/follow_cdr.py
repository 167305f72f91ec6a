"""Take over a CSV file that Asterisk is writing, line by line as they come."""

import signal
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from calls.ingest.following import Follower
from calls.ingest.nudging import fold_soon
from calls.ingest.records import CdrError
from calls.models import Pbx


class Command(BaseCommand):
    help = "Follow Asterisk's Master.csv: new lines are calls seconds later. Stop it with Ctrl-C or SIGTERM."
    stopping = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--pbx", required=True, help="name of the PBX entry")
        parser.add_argument("--every", type=float, default=1.0, help="seconds between two looks")
        parser.add_argument("--once", action="store_true", help="read what is there and end")
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        pbx = Pbx.objects.filter(name=options["pbx"]).first()
        if pbx is None:
            raise CommandError(f"There is no PBX entry {options['pbx']!r}.")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)
        follower = Follower(pbx, options["file"].absolute())
        while not self.stopping:
            self.look(follower)
            if options["once"]:
                return
            time.sleep(options["every"])

    def look(self, follower: Follower) -> None:
        try:
            new = follower.step(timezone.now())
        except (OperationalError, InterfaceError) as error:
            # The file keeps the lines, and the next look begins where the last one was committed.
            self.stderr.write(f"The database is away; trying again. {error}")
            connection.close()
            return
        except (CdrError, OSError) as error:
            raise CommandError(str(error)) from error
        if new:
            fold_soon()
            self.stdout.write(f"{new} new records")

    def stop(self, *args: Any) -> None:
        self.stopping = True
