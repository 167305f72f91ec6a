"""Rate again what was charged: without --order what would change, with it the change itself, by the worker or here."""

from argparse import ArgumentParser
from datetime import date
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, QuerySet
from django.utils import timezone

from accounts.models import Account, User
from billing import rerating
from billing.models import PriceList, Rerating
from calls.periods import span

AnyModel = TypeVar("AnyModel", bound=Model)


class Command(BaseCommand):
    help = "Count what the calls of some days would cost by today's price lists; then start or stop the re-rating."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--first", type=date.fromisoformat, help="first day, as 2026-10-01")
        parser.add_argument("--last", type=date.fromisoformat, help="last day")
        parser.add_argument("--account", help="name in addresses; without it all accounts")
        parser.add_argument("--price-list", help="name of a list; without it all lists")
        parser.add_argument("--reason", help="why, for the history of every charge that changes")
        parser.add_argument("--by", metavar="E-MAIL", help="on whose behalf")
        parser.add_argument(
            "--start", type=int, metavar="NUMBER", help="do what was counted, or go on"
        )
        parser.add_argument(
            "--stop", type=int, metavar="NUMBER", help="stop after the chunk in hand"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["stop"] is not None:
            order = _one(Rerating.objects.all(), pk=options["stop"])
            rerating.stop(order)
        elif options["start"] is not None:
            order = _one(Rerating.objects.all(), pk=options["start"])
            self._start(order)
        else:
            order = self._request(options)
            self._work(order)
        order.refresh_from_db()
        self.stdout.write(f"{order.pk} {order.state} {order.totals()}")

    def _start(self, order: Rerating) -> None:
        try:
            rerating.start(order)
        except ValueError as error:
            raise CommandError(str(error)) from error
        self._work(order)

    def _request(self, options: dict[str, Any]) -> Rerating:
        if not (options["first"] and options["last"] and options["reason"]):
            raise CommandError("Give --first, --last and --reason, or --start or --stop.")
        account = price_list = by = None
        if options["account"]:
            account = _one(Account.objects.all(), slug=options["account"])
        if options["price_list"]:
            price_list = _one(PriceList.objects.all(), name=options["price_list"])
        if options["by"]:
            by = _one(User.objects.all(), email=options["by"])
        zone = account.tz if account else timezone.get_default_timezone()
        period = span(options["first"], options["last"], zone)
        return rerating.request(
            start=period.start,
            end=period.end,
            reason=options["reason"],
            by=by,
            now=timezone.now(),
            account=account,
            price_list=price_list,
        )

    def _work(self, order: Rerating) -> None:
        """Until it is counted or done, or somebody stops it; a worker may help."""
        going = Rerating.objects.filter(pk=order.pk, state__in=["counting", "running"])
        while going.exists():
            rerating.work(timezone.now())
            self.stdout.write(f"{order.progress[0]} charges looked at")


def _one(objects: QuerySet[AnyModel], **key: Any) -> AnyModel:
    found = objects.filter(**key).first()
    if found is None:
        raise CommandError(f"There is no {objects.model._meta.object_name} with {key}.")
    return found
