"""Rates to test with: what a test does not name is plain."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.rating import Rate

START = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 7, 15, 10, tzinfo=UTC)
BASE_LIST = 1
OWN_LIST = 2


def make_rate(prefix: str = "48", space: str = "e164", **changes: Any) -> Rate:
    """A rate of the base list, 0.10 a minute by the second, with `changes`."""
    rate = Rate(
        space=space,
        prefix=prefix,
        name=f"{space} {prefix}",
        per_minute=Decimal("0.10"),
        connection_fee=Decimal(0),
        first_increment=1,
        next_increment=1,
        valid_from=START,
        valid_to=None,
        price_list="Base 2026",
        price_list_id=BASE_LIST,
        rate_id=1,
    )
    return replace(rate, **changes)


def own_rate(prefix: str = "48", **changes: Any) -> Rate:
    return make_rate(prefix, price_list="Own", price_list_id=OWN_LIST, **changes)
