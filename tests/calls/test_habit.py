"""What is usual for a source, and which silence is no chance."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.habit import HOUR, Calendar, Habit, is_silent

WARSAW = ZoneInfo("Europe/Warsaw")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 10:00 in Warsaw
SUMMER = datetime(
    2026, 9, 21, 8, 0, tzinfo=UTC
)  # a Monday, and no change of the clocks in the weeks before
LONG_AGO = MONDAY - timedelta(weeks=50)
INDEPENDENCE_DAY = date(2026, 11, 11)  # a Wednesday
PLAIN = Calendar(WARSAW, lambda day: False)
POLISH = Calendar(WARSAW, lambda day: day == INDEPENDENCE_DAY)


def office(hours: int = 24 * 7 * 10, *, until: datetime = MONDAY, rate: int = 60) -> Habit:
    """A firm that works from 8 to 16 on weekdays: so many records in each of its hours, none in others."""
    began = until - hours * HOUR
    moments = (began + number * HOUR for number in range(hours))
    counts = {moment: rate for moment in moments if is_open(moment)}
    return Habit(counts, began, POLISH)


def is_open(moment: datetime) -> bool:
    local = moment.astimezone(WARSAW)
    holiday = local.date() == INDEPENDENCE_DAY
    return local.weekday() < 5 and 8 <= local.hour < 16 and not holiday


def test_the_usual_is_the_median_of_the_same_hour_of_eight_weeks() -> None:
    counts = {SUMMER - timedelta(weeks=week): week for week in range(10)}

    # 1 to 8; the hour itself, 0, and a ninth week are not among them.
    assert Habit(counts, LONG_AGO, PLAIN).usual(SUMMER) == 4.5


def test_a_week_without_a_count_had_none() -> None:
    counts = {MONDAY - timedelta(weeks=week): 100 for week in (1, 2, 3)}

    assert Habit(counts, LONG_AGO, PLAIN).usual(MONDAY) == 0


@pytest.mark.parametrize(("weeks", "usual"), [(0, None), (2, None), (3, 7), (8, 7)])
def test_of_a_new_source_nobody_knows_what_is_usual(weeks: int, usual: float | None) -> None:
    counts = {MONDAY - timedelta(weeks=week): 7 for week in range(1, weeks + 1)}
    first = MONDAY - timedelta(weeks=weeks)

    assert Habit(counts, first, PLAIN).usual(MONDAY) == usual


def test_the_hour_is_that_of_the_clock_on_the_wall_in_summer_and_winter() -> None:
    summer = datetime(2026, 10, 19, 8, 0, tzinfo=UTC)  # 10:00 too, before the change of 25 October

    assert summer in list(PLAIN.same_hours(MONDAY))
    assert summer + HOUR not in list(PLAIN.same_hours(MONDAY))


def test_a_holiday_is_like_a_sunday_and_no_example_for_its_weekday() -> None:
    holiday = datetime(2026, 11, 11, 9, 0, tzinfo=UTC)
    sundays = [datetime(2026, 11, 8, 9, 0, tzinfo=UTC) - timedelta(weeks=n) for n in range(8)]
    summer = [hour if hour.month > 10 or hour.day > 24 else hour - HOUR for hour in sundays]
    next_week = holiday + timedelta(weeks=1)

    assert list(POLISH.same_hours(holiday))[:2] == summer[:2]
    assert holiday not in list(POLISH.same_hours(next_week))
    assert len(list(POLISH.same_hours(next_week))) == 7


def test_whole_silent_hours_count_in_full_and_others_with_their_share() -> None:
    habit = office()

    assert habit.expected(MONDAY, MONDAY + 2 * HOUR) == 120
    assert habit.expected(MONDAY + HOUR / 2, MONDAY + 2 * HOUR) == 90
    assert habit.expected(MONDAY, MONDAY + HOUR / 4) == 15


def silent_after(habit: Habit, last: datetime, now: datetime, per_call: float = 2) -> bool:
    return is_silent(habit.expected(last, now), per_call)


def test_a_quarter_of_an_hour_of_silence_in_office_hours_is_chance_half_an_hour_is_not() -> None:
    habit = office()

    silences = [
        silent_after(habit, MONDAY, MONDAY + timedelta(minutes=minutes)) for minutes in (10, 30)
    ]

    assert silences == [False, True]


@pytest.mark.parametrize(
    ("last", "now"),
    [
        (datetime(2026, 11, 20, 14, 59, tzinfo=UTC), datetime(2026, 11, 23, 7, 5, tzinfo=UTC)),
        (datetime(2026, 11, 10, 14, 59, tzinfo=UTC), datetime(2026, 11, 12, 7, 5, tzinfo=UTC)),
    ],
    ids=["a weekend", "a holiday"],
)
def test_nobody_is_alarmed_at_night_on_a_weekend_on_a_holiday_or_before_the_office_opens(
    last: datetime, now: datetime
) -> None:
    habit = office(until=last + HOUR)

    moments = [last + number * HOUR / 6 for number in range(int((now - last) / (HOUR / 6)) + 1)]

    assert [moment for moment in moments if silent_after(habit, last, moment)] == []


def test_an_office_that_does_not_open_on_a_weekday_is_noticed_within_an_hour_or_two() -> None:
    habit = office(until=datetime(2026, 11, 20, 15, 0, tzinfo=UTC))
    last = datetime(2026, 11, 20, 14, 59, tzinfo=UTC)

    opening = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    assert not silent_after(habit, last, opening + timedelta(minutes=30))
    assert silent_after(habit, last, opening + timedelta(minutes=61))


def nightly(night: datetime) -> Habit:
    """A file imported at half past two each night."""
    counts = {night - timedelta(days=back): 5000 for back in range(1, 70)}
    return Habit(counts, night - timedelta(days=70), PLAIN)


def test_a_nightly_import_is_missed_when_its_hour_is_over_and_not_before() -> None:
    hour = datetime(2026, 9, 21, 0, 0, tzinfo=UTC)
    habit, last = nightly(hour), hour - timedelta(hours=23, minutes=30)

    early = [silent_after(habit, last, hour + timedelta(minutes=minute)) for minute in (1, 29, 59)]

    assert early == [False, False, False]
    assert silent_after(habit, last, hour + timedelta(minutes=61))


def test_what_calls_bring_many_records_needs_more_to_be_missed() -> None:
    assert [is_silent(20, per_call) for per_call in (0.2, 1, 2, 3)] == [True, True, True, False]


@given(
    minutes=st.integers(0, 60 * 24 * 14),
    longer=st.integers(0, 60 * 24),
    rate=st.integers(0, 500),
)
def test_a_longer_silence_is_never_less_suspicious(minutes: int, longer: int, rate: int) -> None:
    habit = office(until=MONDAY + timedelta(days=20), rate=rate)
    now = MONDAY + timedelta(days=15)
    since = now - timedelta(minutes=minutes)

    # The hour that the silence began in counts less than a whole one, so it may grow by fits.
    whole = since.replace(minute=0) - timedelta(minutes=longer // 60 * 60)
    assert habit.expected(whole, now) >= habit.expected(since, now) >= 0
