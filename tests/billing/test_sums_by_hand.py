"""Sums worked out by hand: the exact fraction before rounding, and the amount. Not one of them was computed by us."""

from fractions import Fraction

import pytest

from billing.rating import Unpriced, price
from billing.terms import Price
from calls.numbers import normalise
from tests.billing.lists_by_hand import TARIFFS, WARSAW, local

WEDNESDAY = "2026-07-15 12:00"

# How a number may be written: 0.09 × 61 / 60 = 5.49 / 60
NOTATIONS = [
    ("world", number, WEDNESDAY, 61, "183/2000", "0.0915")
    for number in (
        *("501234567", "+48501234567", "0048501234567", "0501234567", "48501234567"),
        *("+48 501 234 567", "501-234-567", "(0) 501 234 567", "tel:+48501234567"),
        "sip:501234567@pbx.example",
    )
]
OVERLAPPING = [
    ("world", "501234567", WEDNESDAY, 60, "9/100", "0.0900"),  # 48501: 0.09
    ("world", "502234567", WEDNESDAY, 60, "1/10", "0.1000"),  # 4850, though 48501 is near
    ("world", "511234567", WEDNESDAY, 60, "3/25", "0.1200"),  # 485: 0.12, dearer than 48
    ("world", "601234567", WEDNESDAY, 60, "3/50", "0.0600"),  # 48: 0.06
    ("world", "221234567", WEDNESDAY, 60, "3/50", "0.0600"),
    ("world", "483611234", WEDNESDAY, 60, "3/50", "0.0600"),  # Radom: nine digits, not +48
    ("world", "391234567", WEDNESDAY, 60, "3/50", "0.0600"),  # VoIP
    ("world", "+12125550123", WEDNESDAY, 60, "1/5", "0.2000"),  # 1
    ("world", "0012125550123", WEDNESDAY, 60, "1/5", "0.2000"),
    ("world", "+12425550123", WEDNESDAY, 60, "4/5", "0.8000"),  # 1242: Bahamas
    ("world", "+442079460000", WEDNESDAY, 61, "19/75", "0.2533"),  # 0.05 + 12.2/60 = 15.2/60
    ("world", "+447700900123", WEDNESDAY, 61, "11/10", "1.1000"),  # 120 s × 0.55 / 60
    ("world", "00221234567", WEDNESDAY, 60, Unpriced.NO_RATE, ""),  # Senegal, not Warsaw
    ("world", "0221234567", WEDNESDAY, 60, "3/50", "0.0600"),  # the old trunk 0: Warsaw
]
SHORT = [
    *(
        ("world", number, WEDNESDAY, 600, "0", "0.0000")
        for number in ("112", "997", "998", "999", "984", "985", "991", "994", "+48112", "0048998")
    ),
    ("world", "+998901234567", WEDNESDAY, 60, "9/10", "0.9000"),  # Uzbekistan: 60 s × 0.90 / 60
    ("world", "00998901234567", WEDNESDAY, 61, "99/100", "0.9900"),  # 30 + 6 × 6 = 66 s
    ("world", "19491", WEDNESDAY, 600, "61/50", "1.2200"),  # 1949 by the call
    ("world", "2219491", WEDNESDAY, 1, "61/50", "1.2200"),  # the same with its area code
    ("world", "+19495550123", WEDNESDAY, 60, "7/20", "0.3500"),  # California: 0.35
    ("world", "+19495550123", WEDNESDAY, 1, "7/1200", "0.0058"),  # 0.35 / 60
    ("world", "19115", WEDNESDAY, 1, "7/20", "0.3500"),  # 19: 60/1
    ("world", "19115", WEDNESDAY, 90, "21/40", "0.5250"),  # 0.35 × 1.5
    ("world", "118913", WEDNESDAY, 61, "24/5", "4.8000"),  # 120 s × 2.40 / 60
    ("world", "+11891355501", WEDNESDAY, 60, "1/5", "0.2000"),  # 1, and no directory enquiry
    ("world", "116111", WEDNESDAY, 600, "0", "0.0000"),  # free by the list
    ("world", "800123456", WEDNESDAY, 600, "0", "0.0000"),  # free by rule
    ("world", "+48800123456", WEDNESDAY, 600, "0", "0.0000"),
    ("world", "101", WEDNESDAY, 60, Unpriced.NO_RATE, ""),  # an extension
    ("world", "*97", WEDNESDAY, 60, Unpriced.NO_RATE, ""),
]
PREMIUM = [
    *(  # 4870 as a whole, in use or not: 60/60, 61 s are 120 s × 2.52 / 60
        ("world", f"{beginning}123456", WEDNESDAY, 61, "126/25", "5.0400")
        for beginning in ("700", "701", "702", "703", "704", "705", "706", "707", "709")
    ),
    ("world", "708123456", WEDNESDAY, 1, "813/200", "4.0650"),  # by the call
    ("world", "708123456", WEDNESDAY, 3600, "813/200", "4.0650"),
    ("world", "700123456", WEDNESDAY, 60, "63/25", "2.5200"),
    ("world", "700123456", WEDNESDAY, 0, "0", "0.0000"),
]
BY_CALL = [
    ("world", "801123456", WEDNESDAY, 0, "0", "0.0000"),
    ("world", "801123456", WEDNESDAY, 1, "57/200", "0.2850"),
    ("world", "801123456", WEDNESDAY, 60, "57/200", "0.2850"),
    ("world", "801123456", WEDNESDAY, 93600, "57/200", "0.2850"),
    ("world", "804123456", WEDNESDAY, 61, "8/25", "0.3200"),  # 120 s × 0.16 / 60
    ("gross", "801123456", WEDNESDAY, 10, "2/5", "0.40"),  # 0.35 + 0.05 fee
]
# 0.30 a minute is 0.005 a second: billed seconds × 0.005
INCREMENTS = [
    ("0.30 by 1/1", "221234567", WEDNESDAY, 0, "0", "0.0000"),
    ("0.30 by 1/1", "221234567", WEDNESDAY, 1, "1/200", "0.0050"),
    ("0.30 by 1/1", "221234567", WEDNESDAY, 59, "59/200", "0.2950"),
    ("0.30 by 1/1", "221234567", WEDNESDAY, 60, "3/10", "0.3000"),
    ("0.30 by 1/1", "221234567", WEDNESDAY, 61, "61/200", "0.3050"),
    ("0.30 by 1/1", "221234567", WEDNESDAY, 93600, "468", "468.0000"),  # 26 h
    ("0.30 by 60/60", "221234567", WEDNESDAY, 0, "0", "0.0000"),
    ("0.30 by 60/60", "221234567", WEDNESDAY, 1, "3/10", "0.3000"),
    ("0.30 by 60/60", "221234567", WEDNESDAY, 59, "3/10", "0.3000"),
    ("0.30 by 60/60", "221234567", WEDNESDAY, 60, "3/10", "0.3000"),
    ("0.30 by 60/60", "221234567", WEDNESDAY, 61, "3/5", "0.6000"),
    ("0.30 by 60/60", "221234567", WEDNESDAY, 120, "3/5", "0.6000"),
    ("0.30 by 60/60", "221234567", WEDNESDAY, 121, "9/10", "0.9000"),
    ("0.30 by 60/60", "221234567", WEDNESDAY, 93600, "468", "468.0000"),
    ("0.30 by 60/60", "221234567", WEDNESDAY, 93601, "4683/10", "468.3000"),
    ("0.30 by 60/1", "221234567", WEDNESDAY, 0, "0", "0.0000"),
    ("0.30 by 60/1", "221234567", WEDNESDAY, 1, "3/10", "0.3000"),
    ("0.30 by 60/1", "221234567", WEDNESDAY, 59, "3/10", "0.3000"),
    ("0.30 by 60/1", "221234567", WEDNESDAY, 60, "3/10", "0.3000"),
    ("0.30 by 60/1", "221234567", WEDNESDAY, 61, "61/200", "0.3050"),
    ("0.30 by 60/1", "221234567", WEDNESDAY, 93601, "93601/200", "468.0050"),
    ("0.30 by 30/6", "221234567", WEDNESDAY, 0, "0", "0.0000"),
    ("0.30 by 30/6", "221234567", WEDNESDAY, 1, "3/20", "0.1500"),  # 30 s
    ("0.30 by 30/6", "221234567", WEDNESDAY, 29, "3/20", "0.1500"),
    ("0.30 by 30/6", "221234567", WEDNESDAY, 30, "3/20", "0.1500"),
    ("0.30 by 30/6", "221234567", WEDNESDAY, 31, "9/50", "0.1800"),  # 36 s
    ("0.30 by 30/6", "221234567", WEDNESDAY, 36, "9/50", "0.1800"),
    ("0.30 by 30/6", "221234567", WEDNESDAY, 37, "21/100", "0.2100"),  # 42 s
    ("0.30 by 30/6", "221234567", WEDNESDAY, 57, "3/10", "0.3000"),  # 30 + 5 × 6
    ("0.30 by 30/6", "221234567", WEDNESDAY, 59, "3/10", "0.3000"),
    ("0.30 by 30/6", "221234567", WEDNESDAY, 60, "3/10", "0.3000"),
    ("0.30 by 30/6", "221234567", WEDNESDAY, 61, "33/100", "0.3300"),  # 66 s
    ("0.30 by 30/6", "221234567", WEDNESDAY, 93600, "468", "468.0000"),  # 30 + 15595 × 6
    ("0.30 by 1/60", "221234567", WEDNESDAY, 1, "1/200", "0.0050"),
    ("0.30 by 1/60", "221234567", WEDNESDAY, 2, "61/200", "0.3050"),  # 1 + 60 s
    ("0.30 by 1/60", "221234567", WEDNESDAY, 61, "61/200", "0.3050"),
    ("0.30 by 1/60", "221234567", WEDNESDAY, 62, "121/200", "0.6050"),
]
FEE_AND_MINIMUM = [
    ("fee and minimum", "221234567", WEDNESDAY, 0, "0", "0.0000"),
    ("fee and minimum", "221234567", WEDNESDAY, 1, "1/5", "0.2000"),  # 0.1517 is less
    ("fee and minimum", "221234567", WEDNESDAY, 30, "1/5", "0.2000"),  # exactly the minimum
    ("fee and minimum", "221234567", WEDNESDAY, 31, "121/600", "0.2017"),  # 0.15 + 3.1/60
    ("fee and minimum", "221234567", WEDNESDAY, 60, "1/4", "0.2500"),
    ("world", "+380441234567", WEDNESDAY, 1, "3/4", "0.7500"),  # 60 s, more than the minimum
    ("world", "+380441234567", WEDNESDAY, 61, "61/80", "0.7625"),  # 0.75 × 61 / 60
    ("world", "+375171234567", WEDNESDAY, 300, "1/4", "0.2500"),  # fee 0.10, minimum 0.25
    ("world", "+375171234567", WEDNESDAY, 0, "0", "0.0000"),
    ("world", "+442079460000", WEDNESDAY, 0, "0", "0.0000"),  # not even the fee
    ("world", "+442079460000", WEDNESDAY, 3, "3/50", "0.0600"),  # 0.05 + 0.6/60
]
SMALL = [
    ("world", "+33123456789", WEDNESDAY, 1, "49/600000", "0.0001"),  # 0.0049 / 60 = 0.0000816…
    ("world", "+33123456789", WEDNESDAY, 60, "49/10000", "0.0049"),
    ("world", "+33123456789", WEDNESDAY, 59, "2891/600000", "0.0048"),  # 0.00481833…
    ("world", "+33123456789", WEDNESDAY, 61, "2989/600000", "0.0050"),  # 0.00498166…
    ("world", "+33123456789", WEDNESDAY, 93600, "1911/250", "7.6440"),  # 0.0049 × 1560
    ("0.0049 half up to 4", "221234567", WEDNESDAY, 30, "49/20000", "0.0025"),  # 0.00245
    ("0.0049 half even to 4", "221234567", WEDNESDAY, 30, "49/20000", "0.0024"),
    ("0.0049 up to 4", "221234567", WEDNESDAY, 1, "49/600000", "0.0001"),
    ("0.0049 down to 4", "221234567", WEDNESDAY, 59, "2891/600000", "0.0048"),
    ("0.0049 down to 4", "221234567", WEDNESDAY, 1, "49/600000", "0.0000"),
]
ROUNDED = [
    # 0.05 × 30 / 60 = 0.025
    ("0.05 half up to 2", "221234567", WEDNESDAY, 30, "1/40", "0.03"),
    ("0.05 half even to 2", "221234567", WEDNESDAY, 30, "1/40", "0.02"),
    ("0.05 up to 2", "221234567", WEDNESDAY, 30, "1/40", "0.03"),
    ("0.05 down to 2", "221234567", WEDNESDAY, 30, "1/40", "0.02"),
    # 0.15 × 30 / 60 = 0.075
    ("0.15 half up to 2", "221234567", WEDNESDAY, 30, "3/40", "0.08"),
    ("0.15 half even to 2", "221234567", WEDNESDAY, 30, "3/40", "0.08"),
    ("0.15 up to 2", "221234567", WEDNESDAY, 30, "3/40", "0.08"),
    ("0.15 down to 2", "221234567", WEDNESDAY, 30, "3/40", "0.07"),
    # 0.10 × 180 / 60: a whole amount stays one, where adding 0.00167 a second would drift
    ("0.10 half up to 4", "221234567", WEDNESDAY, 180, "3/10", "0.3000"),
    ("0.10 up to 4", "221234567", WEDNESDAY, 180, "3/10", "0.3000"),
    ("0.10 up to 4", "221234567", WEDNESDAY, 430, "43/60", "0.7167"),  # 0.71666…
    ("0.10 down to 4", "221234567", WEDNESDAY, 430, "43/60", "0.7166"),
    ("0.10 half up to 4", "221234567", WEDNESDAY, 430, "43/60", "0.7167"),
    # 1 × 90 / 60 = 1.5, and 2.5, to whole złoty
    ("1 half up to 0", "221234567", WEDNESDAY, 90, "3/2", "2"),
    ("1 half even to 0", "221234567", WEDNESDAY, 90, "3/2", "2"),
    ("1 half up to 0", "221234567", WEDNESDAY, 150, "5/2", "3"),
    ("1 half even to 0", "221234567", WEDNESDAY, 150, "5/2", "2"),
]
GROSS = [
    ("gross", "221234567", WEDNESDAY, 60, "123/1000", "0.13"),  # up to the grosz
    ("gross", "221234567", WEDNESDAY, 600, "123/100", "1.23"),
    ("gross", "221234567", WEDNESDAY, 1, "41/20000", "0.01"),  # 0.00205
    ("gross", "221234567", WEDNESDAY, 0, "0", "0.00"),
]
# The price changes on 1 August 2026, 0:00 in Warsaw, which is 22:00 UTC.
DATED = [
    ("dated", "221234567", "2026-07-31 23:59:59", 60, "3/25", "0.1200"),
    ("dated", "221234567", "2026-08-01 00:00:00", 60, "3/20", "0.1500"),
    (
        "dated",
        "221234567",
        "2026-07-31 23:59:59",
        7200,
        "72/5",
        "14.4000",
    ),  # 120 × 0.12: no splitting
    ("dated", "+4930123456", "2026-07-31 23:59:59", 60, "3/10", "0.3000"),
    ("dated", "+4930123456", "2026-08-01 00:00:00", 60, Unpriced.NO_RATE, ""),
    ("dated", "221234567", "2025-12-31 12:00", 60, Unpriced.NO_RATE, ""),  # before the first
    ("dated", "221234567", "2026-01-01 01:00", 60, "3/25", "0.1200"),  # its first second, in UTC
    ("dated", "221234567", "2026-01-01 00:59:59", 60, Unpriced.NO_RATE, ""),
]
# 0.30 by day, 0.18 in the evening, 0.12 at the weekend; the day is from 8 to 18.
BANDS = [
    ("bands", "221234567", "2026-07-15 08:00:00", 60, "3/10", "0.3000"),  # Wednesday
    ("bands", "221234567", "2026-07-15 07:59:59", 60, "9/50", "0.1800"),
    ("bands", "221234567", "2026-07-15 17:59:59", 60, "3/10", "0.3000"),
    ("bands", "221234567", "2026-07-15 17:59:59", 3600, "18", "18.0000"),  # the whole leg by day
    ("bands", "221234567", "2026-07-15 18:00:00", 60, "9/50", "0.1800"),
    ("bands", "221234567", "2026-07-17 23:59:59", 60, "9/50", "0.1800"),  # Friday night
    ("bands", "221234567", "2026-07-18 00:00:00", 60, "3/25", "0.1200"),  # Saturday
    ("bands", "221234567", "2026-07-19 23:59:59", 60, "3/25", "0.1200"),  # Sunday
    ("bands", "221234567", "2026-07-20 00:00:00", 60, "9/50", "0.1800"),  # Monday night
    ("bands", "801123456", "2026-07-15 12:00", 99, "7/20", "0.3500"),  # by the call, by day
    ("bands", "801123456", "2026-07-15 19:00", 99, "7/25", "0.2800"),
    ("bands", "801123456", "2026-07-18 12:00", 99, "21/100", "0.2100"),
    (
        "bands",
        "+4930123456",
        "2026-07-15 19:00",
        60,
        "3/5",
        "0.6000",
    ),  # no price of its own for the evening
    ("bands", "+4930123456", "2026-07-18 19:00", 60, "9/20", "0.4500"),
    ("bands", "+33123456789", "2026-07-18 19:00", 60, "6/25", "0.2400"),  # always the same
    ("bands without hours", "221234567", "2026-07-18 19:00", 60, "3/10", "0.3000"),
    # the night of 29 March 2026, 2:00 → 3:00; the mornings before and after it
    ("bands", "221234567", "2026-03-27 08:00:00", 60, "3/10", "0.3000"),  # 7:00 UTC
    ("bands", "221234567", "2026-03-29 01:59:59", 60, "3/25", "0.1200"),  # Sunday
    ("bands", "221234567", "2026-03-29 03:00:00", 60, "3/25", "0.1200"),
    ("bands", "221234567", "2026-03-29 23:59:59", 60, "3/25", "0.1200"),  # 21:59:59 UTC
    ("bands", "221234567", "2026-03-30 00:00:00", 60, "9/50", "0.1800"),  # 22:00 UTC
    ("bands", "221234567", "2026-03-30 08:00:00", 60, "3/10", "0.3000"),  # 6:00 UTC
    ("bands", "221234567", "2026-03-30 07:59:59", 60, "9/50", "0.1800"),
    # the night of 25 October 2026, 3:00 → 2:00
    ("bands", "221234567", "2026-10-24 00:00:00", 60, "3/25", "0.1200"),  # Saturday, 22:00 UTC
    ("bands", "221234567", "2026-10-25 02:30:00", 60, "3/25", "0.1200"),
    ("bands", "221234567", "2026-10-25 02:30:00x", 60, "3/25", "0.1200"),
    ("bands", "221234567", "2026-10-25 23:59:59", 60, "3/25", "0.1200"),  # 22:59:59 UTC
    ("bands", "221234567", "2026-10-26 00:00:00", 60, "9/50", "0.1800"),  # 23:00 UTC
    ("bands", "221234567", "2026-10-26 08:00:00", 60, "3/10", "0.3000"),  # 7:00 UTC
    ("bands", "221234567", "2026-10-26 07:59:59", 60, "9/50", "0.1800"),
    # holidays: all weekdays but the last two
    ("bands", "221234567", "2026-12-24 12:00", 60, "3/25", "0.1200"),  # a holiday since 2025
    ("bands", "221234567", "2026-12-23 12:00", 60, "3/10", "0.3000"),
    ("bands", "221234567", "2026-12-25 12:00", 60, "3/25", "0.1200"),
    ("bands", "221234567", "2026-12-31 12:00", 60, "3/10", "0.3000"),
    ("bands", "221234567", "2026-01-06 12:00", 60, "3/25", "0.1200"),  # Epiphany
    ("bands", "221234567", "2026-04-06 12:00", 60, "3/25", "0.1200"),  # Easter Monday
    ("bands", "221234567", "2026-04-03 12:00", 60, "3/10", "0.3000"),  # Good Friday is none
    ("bands", "221234567", "2026-05-01 12:00", 60, "3/25", "0.1200"),
    ("bands", "221234567", "2026-06-04 12:00", 60, "3/25", "0.1200"),  # Corpus Christi
    ("bands", "221234567", "2026-11-11 12:00", 60, "3/25", "0.1200"),
    ("bands", "221234567", "2026-05-02 12:00", 60, "3/25", "0.1200"),  # a Saturday
    ("bands", "221234567", "2026-05-03 12:00", 60, "3/25", "0.1200"),  # a Sunday
]
OWN_OVER_BASE = [
    ("own over world", "221234567", WEDNESDAY, 60, "1/20", "0.0500"),  # 48 in both: own
    (
        "own over world",
        "501234567",
        WEDNESDAY,
        60,
        "9/100",
        "0.0900",
    ),  # 48501 of the base is longer
    ("own over world", "502234567", WEDNESDAY, 60, "2/25", "0.0800"),  # 4850 in both: own
    ("own over world", "511234567", WEDNESDAY, 60, "3/25", "0.1200"),  # 485 of the base
    ("own over world", "+4930123456", WEDNESDAY, 61, "427/2000", "0.2135"),  # own 4930: 12.81/60
    ("own over world", "+4989123456", WEDNESDAY, 61, "61/240", "0.2542"),  # own 49 by the second
    ("own over world", "801123456", WEDNESDAY, 61, "1/5", "0.2000"),
    ("own over world", "804123456", WEDNESDAY, 61, "8/25", "0.3200"),  # the base alone
    ("own over world", "+998901234567", WEDNESDAY, 60, Unpriced.BLOCKED, ""),  # blocked for them
    ("own over world", "+5351234567", WEDNESDAY, 60, "3/2", "1.5000"),  # blocked for others
]
UNPRICED = [
    ("world", "+5351234567", WEDNESDAY, 60, Unpriced.BLOCKED, ""),
    ("world", "+5351234567", WEDNESDAY, 0, "0", "0.0000"),  # 0 s cost nothing anyway
    ("world", "+3545551234", WEDNESDAY, 600, "0", "0.0000"),  # free by the list, the fee too
    ("world", "+972501234567", WEDNESDAY, 60, Unpriced.NO_RATE, ""),
    ("world", "+972501234567", WEDNESDAY, 0, "0", "0.0000"),
    ("world", "", WEDNESDAY, 60, Unpriced.NO_RATE, ""),
    ("world", "4850123456", WEDNESDAY, 60, Unpriced.NO_RATE, ""),  # ten digits are no number
    ("world", "jan.kowalski", WEDNESDAY, 60, Unpriced.NO_RATE, ""),
]
CASES = [
    *(NOTATIONS + OVERLAPPING + SHORT + PREMIUM + BY_CALL + INCREMENTS + FEE_AND_MINIMUM + SMALL),
    *(ROUNDED + GROSS + DATED + BANDS + OWN_OVER_BASE + UNPRICED),
]


@pytest.mark.parametrize(("tariff", "number", "at", "seconds", "exact", "amount"), CASES)
def test_a_leg_costs_what_was_worked_out_by_hand(
    tariff: str, number: str, at: str, seconds: int, exact: str | Unpriced, amount: str
) -> None:
    found = price(TARIFFS[tariff], normalise(number), seconds, local(at), WARSAW)

    if isinstance(exact, Unpriced):
        assert found is exact
    else:
        assert isinstance(found, Price)
        # As text, since 0.1 and 0.1000 are equal decimals.
        assert (found.exact, str(found.amount)) == (Fraction(exact), amount)
