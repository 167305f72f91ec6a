"""The tariffs that are in force: rates out of the database for the pure rating."""

from collections.abc import Iterable
from datetime import datetime

from billing import rating
from billing.models import AccountPriceList, PriceList, Rate


class Tariffs:
    """The tariffs of accounts, each price list read once. Make a new one for every run: prices change."""

    def __init__(self) -> None:
        self._by_list: dict[int, rating.Tariff] = {}
        self._assigned: dict[int, list[AccountPriceList]] = {}

    def of(self, account_id: int, at: datetime) -> rating.Tariff | None:
        """The account's tariff at a moment; None before it has any price list."""
        assignments = self._assigned.get(account_id)
        if assignments is None:
            assignments = self._assigned[account_id] = list(
                AccountPriceList.objects.filter(account=account_id)
                .select_related("price_list__base")
                .order_by("-since")
            )
        for assignment in assignments:
            if assignment.since <= at:
                return self._tariff(assignment.price_list)
        return None

    def _tariff(self, price_list: PriceList) -> rating.Tariff:
        if price_list.pk not in self._by_list:
            self._by_list[price_list.pk] = _tariff(price_list)
        return self._by_list[price_list.pk]


def _tariff(price_list: PriceList) -> rating.Tariff:
    lists = [price_list, *([price_list.base] if price_list.base else [])]
    return rating.Tariff(
        own=_rates(price_list),
        base=_rates(price_list.base) if price_list.base else [],
        roundings={each.pk: rating.Rounding(each.decimals, each.rounding) for each in lists},
        currency=price_list.currency,
    )


def _rates(price_list: PriceList) -> Iterable[rating.Rate]:
    for rate in Rate.objects.filter(price_list=price_list):
        yield rating.Rate(
            space=rate.space,
            prefix=rate.prefix,
            name=rate.name,
            per_minute=rate.per_minute,
            connection_fee=rate.connection_fee,
            first_increment=rate.first_increment,
            next_increment=rate.next_increment,
            valid_from=rate.valid_from,
            valid_to=rate.valid_to,
            price_list=price_list.name,
            price_list_id=price_list.pk,
            rate_id=rate.pk,
        )
