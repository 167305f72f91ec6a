"""What one paid leg costs: the rate that applies, the seconds billed, the sum and its reasons.

Pure functions on values; every amount is net or gross as its price list says. Sums are exact
fractions until the one rounding at the end, and no float ever comes near them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_05UP, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from calls.numbers import Number, NumberKind

FREE_KINDS = frozenset({NumberKind.EMERGENCY, NumberKind.TOLL_FREE_PL})


@dataclass(frozen=True, slots=True)
class Rate:
    """One version of one prefix in one price list.

    `space` and `prefix` are as in `Number.space` and `Number.digits`; the empty prefix is every
    number of the space. Valid while `valid_from <= answer < valid_to`, without end if None.
    ValueError for increments below one second and for negative prices.
    """

    space: str
    prefix: str
    name: str
    per_minute: Decimal
    connection_fee: Decimal
    first_increment: int
    next_increment: int
    valid_from: datetime
    valid_to: datetime | None
    price_list: str
    price_list_id: int
    rate_id: int

    def __post_init__(self) -> None:
        if min(self.first_increment, self.next_increment) < 1:
            raise ValueError(f"rate {self.rate_id}: an increment is at least one second")
        if self.per_minute < 0 or self.connection_fee < 0:
            raise ValueError(f"rate {self.rate_id}: a price is not negative")

    def is_valid(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def billed_seconds(self, seconds: int) -> int:
        """`seconds` stretched to the first increment and then to whole next ones; 0 stays 0."""
        if seconds == 0:
            return 0
        beyond = max(0, seconds - self.first_increment)
        steps = -(-beyond // self.next_increment)
        return self.first_increment + steps * self.next_increment

    def cost(self, billed_seconds: int) -> Fraction:
        """The exact, unrounded price of a leg that was answered."""
        minutes = Fraction(billed_seconds, 60)
        return Fraction(self.connection_fee) + Fraction(self.per_minute) * minutes


@dataclass(frozen=True, slots=True)
class Rounding:
    """A price list's rounding; `mode` is one of the decimal module's constants."""

    decimals: int = 4
    mode: str = ROUND_HALF_UP

    def apply(self, exact: Fraction) -> Decimal:
        with localcontext(prec=100, rounding=ROUND_05UP):
            # A third has no last digit. ROUND_05UP cuts it so that the true rounding, which
            # comes second, still sees on which side of a tie the exact value lies.
            quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
            return quotient.quantize(Decimal(1).scaleb(-self.decimals), rounding=self.mode)


class Tariff:
    """The rates of one account, ready to be asked: its own price list over the base list.

    `roundings` maps `price_list_id` to the list's rounding; a list not named rounds by default.
    The order in which the rates come does not matter.
    """

    def __init__(
        self,
        own: Iterable[Rate],
        base: Iterable[Rate],
        roundings: Mapping[int, Rounding],
        currency: str = "PLN",
    ) -> None:
        self.currency = currency
        self._roundings = roundings
        self._rates: dict[tuple[str, str], list[Rate]] = defaultdict(list)
        for rates in (own, base):
            for rate in sorted(rates, key=lambda r: (r.valid_from, r.rate_id), reverse=True):
                self._rates[rate.space, rate.prefix].append(rate)
        self._longest = max((len(prefix) for _, prefix in self._rates), default=0)

    def match(self, space: str, digits: str, at: datetime) -> Rate | None:
        """The rate for a call answered `at`, or None.

        Among the rates valid then, the longest prefix wins over everything, then the own list
        over the base list, then the version that began last.
        """
        for length in range(min(len(digits), self._longest), -1, -1):
            for rate in self._rates.get((space, digits[:length]), ()):
                if rate.is_valid(at):
                    return rate
        return None

    def rounding(self, rate: Rate) -> Rounding:
        return self._roundings.get(rate.price_list_id, Rounding())


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one paid leg with all that it was worked out from.

    `exact` is the sum before rounding. `rate` and `rounding` are None where none was needed:
    for a number free by rule, and for 0 seconds to a number without a rate.
    """

    amount: Decimal
    currency: str
    exact: Fraction
    seconds: int
    billed_seconds: int
    answered_at: datetime
    rate: Rate | None = None
    rounding: Rounding | None = None
    free_by_rule: bool = False

    def explanation(self) -> dict[str, str | int | bool]:
        """Every factor of the price, ready for JSON; money and fractions as exact text."""
        return {
            "amount": str(self.amount),
            "currency": self.currency,
            "seconds": self.seconds,
            "billed_seconds": self.billed_seconds,
            "answered_at": self.answered_at.isoformat(),
            "free_by_rule": self.free_by_rule,
            **self._rate_factors(),
            **self._rounding_factors(),
        }

    def _rate_factors(self) -> dict[str, str | int | bool]:
        if self.rate is None:
            return {}
        return {
            "price_list": self.rate.price_list,
            "price_list_id": self.rate.price_list_id,
            "rate_id": self.rate.rate_id,
            "valid_from": self.rate.valid_from.isoformat(),
            "space": self.rate.space,
            "prefix": self.rate.prefix,
            "rate_name": self.rate.name,
            "per_minute": str(self.rate.per_minute),
            "connection_fee": str(self.rate.connection_fee),
            "first_increment": self.rate.first_increment,
            "next_increment": self.rate.next_increment,
        }

    def _rounding_factors(self) -> dict[str, str | int | bool]:
        if self.rounding is None:
            return {}
        return {
            "exact": str(self.exact),
            "decimals": self.rounding.decimals,
            "rounding": self.rounding.mode,
        }


def price(tariff: Tariff, number: Number, seconds: int, answered_at: datetime) -> Price | None:
    """Price a leg to `number`, answered for `seconds` whole seconds from `answered_at` (aware).

    None means that there is no rate, which is never a price of zero. Zero are only: a number free
    by rule (emergency, toll-free), whatever the lists say; 0 seconds, without the connection fee
    too; and a rate of zero. ValueError for negative seconds.
    """
    if seconds < 0:
        raise ValueError(f"a leg cannot last {seconds} seconds")
    if number.kind in FREE_KINDS:
        return _nothing(tariff, seconds, answered_at, free_by_rule=True)
    rate = tariff.match(number.space, number.digits, answered_at) if number.space else None
    if rate is not None:
        return _rated(tariff, rate, seconds, answered_at)
    return None if seconds else _nothing(tariff, seconds, answered_at)


def _rated(tariff: Tariff, rate: Rate, seconds: int, answered_at: datetime) -> Price:
    billed = rate.billed_seconds(seconds)
    exact = rate.cost(billed) if seconds else Fraction(0)
    rounding = tariff.rounding(rate)
    return Price(
        amount=rounding.apply(exact),
        currency=tariff.currency,
        exact=exact,
        seconds=seconds,
        billed_seconds=billed,
        answered_at=answered_at,
        rate=rate,
        rounding=rounding,
    )


def _nothing(
    tariff: Tariff, seconds: int, answered_at: datetime, *, free_by_rule: bool = False
) -> Price:
    return Price(
        amount=Decimal(0),
        currency=tariff.currency,
        exact=Fraction(0),
        seconds=seconds,
        billed_seconds=0,
        answered_at=answered_at,
        free_by_rule=free_by_rule,
    )
