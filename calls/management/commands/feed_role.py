"""Make, renew or drop the database role by which an Asterisk writes into callpanel's PostgreSQL."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from calls.ingest import feed, feed_roles
from calls.ingest.formats import ASTERISK
from calls.ingest.records import CdrError
from calls.models import Pbx

# What the PBX has to be told; docs/asterisk.md says more.
LINES = """
; cdr_pgsql.conf, and for channel events cel_pgsql.conf with table=feed.cel
[global]
hostname={host}   ; as the PBX reaches it
port={port}
dbname={database}
user={user}
password={password}   ; shown only now
table=feed.cdr
encoding=LATIN1
timezone=UTC
"""


class Command(BaseCommand):
    help = "Make the database role by which an Asterisk writes its CDRs (and CEL) straight into callpanel's database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--pbx", required=True, help="name of the PBX entry")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--renew", action="store_true", help="a new password for the role")
        what.add_argument("--drop", action="store_true", help="take its rows over, drop the role")

    def handle(self, *args: Any, **options: Any) -> None:
        pbx = Pbx.objects.filter(name=options["pbx"], source=ASTERISK).first()
        if pbx is None:
            raise CommandError(f"There is no PBX entry {options['pbx']!r} for an Asterisk.")
        if bool(pbx.feed_role) != (options["renew"] or options["drop"]):
            raise CommandError(
                "It has a role already: use --renew or --drop."
                if pbx.feed_role
                else "It has no role."
            )
        try:
            if options["drop"]:
                self.drop(pbx)
            else:
                self.show(pbx, renew=options["renew"])
        except feed_roles.NotAllowedError as error:
            self.stderr.write(f"{error} Let an administrator of the database run this:\n")
            self.stdout.write(";\n".join(error.statements) + ";")
            self.stdout.write(self.lines(pbx, error.password))
        except feed_roles.RoleError as error:
            raise CommandError(str(error)) from error

    def drop(self, pbx: Pbx) -> None:
        taken, role = self.taken_over(pbx), pbx.feed_role
        feed_roles.drop(pbx)
        self.stdout.write(f"{taken} rows taken over, {role} dropped")

    def taken_over(self, pbx: Pbx) -> int:
        """The number of its rows. Raises CommandError if some would be left behind, which nothing shows any longer."""
        taken, why = 0, "Others are taking them over just now: try again."
        try:
            taken = feed.take_of(pbx, timezone.now())
        except CdrError as error:
            why = f"{error} If they are not wanted, delete them from feed.cdr and feed.cel."
        if left := feed.waiting().get(pbx.feed_role, 0):
            raise CommandError(f"{left} rows of {pbx.feed_role} wait, so it stays. {why}")
        return taken

    def show(self, pbx: Pbx, *, renew: bool) -> None:
        password = feed_roles.renew(pbx) if renew else feed_roles.create(pbx)
        self.stdout.write(self.lines(pbx, password))

    def lines(self, pbx: Pbx, password: str) -> str:
        info = connection.connection.info
        return LINES.format(
            host=info.host,
            port=info.port,
            database=info.dbname,
            user=pbx.feed_role,
            password=password,
        )
