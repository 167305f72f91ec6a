"""A list that was written into a file reads back as the same list."""

from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given, settings

from billing.pricefiles.cells import TREATMENTS, plain, space, treatment
from billing.pricefiles.columns import FIELDS
from billing.pricefiles.comparing import Comparison, compare
from billing.pricefiles.content import NAMES, Fault, Version
from billing.pricefiles.reading import Reader, read
from billing.pricefiles.stored import in_force
from billing.pricefiles.writing import as_csv, as_xlsx, headers, words
from tests.billing.pricefiles.lists import NOW, TOMORROW, price_lists, stored

WARSAW = ZoneInfo("Europe/Warsaw")


def again(content: bytes, versions: list[Version]) -> Comparison:
    return compare(read(content, Reader(WARSAW)), versions, TOMORROW, complete=True)


@given(price_lists)
@settings(deadline=None, max_examples=80)
def test_a_list_with_its_dates_comes_back_unchanged(versions: list[Version]) -> None:
    found = again(as_csv(versions, WARSAW, dates=True), versions)

    assert (found.changes, found.unchanged) == ([], len(versions))
    # What overlaps in the list does so in the file, and nothing else is found.
    assert {finding.fault for finding in found.findings} <= {Fault.OVERLAPPING}


@given(price_lists)
@settings(deadline=None, max_examples=80)
def test_the_prices_of_a_day_come_back_unchanged(versions: list[Version]) -> None:
    prices = in_force(versions, TOMORROW)

    found = again(as_csv(prices, WARSAW, dates=False), versions)

    assert found == Comparison(unchanged=len(prices))


@given(price_lists)
@settings(deadline=None, max_examples=25)
def test_a_workbook_comes_back_unchanged(versions: list[Version]) -> None:
    found = again(as_xlsx(versions, WARSAW, dates=True), versions)

    assert (found.changes, found.unchanged) == ([], len(versions))


@pytest.mark.parametrize("language", ["pl", "en"])
def test_what_is_written_is_understood_in_both_languages(language: str) -> None:
    with translation.override(language):
        fields = [FIELDS.get(plain(header)) for header in headers(dates=True).values()]
        names = words()

    assert fields == ["prefix", "name", "space", *NAMES[1:], "valid_from", "valid_to"]
    assert [treatment(names[each]) for each in TREATMENTS] == list(TREATMENTS)
    assert [space(names[each]) for each in ("e164", "short")] == ["e164", "short"]


def test_the_file_is_what_a_polish_spreadsheet_opens() -> None:
    with translation.override("pl"):
        content = as_csv([stored(price="0.1250", until=TOMORROW)], WARSAW, dates=True)

    assert content.decode().split("\r\n") == [
        "\ufeffPrefiks;Nazwa;Numery;Rozliczanie;Cena za minutę;Cena za połączenie;Cena wieczorem;Cena w weekend;"
        "Opłata początkowa;Opłata minimalna;Pierwszy takt;Następne takty;Ważna od;Ważna do",
        "48;Polska;z numerem kraju;wycenione;0,125;;;;0;0;1;1;2026-01-01T01:00:00+01:00;2026-11-23",
        "",
    ]


@pytest.mark.parametrize("name", ["=1+1", "+48", "-", "@x", "'=1", "''@", "'tis", '"a";b'])
def test_no_name_is_run_as_a_formula_and_each_comes_back(name: str) -> None:
    version = stored(name=name)

    content = as_csv([version], WARSAW, dates=False)

    cell = content.decode().split("\r\n")[1].split(";")[1].strip('"')
    assert not cell.startswith(("=", "+", "-", "@"))
    assert again(content, [version]) == Comparison(unchanged=1)
    assert again(as_xlsx([version], WARSAW, dates=False), [version]) == Comparison(unchanged=1)


def test_only_the_versions_that_hold_are_the_prices_of_a_moment() -> None:
    old, new = stored(), stored(price="0.10", since=NOW, pk=2)
    over, coming = stored("49", until=NOW, pk=3), stored("33", since=TOMORROW, pk=4)

    assert in_force([old, new, over, coming], NOW) == [new]
