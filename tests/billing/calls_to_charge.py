"""Calls that wait to be priced, and what became of them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import Account
from billing.models import AccountPriceList, PriceList, Rate
from calls.ingest.records import micros
from calls.models import Call, UnpricedCall
from tests.builders import make_outgoing
from tests.conftest import LONG_AGO, RECORDED

POLISH, MOBILE, GERMAN = "+48221234567", "+48501234567", "+493012345678"
SECOND = timedelta(seconds=1)


def make_list(account: Account, prices: dict[str, str], **fields: Any) -> PriceList:
    """A list by which the account has always paid: prefix → price a minute."""
    price_list = PriceList.objects.create(**{"name": f"Cennik {account.slug}", **fields})
    for prefix, price in prices.items():
        make_rate(price_list, prefix, per_minute=Decimal(price))
    AccountPriceList.objects.create(account=account, price_list=price_list, since=LONG_AGO)
    return price_list


def make_rate(price_list: PriceList, prefix: str, **terms: Any) -> Rate:
    plain = {"name": f"to {prefix}", "valid_from": LONG_AGO}
    return Rate.objects.create(price_list=price_list, prefix=prefix, **{**plain, **terms})


def leg(to: str, at: datetime, seconds: int) -> dict[str, Any]:
    return {
        "key": f"{at} {to}",
        "to": to,
        "answered": micros(at),
        "seconds": seconds,
        "estimated": False,
    }


def dial(account: Account, to: str = POLISH, at: datetime = RECORDED, seconds: int = 60) -> Call:
    """A call that is stored and waits to be priced, answered at once."""
    paid = [leg(to, at, seconds)]
    call = make_outgoing(account, at=at, peer=to, paid=paid, charging="pending")
    put_in_line(call)
    return call


def put_in_line(call: Call) -> None:
    UnpricedCall.objects.update_or_create(
        account=call.account,
        started_at=call.started_at,
        call_id=call.id,
        defaults={"no_rate": False},
    )


def correct(call: Call, seconds: int) -> None:
    """As folding does it when a record changes how long the call was."""
    call.paid = [{**each, "seconds": seconds} for each in call.paid]
    call.charging, call.cost = Call.Charging.PENDING, None
    call.save()
    put_in_line(call)


def costs(calls: Iterable[Call]) -> list[Decimal | None]:
    """In the order given."""
    found = {call.pk: call.cost for call in Call.objects.all()}
    return [found[call.pk] for call in calls]


def untouched(table: str) -> list[tuple[Any, ...]]:
    """All rows with what a write of any kind would change."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT xmin, ctid, t.* FROM {table} AS t ORDER BY 3, 4, 5")  # noqa: S608
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
