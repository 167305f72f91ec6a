"""The terms that a leg is charged by, and what it costs by them. Pure.

Sums are exact: prices have at most six decimals, so that a sum is a whole number of millionths of a unit by the
sixtieth of a minute, until the one rounding at the end. No float ever comes near them.
"""

import hashlib
import json
from dataclasses import dataclass, field, fields
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

# A sum is counted in these parts of a currency's unit: millionths, a sixtieth each.
MILLION = 1_000_000
PARTS = 60 * MILLION


@dataclass(frozen=True, slots=True)
class Rounding:
    """A price list's rounding; `mode` is one of the decimal module's constants. ValueError for any other."""

    decimals: int = 4
    mode: str = ROUND_HALF_UP

    def __post_init__(self) -> None:
        if self.mode not in (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_UP, ROUND_DOWN):
            raise ValueError(f"there is no rounding {self.mode}")

    def apply(self, exact: Fraction) -> Decimal:
        """`exact`, which is not negative, rounded once."""
        return self.quotient(exact.numerator, exact.denominator)

    def quotient(self, numerator: int, denominator: int) -> Decimal:
        whole, rest = divmod(numerator * 10**self.decimals, denominator)
        return Decimal(whole + self._goes_up(whole, rest, denominator)).scaleb(-self.decimals)

    def _goes_up(self, whole: int, rest: int, denominator: int) -> bool:
        match self.mode:
            case "ROUND_HALF_UP":
                return 2 * rest >= denominator
            case "ROUND_HALF_EVEN":
                return 2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1)
            case "ROUND_UP":
                return rest > 0
        return False


@dataclass(frozen=True)
class Terms:
    """All that a charge was worked out from, except what is its leg's own. What it does not name is zero.

    `free`: `rule` for a number that is free by law, `list` for a destination that the price list makes free, ''
    for all others. Without a list and a rate where none was needed. ValueError for increments below a second,
    negative prices and prices of more than six decimals.
    """

    currency: str = "PLN"
    basis: str = "net"
    free: str = ""
    price_list: str = ""
    price_list_id: int | None = None
    rate_id: int | None = None
    rate_name: str = ""
    space: str = ""
    prefix: str = ""
    valid_from: str = ""
    band: str = ""
    per_minute: Decimal = Decimal(0)
    per_call: Decimal | None = None
    connection_fee: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    first_increment: int = 1
    next_increment: int = 1
    rounding: Rounding = field(default_factory=Rounding)

    def __post_init__(self) -> None:
        if min(self.first_increment, self.next_increment) < 1:
            raise ValueError(f"rate {self.rate_id}: an increment is at least one second")
        prices = (self.per_minute, self.per_call or 0, self.connection_fee, self.minimum)
        if min(prices) < 0:
            raise ValueError(f"rate {self.rate_id}: a price is not negative")

    @cached_property
    def id(self) -> int:
        """63 bits out of the content: equal terms have equal ids, wherever and whenever they are made."""
        return int.from_bytes(hashlib.blake2b(self.text.encode(), digest_size=8).digest()) >> 1

    @cached_property
    def text(self) -> str:
        """The JSON of the terms, one text for one content."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))

    @property
    def takes_bundles(self) -> bool:
        """Whether seconds of a bundle are of use: where seconds cost something."""
        return self.rate_id is not None and not self.free and self.per_call is None

    def billed_seconds(self, seconds: int) -> int:
        """`seconds` stretched to the first increment and then to whole next ones; 0 stays 0."""
        if seconds == 0:
            return 0
        beyond = max(0, seconds - self.first_increment)
        steps = -(-beyond // self.next_increment)
        return self.first_increment + steps * self.next_increment

    def amount(self, seconds: int, bundle_seconds: int = 0) -> Decimal:
        """What a leg of so many seconds costs, `bundle_seconds` of which are paid for already.

        A leg of 0 seconds, and one wholly inside its bundles, costs nothing, the connection fee neither. One that is
        half inside costs what a leg of the remaining seconds would.
        """
        return self.rounding.quotient(self._parts(seconds - bundle_seconds), PARTS)

    def price(self, seconds: int, bundle_seconds: int = 0) -> "Price":
        return Price(self, seconds, bundle_seconds)

    def exact(self, seconds: int, bundle_seconds: int = 0) -> Fraction:
        """The amount before rounding."""
        return Fraction(self._parts(seconds - bundle_seconds), PARTS)

    def _parts(self, seconds: int) -> int:
        if seconds <= 0 or self.free or self.rate_id is None:
            return 0
        per_second, once, minimum = self._prices
        return max(once + per_second * self.billed_seconds(seconds), minimum)

    @cached_property
    def _prices(self) -> tuple[int, int, int]:
        """A billed second, what is paid once, and the minimum, in `PARTS` of the currency's unit."""
        once = self.connection_fee + (self.per_call or 0)
        per_minute = self.per_minute if self.per_call is None else Decimal(0)
        return _millionths(per_minute), 60 * _millionths(once), 60 * _millionths(self.minimum)

    def to_json(self) -> dict[str, Any]:
        """The terms as plain data, money as exact text; `from_json` reads them again."""
        factors = {name: getattr(self, name) for name in PLAIN}
        for name in MONEY:
            amount = getattr(self, name)
            factors[name] = None if amount is None else _plain(amount)
        return factors | {"decimals": self.rounding.decimals, "rounding": self.rounding.mode}

    @classmethod
    def from_json(cls, factors: dict[str, Any]) -> "Terms":
        values = {name: factors[name] for name in PLAIN if name in factors}
        for name in MONEY:
            if name in factors:
                values[name] = None if factors[name] is None else Decimal(factors[name])
        return cls(**values, rounding=Rounding(factors["decimals"], factors["rounding"]))


MONEY = ("per_minute", "per_call", "connection_fee", "minimum")
PLAIN = tuple(each.name for each in fields(Terms) if each.name not in {*MONEY, "rounding"})


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one leg with all that it was worked out from: `seconds` answered, some inside bundles."""

    terms: Terms
    seconds: int
    bundle_seconds: int = 0

    @property
    def amount(self) -> Decimal:
        return self.terms.amount(self.seconds, self.bundle_seconds)

    @property
    def exact(self) -> Fraction:
        return self.terms.exact(self.seconds, self.bundle_seconds)

    @property
    def billed_seconds(self) -> int:
        """What is paid by the minute: 0 for free calls, and for those that have a price a call."""
        if self.terms.rate_id is None or self.terms.free or self.terms.per_call is not None:
            return 0
        return self.terms.billed_seconds(self.seconds - self.bundle_seconds)

    def explanation(self) -> dict[str, Any]:
        """Every factor of the price, ready for JSON; money and fractions as exact text."""
        return {
            **self.terms.to_json(),
            "seconds": self.seconds,
            "bundle_seconds": self.bundle_seconds,
            "outside_seconds": self.seconds - self.bundle_seconds,
            "billed_seconds": self.billed_seconds,
            "exact": str(self.exact),
            "amount": str(self.amount),
        }


def _millionths(amount: Decimal) -> int:
    scaled = amount.scaleb(6)
    whole = int(scaled)
    if scaled != whole:
        raise ValueError(f"a price has at most six decimals: {amount}")
    return whole


def _plain(amount: Decimal) -> str:
    """One text for one number, however it was entered: `0.1`, and never `0.100000` or `1E+1`."""
    return f"{amount.normalize():f}"
