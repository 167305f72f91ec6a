import json
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest

from billing.rating import Rate, Tariff, Unpriced, price
from billing.terms import Price, Rounding, Terms
from calls.numbers import normalise
from tests.billing.rates import BASE, NOON, OWN, make_rate, make_tariff

D = Decimal


def cost(rate: Rate, seconds: int, rounding: Rounding | None = None) -> Price:
    """The price of a Polish mobile call by this one rate."""
    listing = replace(BASE, rounding=rounding or Rounding())
    found = price(make_tariff([rate], base_listing=listing), normalise("501234567"), seconds, NOON)
    assert isinstance(found, Price)
    return found


# increments, per minute, fee, seconds, billed, amount: worked out by hand
SUMS = [
    # by the second: 0.10 / 60 a second
    ("1/1", "0.10", "0", 1, 1, "0.0017"),
    ("1/1", "0.10", "0", 2, 2, "0.0033"),
    ("1/1", "0.10", "0", 3, 3, "0.0050"),
    ("1/1", "0.10", "0", 59, 59, "0.0983"),
    ("1/1", "0.10", "0", 60, 60, "0.1000"),
    ("1/1", "0.10", "0", 61, 61, "0.1017"),
    ("1/1", "0.10", "0", 180, 180, "0.3000"),
    ("1/1", "0.10", "0", 430, 430, "0.7167"),
    ("1/1", "0.12", "0", 30, 30, "0.0600"),
    ("1/1", "0.12", "0", 47, 47, "0.0940"),
    ("1/1", "0.08", "0", 3600, 3600, "4.8000"),
    ("1/1", "0.07", "0", 36000, 36000, "42.0000"),
    ("1/1", "0.0001", "0", 29, 29, "0.0000"),
    ("1/1", "0.0001", "0", 30, 30, "0.0001"),
    # whole minutes
    ("60/60", "0.10", "0", 1, 60, "0.1000"),
    ("60/60", "0.10", "0", 59, 60, "0.1000"),
    ("60/60", "0.10", "0", 60, 60, "0.1000"),
    ("60/60", "0.10", "0", 61, 120, "0.2000"),
    ("60/60", "0.10", "0", 120, 120, "0.2000"),
    ("60/60", "0.10", "0", 121, 180, "0.3000"),
    ("60/60", "1.29", "0", 599, 600, "12.9000"),
    # the first minute whole, then by the second
    ("60/1", "0.10", "0", 1, 60, "0.1000"),
    ("60/1", "0.10", "0", 60, 60, "0.1000"),
    ("60/1", "0.10", "0", 61, 61, "0.1017"),
    ("60/1", "0.10", "0", 90, 90, "0.1500"),
    # the usual steps abroad; 57 s are 30 + 5 x 6
    ("30/6", "0.30", "0", 1, 30, "0.1500"),
    ("30/6", "0.30", "0", 30, 30, "0.1500"),
    ("30/6", "0.30", "0", 31, 36, "0.1800"),
    ("30/6", "0.30", "0", 36, 36, "0.1800"),
    ("30/6", "0.30", "0", 37, 42, "0.2100"),
    ("30/6", "0.30", "0", 57, 60, "0.3000"),
    ("30/6", "0.30", "0", 60, 60, "0.3000"),
    ("30/6", "0.30", "0", 61, 66, "0.3300"),
    # steps count from the end of the first increment, not from the start of the call
    ("90/60", "0.60", "0", 90, 90, "0.9000"),
    ("90/60", "0.60", "0", 91, 150, "1.5000"),
    ("90/60", "0.60", "0", 150, 150, "1.5000"),
    ("90/60", "0.60", "0", 151, 210, "2.1000"),
    ("1/60", "0.60", "0", 1, 1, "0.0100"),
    ("1/60", "0.60", "0", 2, 61, "0.6100"),
    ("6/6", "0.05", "0", 7, 12, "0.0100"),
    # a fee for the connection, whole and once
    ("1/1", "0.10", "0.15", 1, 1, "0.1517"),
    ("1/1", "0.09996", "0.16", 47, 47, "0.2383"),
    ("1/1", "0.10", "0.09", 60, 60, "0.1900"),
    ("60/60", "0.10", "0.09", 61, 120, "0.2900"),
    ("60/60", "0", "1.22", 1, 60, "1.2200"),
    ("60/60", "0", "1.22", 4000, 4020, "1.2200"),
    # 0 s cost 0, the fee too
    ("1/1", "0.10", "0.15", 0, 0, "0.0000"),
    ("60/60", "7.69", "1.22", 0, 0, "0.0000"),
    # a rate of zero is a price, unlike no rate
    ("60/60", "0", "0", 300, 300, "0.0000"),
]


