from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.periods import (
    PRESETS,
    Period,
    day,
    days_back,
    latest_months,
    month,
    preset,
    retention_cutoff,
    span,
    week,
)

WARSAW = ZoneInfo("Europe/Warsaw")
# Zones that change at midnight, have half hours, lie a day apart, or once skipped a whole day.
ZONES = [
    WARSAW,
    ZoneInfo("UTC"),
    ZoneInfo("America/Sao_Paulo"),
    ZoneInfo("America/Havana"),
    ZoneInfo("Asia/Kolkata"),
    ZoneInfo("Australia/Lord_Howe"),
    ZoneInfo("Pacific/Apia"),
]

zones = st.sampled_from(ZONES)
dates = st.dates(date(1990, 1, 1), date(2100, 12, 31))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def period(start: str, end: str) -> Period:
    return Period(utc(start), utc(end))


@pytest.mark.parametrize(
    ("on", "expected", "hours"),
    [
        (date(2026, 1, 15), period("2026-01-14T23:00", "2026-01-15T23:00"), 24),
        (date(2026, 7, 15), period("2026-07-14T22:00", "2026-07-15T22:00"), 24),
        (date(2026, 3, 29), period("2026-03-28T23:00", "2026-03-29T22:00"), 23),
        (date(2026, 3, 30), period("2026-03-29T22:00", "2026-03-30T22:00"), 24),
        (date(2026, 10, 25), period("2026-10-24T22:00", "2026-10-25T23:00"), 25),
        (date(2026, 10, 26), period("2026-10-25T23:00", "2026-10-26T23:00"), 24),
        (date(2024, 2, 29), period("2024-02-28T23:00", "2024-02-29T23:00"), 24),
        (date(2025, 12, 31), period("2025-12-30T23:00", "2025-12-31T23:00"), 24),
        (date(2026, 1, 1), period("2025-12-31T23:00", "2026-01-01T23:00"), 24),
    ],
)
def test_a_day_runs_from_one_polish_midnight_to_the_next(
    on: date, expected: Period, hours: int
) -> None:
    assert day(on, WARSAW) == expected
    assert expected.end - expected.start == timedelta(hours=hours)


def test_bounds_are_told_in_utc() -> None:
    bounds = day(date(2026, 7, 15), WARSAW)
    assert (bounds.start.tzinfo, bounds.end.tzinfo) == (UTC, UTC)


@pytest.mark.parametrize("on", [date(2025, 12, 29), date(2026, 1, 1), date(2026, 1, 4)])
def test_a_week_over_new_year_is_the_iso_week_from_monday(on: date) -> None:
    assert week(on, WARSAW) == period("2025-12-28T23:00", "2026-01-04T23:00")


def test_the_week_in_which_the_clock_goes_forward_has_an_hour_less() -> None:
    assert week(date(2026, 3, 29), WARSAW) == period("2026-03-22T23:00", "2026-03-29T22:00")


@pytest.mark.parametrize(
    ("year", "number", "expected"),
    [
        (2024, 2, period("2024-01-31T23:00", "2024-02-29T23:00")),
        (2025, 2, period("2025-01-31T23:00", "2025-02-28T23:00")),
        (2026, 3, period("2026-02-28T23:00", "2026-03-31T22:00")),
        (2026, 10, period("2026-09-30T22:00", "2026-10-31T23:00")),
        (2025, 12, period("2025-11-30T23:00", "2025-12-31T23:00")),
    ],
)
def test_a_month_runs_from_its_first_midnight_to_the_next_months(
    year: int, number: int, expected: Period
) -> None:
    assert month(year, number, WARSAW) == expected


@pytest.mark.parametrize("number", [0, 13])
def test_there_are_twelve_months(number: int) -> None:
    with pytest.raises(ValueError, match=r"month must be in 1\.\.12"):
        month(2026, number, WARSAW)


def test_a_span_includes_the_last_day_shown_on_screen() -> None:
    chosen = span(date(2026, 3, 28), date(2026, 3, 30), WARSAW)
    assert chosen == period("2026-03-27T23:00", "2026-03-30T22:00")


def test_swapped_days_are_refused() -> None:
    with pytest.raises(ValueError, match="2026-03-01 is before the first day 2026-03-02"):
        span(date(2026, 3, 2), date(2026, 3, 1), WARSAW)


def test_days_back_counts_today_as_the_last_of_them() -> None:
    now = utc("2026-10-26T12:00")
    assert days_back(now, 1, WARSAW) == day(date(2026, 10, 26), WARSAW)
    assert days_back(now, 2, WARSAW) == span(date(2026, 10, 25), date(2026, 10, 26), WARSAW)


def test_no_days_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="is before the first day"):
        days_back(utc("2026-10-26T12:00"), 0, WARSAW)


