"""What holds for every price list and every duration."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from billing.rating import Rate, Rounding, Tariff, price
from calls.numbers import normalise

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
    price_list=st.just(""),
    price_list_id=st.sampled_from([1, 2]),
    rate_id=st.integers(),
)
rates_in_force = rates.map(
    lambda rate: replace(rate, space="e164", prefix="48", valid_from=START, valid_to=None)
)
rate_sets = st.lists(rates, max_size=12, unique_by=lambda rate: rate.rate_id)


def amount(rate: Rate, seconds: int, rounding: Rounding) -> Decimal:
    found = price(Tariff([], [rate], {rate.price_list_id: rounding}), NUMBER, seconds, START)
    assert found is not None
    return found.amount


def billed_by_counting(rate: Rate, seconds: int) -> int:
    """The rule as a person at a switch would follow it: pay a step whenever time runs out."""
    billed = 0
    while billed < seconds:
        billed += rate.first_increment if billed == 0 else rate.next_increment
    return billed


def match_by_scanning(rates: list[Rate], space: str, digits: str, at: datetime) -> Rate | None:
    fitting = [
        rate
        for rate in rates
        if rate.space == space and digits.startswith(rate.prefix) and rate.is_valid(at)
    ]
    own = 2
    best = [(len(r.prefix), r.price_list_id == own, r.valid_from, r.rate_id, r) for r in fitting]
    return max(best, key=lambda entry: entry[:4])[4] if best else None


@given(rates_in_force, seconds, seconds, roundings)
def test_a_longer_call_never_costs_less(rate: Rate, a: int, b: int, rounding: Rounding) -> None:
    shorter, longer = sorted((a, b))
    assert amount(rate, shorter, rounding) <= amount(rate, longer, rounding)


@given(rates_in_force, st.integers(0, 2000))
def test_billed_seconds_are_those_of_a_meter_that_counts(rate: Rate, duration: int) -> None:
    assert rate.billed_seconds(duration) == billed_by_counting(rate, duration)


@given(rates_in_force, st.integers(1, 100_000), roundings)
def test_the_amount_is_the_nearest_step_to_the_exact_sum_in_the_direction_of_its_mode(
    rate: Rate, duration: int, rounding: Rounding
) -> None:
    exact = rate.cost(rate.billed_seconds(duration))
    error = Fraction(amount(rate, duration, rounding)) - exact
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
    by_second = replace(rate, connection_fee=Decimal(0), first_increment=1, next_increment=1)
    whole = by_second.cost(by_second.billed_seconds(sum(parts)))
    assert sum(by_second.cost(by_second.billed_seconds(part)) for part in parts) == whole


@given(rate_sets, st.sampled_from(["e164", "short", ""]), st.text("14", max_size=4), validity)
def test_the_rate_is_the_one_that_a_scan_of_all_rates_finds(
    all_rates: list[Rate], space: str, digits: str, at: datetime
) -> None:
    base, own = ([r for r in all_rates if r.price_list_id == i] for i in (1, 2))
    found = Tariff(own, base, {}).match(space, digits, at)
    assert found == match_by_scanning(all_rates, space, digits, at)


@given(rate_sets.flatmap(lambda r: st.tuples(st.just(r), st.permutations(r))), validity)
def test_the_order_of_the_rates_does_not_matter(
    orders: tuple[list[Rate], list[Rate]], at: datetime
) -> None:
    found = [Tariff([], order, {}).match("e164", "141414", at) for order in orders]
    assert found[0] == found[1]
