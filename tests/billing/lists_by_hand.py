"""Price lists for the sums that were worked out by hand."""

from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from billing.bands import Hours
from billing.rating import Listing, Rate, Tariff
from billing.terms import Rounding
from tests.billing.rates import make_rate, make_tariff

WARSAW = ZoneInfo("Europe/Warsaw")
D = Decimal


def local(text: str) -> datetime:
    """A wall clock in Warsaw; the second of two equal hours in autumn has an x behind it."""
    return datetime.fromisoformat(text.rstrip("x")).replace(tzinfo=WARSAW, fold=text.endswith("x"))


def steps(first: int, following: int) -> dict[str, Any]:
    return {"first_increment": first, "next_increment": following}


def by_minute(prefix: str, price: str, space: str = "e164", **terms: Any) -> Rate:
    return make_rate(prefix, space, per_minute=D(price), **terms)


def by_call(prefix: str, price: str, space: str = "e164", **terms: Any) -> Rate:
    return make_rate(prefix, space, per_minute=D(0), per_call=D(price), **terms)


WORLD = [
    by_minute("48", "0.06"),
    by_minute("485", "0.12"),
    by_minute("4850", "0.10"),
    by_minute("48501", "0.09"),
    by_minute("4870", "2.52", **steps(60, 60)),
    by_call("48708", "4.065"),
    by_call("48801", "0.285"),
    by_minute("48804", "0.16", **steps(60, 60)),
    by_minute("1", "0.20"),
    by_minute("1242", "0.80"),
    by_minute("1949", "0.35"),
    by_minute("998", "0.90", **steps(30, 6)),
    by_minute("33", "0.0049"),
    by_minute("44", "0.20", connection_fee=D("0.05")),
    by_minute("447", "0.55", **steps(60, 60)),
    by_minute("49", "0.30", **steps(30, 6)),
    by_minute("380", "0.75", minimum=D("0.50"), **steps(60, 1)),
    by_minute("375", "0", connection_fee=D("0.10"), minimum=D("0.25")),
    make_rate("53", treatment="blocked"),
    make_rate("354", treatment="free", connection_fee=D(1)),
    by_minute("19", "0.35", "short", **steps(60, 1)),
    by_call("1949", "1.22", "short"),
    by_minute("118", "2.40", "short", **steps(60, 60)),
    make_rate("116", "short", treatment="free"),
]
OWN = [
    by_minute("48", "0.05"),
    by_minute("4850", "0.08"),
    by_minute("49", "0.25"),
    by_minute("4930", "0.21"),
    by_call("48801", "0.20"),
    make_rate("998", treatment="blocked"),
    make_rate("53", per_minute=D("1.50")),
]
CHANGED = local("2026-08-01 00:00")
DATED = [
    by_minute("48", "0.12", rate_id=1, valid_to=CHANGED),
    by_minute("48", "0.15", rate_id=2, valid_from=CHANGED),
    by_minute("49", "0.30", rate_id=3, valid_to=CHANGED),
]
BANDS = [
    by_minute("48", "0.30", evening=D("0.18"), weekend=D("0.12")),
    by_call("48801", "0.35", evening=D("0.28"), weekend=D("0.21")),
    by_minute("49", "0.60", weekend=D("0.45")),
    by_minute("33", "0.24"),
]
DAY = Hours(time(8), time(18))


def rounded(prefix: str, price: str, listing: Listing) -> Tariff:
    return make_tariff([by_minute(prefix, price)], base_listing=listing)


def _list(decimals: int, mode: str, basis: str = "net") -> Listing:
    return Listing(1, "Base", basis=basis, rounding=Rounding(decimals, mode))


MODES = {
    "up": "ROUND_UP",
    "down": "ROUND_DOWN",
    "half up": "ROUND_HALF_UP",
    "half even": "ROUND_HALF_EVEN",
}
STEPS = {"1/1": (1, 1), "60/60": (60, 60), "60/1": (60, 1), "30/6": (30, 6), "1/60": (1, 60)}
TARIFFS = {
    "world": make_tariff(WORLD),
    "own over world": make_tariff(WORLD, OWN),
    "dated": make_tariff(DATED),
    "bands": make_tariff(BANDS, base_listing=Listing(1, "Base", hours=DAY)),
    "bands without hours": make_tariff(BANDS),
    "gross": make_tariff(
        [by_minute("48", "0.123"), by_call("48801", "0.35", connection_fee=D("0.05"))],
        base_listing=_list(2, "ROUND_UP", "gross"),
    ),
    **{
        f"0.30 by {name}": make_tariff([by_minute("48", "0.30", **steps(*pair))])
        for name, pair in STEPS.items()
    },
    **{
        f"{price} {name} to {decimals}": rounded("48", price, _list(decimals, mode))
        for name, mode in MODES.items()
        for price, decimals in (("0.05", 2), ("0.15", 2), ("0.0049", 4), ("0.10", 4), ("1", 0))
    },
    "fee and minimum": make_tariff(
        [replace(by_minute("48", "0.10"), connection_fee=D("0.15"), minimum=D("0.20"))]
    ),
}
