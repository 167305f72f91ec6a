"""On a moved clock through 400 days: after each night, exactly the calls of the last 365 local days are there."""

import pytest

from calls.retention import purge
from tests.calls import nights

# Of ordinary nights, on which nothing is new, one in so many is looked at, after as many days off: this is also how
# the purge catches up. benchmarks/nights.py takes all.
ORDINARY = 14


@pytest.mark.django_db(transaction=True)
def test_after_a_night_exactly_the_calls_of_the_last_365_local_days_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(purge, "REST", 0)
    chosen = [
        night
        for number, night in enumerate(nights.NIGHTS)
        if nights.is_special(night) or number % ORDINARY == 0
    ]

    nights.check_nights(nights.firms(), chosen)
