"""What holds for every price list and every duration."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from billing.rating import Rate, price
from billing.terms import Price, Rounding
from calls.numbers import Number, NumberKind, normalise
from tests.billing.rates import BASE, make_tariff

START = datetime(2026, 1, 1, tzinfo=UTC)
NUMBER = normalise("501234567")

money = st.decimals(0, 1000, places=6)
increments = st.integers(1, 200)
seconds = st.integers(0, 100_000)
roundings = st.builds(
    Rounding,
    st.integers(0, 6),
    st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_UP, ROUND_DOWN]),
)
validity = st.integers(0, 3).map(lambda days: START + timedelta(days=days))
rates = st.builds(
    Rate,
    space=st.sampled_from(["e164", "short"]),
    prefix=st.text("14", max_size=2),
    name=st.just(""),
    per_minute=money,
    connection_fee=money,
    first_increment=increments,
    next_increment=increments,
    valid_from=validity,
    valid_to=st.none() | validity,
    minimum=st.just(Decimal(0)) | money,
    rate_id=st.integers(),
)
rates_in_force = rates.map(
    lambda rate: replace(rate, space="e164", prefix="48", valid_from=START, valid_to=None)
)
rate_sets = st.lists(rates, max_size=12, unique_by=lambda rate: rate.rate_id)


def priced(rate: Rate, seconds: int, rounding: Rounding | None = None) -> Price:
    listing = replace(BASE, rounding=rounding or Rounding())
    found = price(make_tariff([rate], base_listing=listing), NUMBER, seconds, START)
    assert isinstance(found, Price)
    return found


def billed_by_counting(rate: Rate, seconds: int) -> int:
    """The rule as a person at a switch would follow it: pay a step whenever time runs out."""
    billed = 0
    while billed < seconds:
        billed += rate.first_increment if billed == 0 else rate.next_increment
    return billed


def match_by_scanning(
    own: list[Rate], base: list[Rate], number: Number, at: datetime
) -> Rate | None:
    fitting = [
        (len(rate.prefix), rates is own, rate.valid_from, rate.rate_id, rate)
        for rates in (own, base)
        for rate in rates
        if rate.space == number.space
        and number.digits.startswith(rate.prefix)
        and rate.valid_from <= at
        and (rate.valid_to is None or at < rate.valid_to)
    ]
    return max(fitting, key=lambda entry: entry[:4])[4] if fitting else None


@given(rates_in_force, seconds, seconds, roundings)
def test_a_longer_call_never_costs_less(rate: Rate, a: int, b: int, rounding: Rounding) -> None:
    shorter, longer = sorted((a, b))
    assert priced(rate, shorter, rounding).amount <= priced(rate, longer, rounding).amount


@given(rates_in_force, st.integers(0, 2000))
def test_billed_seconds_are_those_of_a_meter_that_counts(rate: Rate, duration: int) -> None:
    assert priced(rate, duration).billed_seconds == billed_by_counting(rate, duration)


@given(rates_in_force, st.integers(1, 100_000), roundings)
def test_the_amount_is_the_nearest_step_to_the_exact_sum_in_the_direction_of_its_mode(
    rate: Rate, duration: int, rounding: Rounding
) -> None:
    found = priced(rate, duration, rounding)
    error = Fraction(found.amount) - found.exact
    step = Fraction(1, 10**rounding.decimals)
    assert abs(error) < step
    if rounding.mode in (ROUND_UP, ROUND_DOWN):
        assert error == 0 or (error > 0) == (rounding.mode == ROUND_UP)
    else:
        assert abs(error) <= step / 2


@given(rates_in_force, st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_by_the_second_the_sum_of_the_parts_is_the_whole_before_rounding(
    rate: Rate, parts: list[int]
) -> None:
    nothing = Decimal(0)
    by_second = replace(
        rate, connection_fee=nothing, minimum=nothing, first_increment=1, next_increment=1
    )
    whole = priced(by_second, sum(parts)).exact
    assert sum(priced(by_second, part).exact for part in parts) == whole


# Digits of which every piece may be a prefix: the real numbering plan has too few that meet.
numbers = st.builds(
    Number,
    st.text("14", min_size=7, max_size=9).map(lambda digits: f"+1{digits}"),
    st.just(NumberKind.INTERNATIONAL),
) | st.builds(Number, st.text("14", max_size=4), st.just(NumberKind.SHORT_OTHER))


@given(rate_sets, rate_sets, numbers, validity)
def test_the_rate_is_the_one_that_a_scan_of_all_rates_finds(
    own: list[Rate], base: list[Rate], number: Number, at: datetime
) -> None:
    version = make_tariff(base, own).match(number, at)
    assert (version and version.rate) == match_by_scanning(own, base, number, at)


@given(rate_sets.flatmap(lambda r: st.tuples(st.just(r), st.permutations(r))), numbers, validity)
def test_the_order_of_the_rates_does_not_matter(
    orders: tuple[list[Rate], list[Rate]], number: Number, at: datetime
) -> None:
    versions = [make_tariff(order).match(number, at) for order in orders]
    rates = [version and version.rate for version in versions]
    assert rates[0] == rates[1]


@given(rates_in_force, seconds, seconds, roundings)
def test_a_leg_half_inside_its_bundles_costs_what_a_leg_of_the_remaining_seconds_would(
    rate: Rate, inside: int, outside: int, rounding: Rounding
) -> None:
    terms = priced(rate, 1, rounding).terms
    assert terms.amount(inside + outside, inside) == terms.amount(outside)