@pytest.mark.parametrize(("steps", "per_minute", "fee", "seconds", "billed", "amount"), SUMS)
def test_a_leg_costs_what_the_price_list_says(
    steps: str, per_minute: str, fee: str, seconds: int, billed: int, amount: str
) -> None:
    first, following = map(int, steps.split("/"))
    found = cost(
        make_rate(
            per_minute=D(per_minute),
            connection_fee=D(fee),
            first_increment=first,
            next_increment=following,
        ),
        seconds,
    )
    # As text, since 0.1 and 0.1000 are equal decimals.
    assert (found.billed_seconds, str(found.amount)) == (billed, amount)


@pytest.mark.parametrize(
    ("exact", "decimals", "half_up", "half_even", "up", "down"),
    [
        (Fraction("0.00005"), 4, "0.0001", "0.0000", "0.0001", "0.0000"),
        (Fraction("0.00015"), 4, "0.0002", "0.0002", "0.0002", "0.0001"),
        (Fraction("0.00025"), 4, "0.0003", "0.0002", "0.0003", "0.0002"),
        (Fraction("0.10004"), 4, "0.1000", "0.1000", "0.1001", "0.1000"),
        (Fraction("0.10006"), 4, "0.1001", "0.1001", "0.1001", "0.1000"),
        (Fraction("0.125"), 2, "0.13", "0.12", "0.13", "0.12"),
        (Fraction("0.135"), 2, "0.14", "0.14", "0.14", "0.13"),
        (Fraction("2.5"), 0, "3", "2", "3", "2"),
        (Fraction("1.2345675"), 6, "1.234568", "1.234568", "1.234568", "1.234567"),
        (Fraction(43, 60), 2, "0.72", "0.72", "0.72", "0.71"),
        (Fraction(1, 3), 4, "0.3333", "0.3333", "0.3334", "0.3333"),
        (Fraction(3, 10), 4, "0.3000", "0.3000", "0.3000", "0.3000"),
        (Fraction(0), 4, "0.0000", "0.0000", "0.0000", "0.0000"),
        # so near to a tie that a first rounding to the nearest would make it one
        (Fraction("0.125") - Fraction(1, 3 * 10**120), 2, "0.12", "0.12", "0.13", "0.12"),
        (Fraction("0.125") + Fraction(1, 3 * 10**120), 2, "0.13", "0.13", "0.13", "0.12"),
    ],
)
def test_a_sum_is_rounded_once_in_the_way_of_its_price_list(
    exact: Fraction, decimals: int, half_up: str, half_even: str, up: str, down: str
) -> None:
    modes = [ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_UP, ROUND_DOWN]
    rounded = [str(Rounding(decimals, mode).apply(exact)) for mode in modes]
    assert rounded == [half_up, half_even, up, down]


def test_each_list_rounds_in_its_own_way() -> None:
    tariff = make_tariff(
        [make_rate("4850")],
        [make_rate("4860")],
        own_listing=replace(OWN, rounding=Rounding(2, ROUND_UP)),
    )
    found = [price(tariff, normalise(number), 61, NOON) for number in ("601234567", "501234567")]
    assert [str(p.amount) for p in found if isinstance(p, Price)] == ["0.11", "0.1017"]


def test_an_unknown_rounding_is_refused() -> None:
    with pytest.raises(ValueError, match="ROUND_CEILING"):
        Rounding(2, "ROUND_CEILING")


