"""Which rate applies to a number at a time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing.rating import Rate, Tariff, Unpriced, price
from calls.numbers import Number, normalise
from tests.billing.rates import NOON, START, make_rate, make_tariff


def found(tariff: Tariff, number: Number, at: datetime = NOON) -> Rate | None:
    version = tariff.match(number, at)
    return version.rate if version else None


def mobile() -> Number:
    return normalise("501234567")


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("501234567", "4850"),
        ("511234567", "48"),
        ("221234567", "4822"),
        ("00221234567", None),
        ("+12125550123", "1"),
        ("+12425550123", "1242"),
        ("+998901234567", "998"),
        ("+19495550123", "1949"),
    ],
)
def test_the_longest_prefix_wins_even_where_a_shorter_one_is_cheaper(
    number: str, prefix: str | None
) -> None:
    prefixes = ["1", "1242", "1949", "48", "4822", "4850", "998"]
    rates = [make_rate(p, per_minute=Decimal(len(p)), rate_id=i) for i, p in enumerate(prefixes)]
    rate = found(make_tariff(rates), normalise(number))
    assert (rate.prefix if rate else None) == prefix


def test_short_numbers_and_foreign_prefixes_never_meet() -> None:
    e164 = [make_rate(p) for p in ("1", "19", "194", "1949", "48", "118")]
    short = [make_rate(p, space="short") for p in ("19", "118")]
    numbers = [normalise(n) for n in ("19491", "22 19491", "118913", "116111")]
    only_abroad = [price(make_tariff(e164), n, 60, NOON) for n in numbers]
    both = [found(make_tariff(e164 + short), n) for n in numbers]
    assert only_abroad == [Unpriced.NO_RATE] * 4
    assert both == [short[0], short[0], short[1], None]
    assert found(make_tariff(short), normalise("+19495550123")) is None


def test_the_empty_prefix_is_every_number_of_its_space_and_no_other() -> None:
    tariff = make_tariff([make_rate("")])
    numbers = [normalise(text) for text in ("+4930123456", "19491", "jan.kowalski")]
    assert [found(tariff, number) for number in numbers] == [make_rate(""), None, None]


@pytest.mark.parametrize(
    ("own", "base", "chosen"),
    [
        (["48"], ["48"], ("Own", "48")),
        (["48"], ["4850"], ("Base 2026", "4850")),
        (["4850"], ["48"], ("Own", "4850")),
        ([""], ["4"], ("Base 2026", "4")),
        (["49"], ["48"], ("Base 2026", "48")),
    ],
)
def test_the_own_list_wins_only_a_tie(
    own: list[str], base: list[str], chosen: tuple[str, str]
) -> None:
    version = make_tariff(map(make_rate, base), map(make_rate, own)).match(mobile(), NOON)
    assert version is not None
    assert (version.listing.name, version.rate.prefix) == chosen


JULY, AUGUST = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
VERSIONS = [
    make_rate(rate_id=1, valid_to=JULY),
    make_rate(rate_id=2, valid_from=JULY),
    make_rate(rate_id=3, valid_from=AUGUST),
    make_rate("4850", rate_id=4, valid_from=JULY, valid_to=AUGUST),
]
OWN_VERSION = make_rate("4850", rate_id=5, valid_from=JULY + SECOND, valid_to=JULY + 2 * SECOND)


@pytest.mark.parametrize(
    ("at", "rate_id"),
    [
        (START - SECOND, None),
        (START, 1),
        (JULY - SECOND, 1),
        (JULY, 4),
        (JULY + SECOND, 5),
        (JULY + 2 * SECOND, 4),
        (AUGUST - SECOND, 4),
        # 2 is still valid without end, but 3 began later
        (AUGUST, 3),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_version_valid_at_the_answer_holds(
    at: datetime, rate_id: int | None, backwards: bool
) -> None:
    ordered = VERSIONS[::-1] if backwards else VERSIONS
    rate = found(make_tariff(ordered, [OWN_VERSION]), mobile(), at)
    assert (rate and rate.rate_id) == rate_id


def test_of_two_versions_begun_together_the_one_entered_last_holds() -> None:
    twins = [make_rate(rate_id=2), make_rate(rate_id=1)]
    chosen = [found(make_tariff(rates), mobile()) for rates in (twins, twins[::-1])]
    assert chosen == [twins[0], twins[0]]
