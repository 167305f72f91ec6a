"""Numbers, durations and money on the screen, as a Pole writes them and as an Englishman does."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from calls.templatetags import calls_format as tags

exact_money = st.decimals(0, 1_000_000, places=6)


def plain(text: str) -> str:
    """The text with ordinary blanks."""
    return text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+48501234567", "501 234 567"),
        ("+48221234567", "22 123 45 67"),
        ("+493023125500", "+49 3023125500"),
        ("112", "112"),
        ("101", "101"),
        ("", ""),
        ("a SIP name", "a SIP name"),
    ],
)
def test_a_phone_number_is_grouped_and_never_broken_at_the_end_of_a_line(
    number: str, shown: str
) -> None:
    assert tags.phone(number) == shown.replace(" ", "\xa0")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00"),
        (9, "0:09"),
        (65, "1:05"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (3725, "1:02:05"),
        (90061, "25:01:01"),
    ],
)
def test_a_duration_has_hours_only_where_there_are_any(seconds: int, shown: str) -> None:
    assert tags.duration(seconds) == shown


@given(st.integers(0, 10_000_000))
def test_a_duration_loses_no_second(seconds: int) -> None:
    parts = [int(part) for part in reversed(tags.duration(seconds).split(":"))]

    assert sum(part * 60**power for power, part in enumerate(parts)) == seconds


@pytest.mark.parametrize(
    ("amount", "polish", "english"),
    [
        ("0", "0,00 zł", "0.00 zł"),
        ("0.000000", "0,00 zł", "0.00 zł"),
        ("0.5", "0,50 zł", "0.50 zł"),
        ("100", "100,00 zł", "100.00 zł"),
        ("1234.5", "1 234,50 zł", "1,234.50 zł"),
        ("1234567.89", "1 234 567,89 zł", "1,234,567.89 zł"),
        ("0.125", "0,1250 zł", "0.1250 zł"),
        ("0.0833", "0,0833 zł", "0.0833 zł"),
        ("0.00001", "0,00001 zł", "0.00001 zł"),
        ("0.123456", "0,123456 zł", "0.123456 zł"),
    ],
)
def test_money_is_written_in_full(amount: str, polish: str, english: str) -> None:
    with override("pl"):
        assert plain(tags.money(Decimal(amount))) == polish
    with override("en"):
        assert plain(tags.money(Decimal(amount))) == english


@given(exact_money)
def test_money_on_the_screen_is_exactly_the_amount(amount: Decimal) -> None:
    with override("pl"):
        shown = plain(tags.money(amount))

    assert Decimal(shown.removesuffix(" zł").replace(" ", "").replace(",", ".")) == amount


@given(exact_money)
def test_a_total_is_rounded_once_and_by_half_a_grosz_at_most(amount: Decimal) -> None:
    with override("pl"):
        shown = plain(tags.total_money(amount))

    rounded = Decimal(shown.removesuffix(" zł").replace(" ", "").replace(",", "."))
    assert abs(rounded - amount) <= Decimal("0.005")
    assert rounded.as_tuple().exponent == -2


def test_half_a_grosz_in_a_total_is_rounded_up() -> None:
    with override("pl"):
        assert plain(tags.total_money(Decimal("0.125"))) == "0,13 zł"


def test_a_whole_number_is_grouped_in_thousands() -> None:
    with override("pl"):
        assert [plain(tags.whole(number)) for number in (0, 999, 2859)] == ["0", "999", "2 859"]
    with override("en"):
        assert tags.whole(2859) == "2,859"


NAMES = {"101": "Anna", "102": ""}


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("101", "101 Anna"),
        ("102", "102"),
        ("103", "103"),
        ("+48501234567", "501 234 567"),
        ("", ""),
    ],
)
def test_an_extension_is_shown_with_its_name_and_other_numbers_as_one_writes_them(
    number: str, shown: str
) -> None:
    assert tags.named(number, NAMES) == shown.replace(" ", "\xa0")


def test_amounts_and_moments_kept_as_text_come_back_exactly() -> None:
    assert tags.decimal("0.0833") == Decimal("0.0833")
    assert tags.moment("2026-11-23T12:00:00.5+00:00") == datetime(
        *(2026, 11, 23, 12, 0, 0, 500_000), tzinfo=UTC
    )


def test_templates_reach_all_of_them_and_names_stay_text() -> None:
    source = (
        "{% load calls_format %}{{ number|phone }} {{ extension|named:names }} {{ s|duration }}"
        " {{ text|decimal|money }} {{ sum|total_money }} {{ count|whole }}"
    )
    values = {
        "number": "+48501234567",
        "extension": "101",
        "names": {"101": "<b>"},
        "s": 65,
        "text": "0.5",
        "sum": Decimal("1234.567"),
        "count": 1000,
    }

    with override("pl"):
        page = plain(Template(source).render(Context(values)))

    assert page == "501 234 567 101 &lt;b&gt; 1:05 0,50 zł 1 234,57 zł 1 000"