@pytest.mark.parametrize("number", ["112", "+48112", "997", "989", "800123456", "8001234567"])
def test_emergency_and_toll_free_numbers_cost_nothing_whatever_the_lists_say(number: str) -> None:
    dear = [make_rate(p, s, connection_fee=D(9)) for s in ("e164", "short") for p in ("", "48")]
    found = [price(make_tariff(rates), normalise(number), 60, NOON) for rates in ([], dear)]
    free = Price(Terms(free="rule"), 60)
    assert [*found, price(Tariff(), normalise(number), 60, NOON)] == [free] * 3
    assert (free.amount, free.billed_seconds) == (D(0), 0)


@pytest.mark.parametrize(
    "number", ["+4930123456", "801123456", "19491", "101", "*43", "", "jan.kowalski", "4850123456"]
)
def test_no_rate_is_no_price(number: str) -> None:
    tariff = make_tariff([make_rate("4850"), make_rate("", space="")])
    assert price(tariff, normalise(number), 1, NOON) is Unpriced.NO_RATE


def test_without_a_price_list_nothing_has_a_price() -> None:
    assert price(Tariff(), normalise("501234567"), 1, NOON) is Unpriced.NO_LIST


def test_0_seconds_cost_nothing_even_without_a_rate() -> None:
    tariff = make_tariff([], base_listing=replace(BASE, currency="EUR", basis="gross"))
    found = price(tariff, normalise("501234567"), 0, NOON)
    assert found == Price(Terms("EUR", "gross"), 0)


def test_negative_seconds_are_refused() -> None:
    with pytest.raises(ValueError, match="-1 seconds"):
        price(make_tariff([make_rate()]), normalise("112"), -1, NOON)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_increment": 0},
        {"next_increment": 0},
        {"per_minute": D("-0.01")},
        {"connection_fee": D("-0.01")},
        {"per_call": D("-0.01")},
        {"minimum": D("-0.01")},
        {"per_minute": D("0.0000001")},
    ],
)
def test_a_rate_that_cannot_be_right_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rate 1: |six decimals"):
        cost(make_rate(**wrong), 60).explanation()


def test_a_price_explains_itself_with_every_factor() -> None:
    rate = make_rate(
        "4850",
        rate_id=17,
        name="Mobile",
        per_minute=D("0.10"),
        connection_fee=D("0.15"),
        first_increment=60,
    )
    tariff = make_tariff([], [rate], own_listing=replace(OWN, rounding=Rounding(2, ROUND_UP)))
    found = price(tariff, normalise("501234567"), 61, NOON)
    assert isinstance(found, Price)
    # 0.15 + 0.10 x 61 / 60 = 0.251666… = 151/600
    assert json.loads(json.dumps(found.explanation())) == {
        "amount": "0.26",
        "currency": "PLN",
        "basis": "net",
        "exact": "151/600",
        "decimals": 2,
        "rounding": "ROUND_UP",
        "seconds": 61,
        "bundle_seconds": 0,
        "outside_seconds": 61,
        "billed_seconds": 61,
        "free": "",
        "price_list": "Own",
        "price_list_id": 2,
        "rate_id": 17,
        "valid_from": "2026-01-01T00:00:00+00:00",
        "space": "e164",
        "prefix": "4850",
        "rate_name": "Mobile",
        "band": "",
        "per_minute": "0.1",
        "per_call": None,
        "connection_fee": "0.15",
        "minimum": "0",
        "first_increment": 60,
        "next_increment": 1,
    }


def test_terms_are_the_same_after_they_were_stored_and_have_one_name_however_they_are_written() -> (
    None
):
    terms = cost(make_rate(per_minute=D("0.1"), per_call=D("2.50")), 60).terms
    again = Terms.from_json(json.loads(json.dumps(terms.to_json())))
    written_otherwise = replace(terms, per_minute=D("0.100000"), per_call=D("2.5"))
    dearer = replace(terms, per_call=D("2.51"))
    assert again == terms
    assert again.id == written_otherwise.id == terms.id != dearer.id
    assert 0 <= terms.id < 1 << 63
