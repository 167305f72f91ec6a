"""What a file would change: new, changed, ended, and what says something twice."""

from dataclasses import replace
from datetime import timedelta

from billing.pricefiles.comparing import Change, Comparison, Kind, compare
from billing.pricefiles.content import Content, Fault, FileRow, Finding, Version
from tests.billing.pricefiles.lists import (
    LATER,
    TOMORROW,
    YEAR,
    file_of,
    row,
    stored,
)


def compared(rows: list[FileRow], versions: list[Version], *, complete: bool = False) -> Comparison:
    return compare(file_of(*rows), versions, TOMORROW, complete=complete)


def planned(price: Version, **changes: object) -> Version:
    return replace(price, id=None, valid_from=TOMORROW, **changes)  # type: ignore[arg-type]


def test_a_prefix_that_nobody_had_is_new_and_plain_but_for_what_the_file_says() -> None:
    found = compared([row("49", "0.20", given={"name": "Niemcy"})], [stored()])

    new = planned(stored("49", "0.20", name="Niemcy"))
    assert found == Comparison([Change(Kind.NEW, 2, TOMORROW, None, new)])


def test_a_rate_without_a_name_gets_its_prefix_for_one() -> None:
    found = compared([row("49")], [])

    assert [change.after and change.after.content.name for change in found.changes] == ["49"]


def test_another_price_is_laid_over_the_old_one_from_the_day_on() -> None:
    old = stored(connection_fee=1, first_increment=60)

    found = compared([row(price="0.10")], [old])

    after = planned(
        old, content=replace(old.content, per_minute=row(price="0.10").given["per_minute"])
    )
    assert found == Comparison([Change(Kind.CHANGED, 2, TOMORROW, old, after)])


def test_the_same_price_changes_nothing_however_many_zeros_it_has() -> None:
    assert compared([row(price="0.120000")], [stored()]) == Comparison(unchanged=1)


def test_what_counts_is_the_version_that_began_last() -> None:
    versions = [stored(price="0.12"), stored(price="0.10", since=YEAR + timedelta(days=90), pk=2)]

    assert compared([row(price="0.10")], versions).unchanged == 1
    assert compared([row(price="0.12")], versions).count(Kind.CHANGED) == 1


def test_in_a_complete_list_what_is_missing_ends_on_the_day() -> None:
    kept, missing = stored("48"), stored("49", pk=2)
    over = stored("33", until=YEAR + timedelta(days=1), pk=3)
    coming = stored("31", since=LATER, pk=4)

    found = compared([row("48")], [kept, missing, over, coming], complete=True)

    ended = Change(Kind.ENDED, None, TOMORROW, missing, replace(missing, valid_to=TOMORROW))
    assert found == Comparison([ended], unchanged=1)
    assert compared([row("48")], [kept, missing, over, coming]).changes == []


def test_all_layers_of_what_is_missing_end_so_that_none_shows_again() -> None:
    layers = [stored("49"), stored("49", "0.10", since=YEAR + timedelta(days=9), pk=2)]

    found = compared([], layers, complete=True)

    assert [change.after and change.after.valid_to for change in found.changes] == [TOMORROW] * 2


def test_what_would_end_at_the_moment_it_begins_is_taken_back() -> None:
    fresh = stored("49", since=TOMORROW)

    found = compared([], [fresh], complete=True)

    assert found.changes == [Change(Kind.ENDED, None, TOMORROW, fresh, None)]


def test_a_row_that_cannot_be_read_does_not_end_its_prefix() -> None:
    file = file_of()
    file.named.add(("e164", "49"))
    file.findings.append(Finding(3, Fault.NO_PRICE, ""))

    found = compare(file, [stored("49")], TOMORROW, complete=True)

    assert found == Comparison(findings=file.findings)


def test_a_second_file_for_the_same_day_corrects_the_first() -> None:
    versions = [stored(), stored(price="0.10", since=TOMORROW, pk=2)]

    found = compared([row(price="0.11")], versions)

    (change,) = found.changes
    assert (change.before, change.since) == (versions[1], TOMORROW)
    assert change.after == replace(versions[1], content=stored(price="0.11").content)


def test_rows_with_dates_of_their_own_are_laid_one_over_the_other() -> None:
    rows = [
        row(price="0.12", line=2, valid_from=YEAR),
        row(price="0.10", line=3, valid_from=TOMORROW),
        row(price="0.12", line=4, valid_from=LATER),
    ]

    found = compared(rows, [stored()])

    assert [(change.line, change.since) for change in found.changes] == [(3, TOMORROW), (4, LATER)]
    assert (found.unchanged, found.findings) == (1, [])


def test_a_correction_of_the_past_is_dated_back_to_where_it_begins() -> None:
    found = compared([row(price="0.10", valid_from=YEAR)], [stored()])

    assert found.earliest() == YEAR


def test_an_end_alone_is_a_change_from_that_end_on() -> None:
    found = compared([row(valid_to=LATER, says_end=True)], [stored()])

    (change,) = found.changes
    assert (change.kind, change.since, change.after) == (Kind.CHANGED, LATER, stored(until=LATER))


def test_an_empty_end_opens_a_dated_rate_again_and_means_nothing_otherwise() -> None:
    ending = stored(until=LATER)

    dated = compared([row(valid_from=YEAR, says_end=True)], [ending])
    undated = compared([row(says_end=True)], [ending])

    assert [change.after for change in dated.changes] == [stored()]
    assert undated == Comparison(unchanged=1)


def test_what_stands_twice_in_the_file_is_found() -> None:
    rows = [
        row(line=2),
        row(line=3),
        row(price="0.10", line=4),
        row("49", line=5, valid_to=LATER, says_end=True),
        row("49", "0.20", line=6, valid_from=TOMORROW + timedelta(days=1), says_end=True),
        row("33", line=7, valid_to=TOMORROW, says_end=True),
    ]

    found = compared(rows, [])

    assert found.findings == [
        Finding(3, Fault.REPEATED, "48"),
        Finding(4, Fault.CONTRADICTED, "48"),
        Finding(6, Fault.OVERLAPPING, "49"),
        Finding(7, Fault.ENDS_EARLY, "33"),
    ]
    assert [(change.line, change.kind) for change in found.changes] == [
        (2, Kind.NEW),
        (5, Kind.NEW),
        (6, Kind.CHANGED),
    ]


def test_a_price_that_the_list_has_for_later_is_told_of() -> None:
    versions = [stored(), stored(price="0.15", since=LATER, pk=2)]

    found = compared([row(price="0.10")], versions)

    assert found.findings == [Finding(2, Fault.LATER, f"48: {LATER.isoformat()}")]
    assert found.count(Kind.CHANGED) == 1


def test_a_price_a_call_takes_the_place_of_one_a_minute() -> None:
    per_call = stored(price="0", per_call=1)

    found = compared([row(price="0.10")], [per_call])

    (change,) = found.changes
    assert change.after is not None
    assert change.after.content == Content(
        "Polska", per_minute=row(price="0.10").given["per_minute"]
    )
