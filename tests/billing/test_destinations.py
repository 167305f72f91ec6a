"""What is remembered of a number that was called."""

import pytest

from billing.destinations import destination
from calls.numbers import normalise


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("+37126123456", "+371"),
        ("0049 30 23125500", "+49"),
        ("+12025550123", "+1"),
        ("+18095550123", "+1 809"),
        ("+18765550123", "+1 876"),
        ("+77012345678", "+77"),
        ("+79161234567", "+7"),
        ("+88213001234", "+882"),
        ("+447700900123", "+44"),
        ("703123456", "+48 703"),
        ("709 123 456", "+48 709"),
        ("118913", "118"),
        ("221234567", None),
        ("501234567", None),
        ("801123456", None),
        ("112", None),
        ("101", None),
        ("", None),
    ],
)
def test_a_country_or_a_premium_range_and_nothing_more(number: str, place: str | None) -> None:
    assert destination(normalise(number)) == place
