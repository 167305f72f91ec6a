"""What accounts pay by: price lists out of the database for the pure rating, kept while they stay the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from psycopg import sql

from accounts.models import Account
from billing import rating
from billing.bands import Hours
from billing.models import AccountPriceList, ChargeTerms, PriceList, Rate
from billing.terms import Rounding, Terms
from calls.ingest.records import EPOCH

# The rates of a list, by the list's id, with the state of it that they were read in. Terms never change at all.
_tables: dict[int, tuple[Any, rating.RateTable]] = {}
_terms: dict[int, Terms] = {}

COLUMNS = (
    *("space", "prefix", "id", "name", "treatment", "per_minute", "per_call", "evening", "weekend"),
    *("connection_fee", "minimum", "first_increment", "next_increment"),
)
# Text, and times as µs: a large list is read in a fraction of a second, and most of it never becomes a rate.
READ = """
    COPY (
        SELECT {columns}, (extract(epoch FROM valid_from) * 1000000)::bigint,
            (extract(epoch FROM valid_to) * 1000000)::bigint
        FROM {table} WHERE price_list_id = {price_list}
    ) TO STDOUT
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """By which tariffs an account pays, the latest first, each from its moment on; ``zone`` is the account's own."""

    zone: ZoneInfo
    tariffs: list[tuple[datetime, rating.Tariff]]

    def at(self, moment: datetime) -> rating.Tariff:
        """The tariff of a moment; before any price list one in which nothing has a price."""
        for since, tariff in self.tariffs:
            if since <= moment:
                return tariff
        return NO_TARIFF


NO_TARIFF = rating.Tariff()


class Tariffs:
    """The plans of accounts as they are now. Make a new one for every run: prices change."""

    def __init__(self) -> None:
        self._plans: dict[int, Plan] = {}
        self._by_list: dict[int, rating.Tariff] = {}

    def of(self, account_id: int) -> Plan:
        if account_id not in self._plans:
            self._plans[account_id] = self._plan(account_id)
        return self._plans[account_id]

    def _plan(self, account_id: int) -> Plan:
        assigned = (
            AccountPriceList.objects.filter(account=account_id)
            .select_related("price_list__base")
            .order_by("-since")
        )
        account = Account.objects.filter(pk=account_id).first()
        return Plan(
            zone=account.tz if account else ZoneInfo("UTC"),
            tariffs=[(each.since, self._tariff(each.price_list)) for each in assigned],
        )

    def _tariff(self, price_list: PriceList) -> rating.Tariff:
        if price_list.pk not in self._by_list:
            lists = [price_list, *([price_list.base] if price_list.base else [])]
            self._by_list[price_list.pk] = rating.Tariff([_table(each) for each in lists])
        return self._by_list[price_list.pk]


def terms_of(ids: Iterable[int]) -> dict[int, Terms]:
    """The terms with these ids, which charges name."""
    wanted = set(ids)
    for row in ChargeTerms.objects.filter(pk__in=wanted - _terms.keys()):
        _terms[row.pk] = row.terms
    return {pk: _terms[pk] for pk in wanted}


def _table(price_list: PriceList) -> rating.RateTable:
    state = (price_list.revision, _listing(price_list))
    known = _tables.get(price_list.pk)
    if known is None or known[0] != state:
        table = rating.RateTable(state[1], _rows(price_list.pk), _rate)
        known = _tables[price_list.pk] = (state, table)
    return known[1]


def _listing(price_list: PriceList) -> rating.Listing:
    hours = None
    if price_list.day_from is not None and price_list.day_to is not None:
        hours = Hours(price_list.day_from, price_list.day_to)
    return rating.Listing(
        id=price_list.pk,
        name=price_list.name,
        currency=price_list.currency,
        basis=price_list.basis,
        rounding=Rounding(price_list.decimals, price_list.rounding),
        hours=hours,
    )


def _rows(price_list_id: int) -> Iterator[tuple[str, str, Any]]:
    reading = sql.SQL(READ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, COLUMNS)),
        table=sql.Identifier(Rate._meta.db_table),
        price_list=sql.Literal(price_list_id),
    )
    with connection.cursor() as cursor, cursor.copy(reading) as copy:
        for row in copy.rows():
            yield row[0], row[1], row


def _rate(row: tuple[str, ...]) -> rating.Rate:
    space, prefix, pk, name, treatment, *numbers = row
    per_minute, per_call, evening, weekend, fee, minimum, first, following, since, until = numbers
    return rating.Rate(
        space=space,
        prefix=prefix,
        name=name,
        rate_id=int(pk),
        treatment=treatment,
        per_minute=Decimal(per_minute),
        per_call=_decimal(per_call),
        evening=_decimal(evening),
        weekend=_decimal(weekend),
        connection_fee=Decimal(fee),
        minimum=Decimal(minimum),
        first_increment=int(first),
        next_increment=int(following),
        valid_from=_moment(since),
        valid_to=_moment(until) if until is not None else None,
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _moment(micros: str) -> datetime:
    return EPOCH + timedelta(microseconds=int(micros))