@pytest.mark.parametrize(
    ("now", "today"),
    [
        ("2026-07-14T21:59:59.999999", date(2026, 7, 14)),
        ("2026-07-14T22:00", date(2026, 7, 15)),
        ("2026-01-14T22:00", date(2026, 1, 14)),
        ("2026-01-14T23:00", date(2026, 1, 15)),
    ],
)
def test_today_is_todays_date_in_the_accounts_zone(now: str, today: date) -> None:
    assert preset("today", utc(now), WARSAW) == day(today, WARSAW)


@pytest.mark.parametrize(
    ("now", "cutoff"),
    [
        ("2026-07-15T09:30", "2025-07-14T22:00"),
        ("2026-07-14T22:00", "2025-07-14T22:00"),
        ("2026-07-14T21:59:59", "2025-07-13T22:00"),
        # The same day a year ago lay on the other side of the change of the clock.
        ("2026-03-29T10:00", "2025-03-28T23:00"),
        ("2025-10-26T10:00", "2024-10-25T22:00"),
        # 365 days before a date in the year after 29 February are one calendar day more.
        ("2024-03-01T10:00", "2023-03-01T23:00"),
        ("2025-02-28T10:00", "2024-02-28T23:00"),
    ],
)
def test_retention_ends_at_the_start_of_the_day_365_days_before_today(
    now: str, cutoff: str
) -> None:
    assert retention_cutoff(utc(now), 365, WARSAW) == utc(cutoff)


@pytest.mark.parametrize("name", PRESETS)
def test_a_naive_present_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="aware"):
        preset(name, datetime(2026, 7, 15), WARSAW)


def test_presets_on_new_years_day() -> None:
    now = utc("2026-01-01T11:00")
    assert {name: preset(name, now, WARSAW) for name in PRESETS} == {
        "today": period("2025-12-31T23:00", "2026-01-01T23:00"),
        "yesterday": period("2025-12-30T23:00", "2025-12-31T23:00"),
        "this_week": period("2025-12-28T23:00", "2026-01-04T23:00"),
        "this_month": period("2025-12-31T23:00", "2026-01-31T23:00"),
        "last_month": period("2025-11-30T23:00", "2025-12-31T23:00"),
        "last_30_days": period("2025-12-02T23:00", "2026-01-01T23:00"),
    }


def test_presets_on_the_last_day_of_march_with_a_leap_february_before() -> None:
    now = utc("2024-03-31T12:00")
    assert {name: preset(name, now, WARSAW) for name in PRESETS} == {
        "today": period("2024-03-30T23:00", "2024-03-31T22:00"),
        "yesterday": period("2024-03-29T23:00", "2024-03-30T23:00"),
        "this_week": period("2024-03-24T23:00", "2024-03-31T22:00"),
        "this_month": period("2024-02-29T23:00", "2024-03-31T22:00"),
        "last_month": period("2024-01-31T23:00", "2024-02-29T23:00"),
        "last_30_days": period("2024-03-01T23:00", "2024-03-31T22:00"),
    }


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(KeyError, match="fortnight"):
        preset("fortnight", utc("2026-01-01T11:00"), WARSAW)


@pytest.mark.parametrize("tz", ZONES, ids=str)
def test_months_tile_the_time_line_without_gap_or_overlap(tz: ZoneInfo) -> None:
    months = [month(year, number, tz) for year in range(1990, 2101) for number in range(1, 13)]
    assert [a.end for a, _ in pairwise(months)] == [b.start for _, b in pairwise(months)]
    assert all(m.start < m.end for m in months)


@given(dates, zones)
def test_a_day_ends_where_the_next_begins(on: date, tz: ZoneInfo) -> None:
    assert day(on, tz).end == day(on + timedelta(days=1), tz).start


@given(dates, st.integers(0, 400), zones)
def test_a_span_is_its_days_put_together(first: date, more: int, tz: ZoneInfo) -> None:
    days = [day(first + timedelta(days=n), tz) for n in range(more + 1)]
    whole = span(first, first + timedelta(days=more), tz)
    assert whole == Period(days[0].start, days[-1].end)
    assert whole.end - whole.start == sum((d.end - d.start for d in days), timedelta())


@given(moments, zones)
def test_a_moment_lies_in_the_day_week_and_month_of_its_local_date(
    moment: datetime, tz: ZoneInfo
) -> None:
    local = moment.astimezone(tz).date()
    periods = [day(local, tz), week(local, tz), month(local.year, local.month, tz)]
    assert [p.start <= moment < p.end for p in periods] == [True, True, True]


@given(moments, zones)
def test_what_is_kept_are_exactly_the_days_since_the_cutoff(now: datetime, tz: ZoneInfo) -> None:
    assert retention_cutoff(now, 365, tz) == days_back(now, 366, tz).start


def test_the_latest_months_go_back_over_the_new_year_in_the_local_zone() -> None:
    now = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    assert latest_months(now, 3, WARSAW) == [date(2027, 1, 1), date(2026, 12, 1), date(2026, 11, 1)]
