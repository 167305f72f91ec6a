"""How a number is written for people, and found again from what they type."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calls.numbers import normalise, pretty, search_key

national_numbers = st.from_regex(r"[1-9][0-9]{8}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("+48501234567", "501 234 567"),
        ("+48221234567", "22 123 45 67"),
        ("+48391234567", "39 123 45 67"),
        ("+48800123456", "800 123 456"),
        ("+488001234567", "800 123 4567"),
        ("+48700123456", "700 123 456"),
        ("+48999999999", "999 999 999"),
        ("+493023125500", "+49 3023125500"),
        ("+12125550123", "+1 2125550123"),
        ("+74951234567", "+7 4951234567"),
        ("+380441234567", "+380 441234567"),
        ("+881612345678", "+881 612345678"),
        ("112", "112"),
        ("19491", "19491"),
        ("101", "101"),
        ("*43", "*43"),
        ("jan.kowalski", "jan.kowalski"),
        ("4850123456", "4850123456"),
        ("", ""),
    ],
)
def test_a_number_is_written_as_a_pole_writes_it(text: str, written: str) -> None:
    assert pretty(text) == written


@given(national_numbers)
def test_a_number_written_for_people_is_read_back_as_itself(national: str) -> None:
    assert normalise(pretty(f"+48{national}")).text == f"+48{national}"


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("501 234 567", "+48501234567"),
        ("501-234-567", "+48501234567"),
        ("0501234567", "+48501234567"),
        ("+48 501 234 567", "+48501234567"),
        ("0048501234567", "+48501234567"),
        ("48501234567", "+48501234567"),
        ("+48 (0) 22 123 45 67", "+48221234567"),
        ("22 123 45 67 wew. 12", "+48221234567"),
        ("004930123456", "+4930123456"),
        ("+49 30", "+4930"),
        ("0049 30", "+4930"),
        ("0048 50", "+4850"),
        ("+48 501", "+48501"),
        ("234-567", "234567"),
        ("4567", "4567"),
        ("0049", "0049"),
        ("485012345", "485012345"),
        ("4850123456", "4850123456"),
        ("101", "101"),
        ("112", "112"),
        ("+48112", "112"),
        ("22 19491", "2219491"),
        ("+48 22 19491", "2219491"),
        ("*43", "*43"),
        ("*3148611000008", "+48611000008"),
        ("Jan.Kow", "Jan.Kow"),
        (" kowalski ", "kowalski"),
        ("anonymous", "anonymous"),
        ("%", "%"),
        ("+", "+"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_what_a_person_types_becomes_what_is_looked_for(typed: str, key: str) -> None:
    assert search_key(typed) == key


@given(national_numbers, st.integers(2, 9), st.sampled_from(["", "48", "+48", "0048"]))
def test_the_beginning_of_a_number_finds_it(national: str, length: int, prefix: str) -> None:
    assert search_key(prefix + national[:length]) in f"+48{national}"


@given(national_numbers, st.integers(1, 8))
def test_the_last_digits_of_a_number_find_it(national: str, length: int) -> None:
    tail = national[-length:]
    assume(not (length >= 6 and tail.startswith("00")))
    assert search_key(tail) in f"+48{national}"


@given(st.text())
def test_any_text_may_be_typed_and_its_key_is_its_own_key(typed: str) -> None:
    key = search_key(typed)
    assert search_key(key) == key
