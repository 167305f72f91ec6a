"""Rates and lists to test with: what a test does not name is plain."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.rating import Listing, Rate, RateTable, Tariff

START = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 7, 15, 10, tzinfo=UTC)
BASE = Listing(1, "Base 2026")
OWN = Listing(2, "Own")


def make_rate(prefix: str = "48", space: str = "e164", **changes: Any) -> Rate:
    """A rate of 0.10 a minute by the second, with `changes`."""
    rate = Rate(
        space=space,
        prefix=prefix,
        name=f"{space} {prefix}",
        per_minute=Decimal("0.10"),
        valid_from=START,
        rate_id=1,
    )
    return replace(rate, **changes)


def make_tariff(
    base: Iterable[Rate],
    own: Iterable[Rate] | None = None,
    *,
    base_listing: Listing = BASE,
    own_listing: Listing = OWN,
) -> Tariff:
    """The base list alone, or an own list over it."""
    tables = [RateTable.of(base_listing, base)]
    return Tariff(tables if own is None else [RateTable.of(own_listing, own), *tables])
