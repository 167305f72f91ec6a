"""The rates of a price list as versions to compare with, and the statements that change them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from billing.models import PriceList, Rate
from billing.pricefiles.comparing import Change
from billing.pricefiles.content import NAMES, Content, Key, Version, tidy
from calls import bulk

DATES = ("valid_from", "valid_to")


def versions(price_list: PriceList) -> list[Version]:
    """All of them, by number and beginning."""
    rows = Rate.objects.filter(price_list=price_list).order_by("space", "prefix", "valid_from")
    return [_version(*row) for row in rows.values_list("id", "space", "prefix", *DATES, *NAMES)]


def in_force(found: Iterable[Version], at: datetime) -> list[Version]:
    """Of each prefix the version whose price holds at a moment, in the order of `versions`."""
    winners: dict[Key, Version] = {}
    for version in found:
        if version.holds(at):
            winners[version.key] = version
    return list(winners.values())


def _version(
    pk: int, space: str, prefix: str, since: datetime, until: datetime | None, *content: Any
) -> Version:
    name, *prices = content
    return Version(pk, space, prefix, since, until, Content(tidy(name), *prices))


def write(price_list: PriceList, changes: Sequence[Change]) -> None:
    """Needs a transaction. Whoever reads prices from memory is told by saving the list."""
    # Two rows of a file may change one version: the later change holds what the earlier one made.
    written = {(*change.key, each.valid_from): each for change in changes if (each := change.after)}
    gone = [each.before.id for each in changes if each.after is None and each.before]
    Rate.objects.filter(price_list=price_list, pk__in=[pk for pk in gone if pk]).delete()
    content = attrgetter(*NAMES)
    rows = [
        (price_list.pk, *key, each.valid_to, *content(each.content))
        for key, each in written.items()
    ]
    key = ["price_list_id", "space", "prefix", "valid_from"]
    bulk.upsert(Rate, key, ["valid_to", *NAMES], rows)
    price_list.save(update_fields=["revision"])
