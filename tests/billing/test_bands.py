"""Which days are no workdays."""

from datetime import date

import pytest

from billing.bands import is_day_off


@pytest.mark.parametrize(
    ("day", "off"),
    [
        (date(2024, 12, 24), False),  # a Tuesday; the law came a year later
        (date(2025, 12, 24), True),
        (date(2026, 12, 24), True),
        (date(2026, 8, 14), False),
        (date(2026, 8, 15), True),
        (date(2025, 4, 21), True),  # Easter Monday is on another day every year
        (date(2026, 4, 6), True),
        (date(2027, 3, 29), True),
        (date(2026, 5, 4), False),  # no day is given for a holiday that fell on a Sunday
    ],
)
def test_public_holidays_are_those_of_poland_by_the_law_of_their_year(day: date, off: bool) -> None:
    assert is_day_off(day) == off
