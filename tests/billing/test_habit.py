"""What a firm usually spends: the forecast, and what is far above the usual. The sums are worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing import habit
from billing.habit import Limit

TODAY = date(2026, 11, 23)  # a Monday
EIGHT_WEEKS_AGO = date(2026, 9, 28)
KNOWN = habit.known_days(date(2026, 1, 1), TODAY)


def spent(workday: str = "10", weekend: str = "0") -> dict[date, Decimal]:
    return {day: Decimal(weekend if day.weekday() >= 5 else workday) for day in KNOWN}


def test_the_habit_is_made_of_the_eight_weeks_before_today() -> None:
    assert (KNOWN[0], KNOWN[-1], len(KNOWN)) == (EIGHT_WEEKS_AGO, date(2026, 11, 22), 56)


def test_a_history_of_less_than_four_weeks_is_no_habit() -> None:
    assert habit.known_days(date(2026, 10, 27), TODAY) == []
    assert len(habit.known_days(date(2026, 10, 26), TODAY)) == 28


def test_a_public_holiday_is_a_sunday() -> None:
    days = [date(2026, 11, 10), date(2026, 11, 11), date(2026, 11, 15), date(2026, 8, 15)]

    assert [habit.kind_of(day) for day in days] == [1, 6, 6, 5]


def test_the_days_to_come_cost_what_such_days_cost_on_average() -> None:
    # Mon 23 to Fri 27, Sat 28, Sun 29, Mon 30 November: six workdays and a weekend; 3 were spent today.
    # All Saturdays cost 0, of nine Sundays (11 November is one) one cost 9: mean 1.
    amounts = {**spent(), date(2026, 11, 15): Decimal(9), TODAY: Decimal(3)}
    amounts[date(2026, 11, 11)] = Decimal(0)

    assert habit.forecast(amounts, KNOWN, TODAY, date(2026, 11, 30)) == 6 * 10 + 0 + 1


def test_a_day_that_cost_more_than_expected_already_costs_at_least_that() -> None:
    amounts = {**spent(), TODAY: Decimal("55.5")}

    assert habit.forecast(amounts, KNOWN, TODAY, TODAY) == Decimal("55.5")


def test_christmas_is_expected_to_cost_what_sundays_cost() -> None:
    known = habit.known_days(date(2026, 1, 1), date(2026, 12, 25))
    amounts = {day: Decimal(10) for day in known if habit.kind_of(day) < 5}

    # Fri 25 and Sat 26 are holidays, Sun 27; Mon 28 to Thu 31 are workdays.
    found = habit.forecast(amounts, known, date(2026, 12, 25), date(2026, 12, 31))

    assert found == 4 * 10


def test_there_is_no_forecast_without_a_habit() -> None:
    assert habit.forecast(spent(), [], TODAY, TODAY) is None


def test_the_usual_is_the_median_and_the_limit_six_spreads_above_it() -> None:
    # 39 workdays (11 November is none), at 10; half a dozen at 40 move neither.
    amounts = spent() | {day: Decimal(40) for day in KNOWN[:5]}
    # The deviation is 0, so the spread is a quarter of the median: 10 + 6 × 2.5.
    assert habit.limit(amounts, KNOWN, TODAY, habit.LEAST_DAY) == Limit(Decimal(10), Decimal(25))


def test_days_that_vary_have_a_wider_limit() -> None:
    workdays = [day for day in KNOWN if habit.kind_of(day) < 5]
    amounts = {day: Decimal(10 + 4 * (place % 3)) for place, day in enumerate(workdays)}

    # 10, 14, 18 in turn: the median is 14, and its median deviation 4: 14 + 6 × 1.4826 × 4.
    found = habit.limit(amounts, KNOWN, TODAY, habit.LEAST_DAY)

    assert found == Limit(Decimal(14), Decimal("49.5824"))


def test_the_weekend_is_compared_with_weekends_and_never_about_small_change() -> None:
    found = habit.limit(spent(), KNOWN, date(2026, 11, 29), habit.LEAST_DAY)

    assert found == Limit(Decimal(0), habit.LEAST_DAY)


def test_too_few_days_alike_are_no_habit() -> None:
    known = [day for day in KNOWN if day.weekday() == 6][:7]

    assert habit.limit(spent(), known, date(2026, 11, 29), habit.LEAST_DAY) is None


amounts = st.decimals(0, 1000, places=4)


@given(st.lists(amounts, min_size=56, max_size=56), amounts)
def test_one_mad_day_hardly_moves_the_limit(each: list[Decimal], mad: Decimal) -> None:
    before = dict(zip(KNOWN, each, strict=True))
    after = {**before, KNOWN[0]: mad * 1000}

    limits = [habit.limit(found, KNOWN, TODAY, Decimal(0)) for found in (before, after)]

    assert limits[0] is not None and limits[1] is not None
    assert limits[1].usual <= max(each)


def test_every_day_is_of_one_kind() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]

    assert {habit.kind_of(day) for day in days} == set(range(7))
