"""What is said of a PBX's configuration: only what its records show, and nothing of a good one."""

import csv
import io
from typing import Any

import pytest

from calls.ingest.findings import FEW, MANY, Finding, Receipts, find
from calls.ingest.formats.asterisk_csv import parse
from calls.ingest.records import Leg, Switch
from tests.calls.asterisk_rows import BEGIN, SWITCH, Rows
from tests.records import asterisk_scenarios, freeswitch_scenarios

FREESWITCH = Switch("freeswitch-json", ("external",))
TO_101 = "Dial PJSIP/acme-101,20,tT"
NOTHING = Receipts()
RECORDED = [leg for scenario in freeswitch_scenarios() for leg in scenario.legs]


def calls(count: int, **changes: Any) -> list[Leg]:
    """Answered calls from outside to 101, as an Asterisk with good settings writes them."""
    columns = changes.pop("columns", 21)
    legs = []
    for number in range(count):
        changed = {"dstchannel": "acme-101-2", "disposition": "ANSWERED", **changes}
        call = Rows(
            dst=changed.get("dst", "48221234501"),
            userfield=changed.get("userfield", "did=48221234501"),
        )
        times = (number, None if changed["disposition"] != "ANSWERED" else number + 2, number + 9)
        call.row(
            "carrier-1", changed["dstchannel"], TO_101, times, disposition=changed["disposition"]
        )
        legs += call.legs(columns)
    return legs


def codes(legs: list[Leg], receipts: Receipts = NOTHING) -> list[str]:
    return [each.code for each in find(SWITCH, legs, receipts)]


@pytest.mark.parametrize("feed", ["master.csv", "full.csv"])
@pytest.mark.parametrize("times", [1, 10])
def test_nothing_is_said_of_the_recorded_asterisk_whose_settings_are_good(
    feed: str, times: int
) -> None:
    legs = [leg for scenario in asterisk_scenarios(feed) for leg in scenario.legs]
    receipts = Receipts(records=len(legs) * times, repeated=1, refused={"other_shape": 3})

    assert find(SWITCH, legs * times, receipts) == []


def test_nothing_is_said_of_the_recorded_freeswitch_whose_settings_are_good() -> None:
    receipts = Receipts(records=len(RECORDED), repeated=2, refused={"not_json": 2})

    assert find(FREESWITCH, RECORDED, receipts) == []


def test_far_ends_that_are_never_named_are_ignored_dial_changes() -> None:
    hidden = calls(FEW, dstchannel="")

    assert find(SWITCH, hidden, NOTHING) == [Finding("no_dstchannel", FEW, FEW)]
    assert codes(hidden[1:]) == []
    assert codes([*hidden, *calls(1)]) == []


def test_an_answering_machine_connects_nobody_and_says_nothing_about_far_ends() -> None:
    legs = calls(FEW, dstchannel="")
    for leg in legs:
        leg.facts["app"] = "VoiceMail"

    assert codes(legs) == []


def test_where_all_calls_in_vain_made_a_phone_ring_the_others_were_not_written() -> None:
    answered, rang = calls(MANY - 30), calls(30, disposition="NO ANSWER")
    unregistered = calls(1, disposition="FAILED", dstchannel="")

    assert find(SWITCH, [*answered, *rang], NOTHING) == [Finding("unanswered_off", 30, MANY)]
    assert codes([*answered[1:], *rang]) == []
    assert codes([*answered, *rang[1:]]) == []
    assert codes([*answered, *rang, *unregistered]) == []


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (16, ["no_uniqueid", "no_linkedid"]),
        (18, ["no_linkedid"]),
        (21, []),
    ],
)
def test_columns_that_no_row_has_are_switched_off(columns: int, expected: list[str]) -> None:
    assert codes(calls(FEW, columns=columns)) == expected
    assert codes(calls(FEW - 1, columns=columns)) == []


def shifted(legs: list[Leg], seconds: int) -> list[Leg]:
    for leg in legs:
        leg.facts["start"] += seconds * 1_000_000
    return legs


@pytest.mark.parametrize(
    ("seconds", "wrong"),
    [(0, False), (8, False), (600, False), (3600, True), (7203, True), (19800, True)],
)
def test_rows_that_begin_hours_after_their_channels_are_of_another_zone(
    seconds: int, wrong: bool
) -> None:
    assert codes(shifted(calls(FEW), seconds)) == (["wrong_zone"] if wrong else [])
    assert codes(shifted(calls(FEW - 1), seconds)) == []


def test_a_few_rows_long_after_their_channel_are_transfers() -> None:
    assert codes([*calls(FEW), *shifted(calls(FEW), 3600)]) == []


def test_rows_refused_for_their_zone_are_of_another_zone() -> None:
    refused = Receipts(records=100, refused={"wrong_zone": FEW})

    assert find(SWITCH, [], refused) == [Finding("wrong_zone", FEW, 100)]
    assert codes([], Receipts(records=100, refused={"wrong_zone": FEW - 1})) == []


def named(name: str, count: int = 5) -> list[Leg]:
    """Rows whose clid Asterisk cut at 79 bytes, perhaps inside a letter."""
    legs = []
    for number in range(count):
        fields = Rows().row("carrier-1", "acme-101-2", TO_101, (number, 1 + number, 9 + number))
        row = next(csv.reader([fields.lines()[0].decode()]))
        row[4] = f'"{name}" <48601000001>'.encode()[:79].decode(errors="replace")
        row[16] = f"{BEGIN + number}.1"
        text = io.StringIO()
        csv.writer(text).writerow(row)
        legs.append(parse(text.getvalue().encode(), "", "UTC"))
    return legs


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("Biuro", False),
        # The number is cut off, the name is whole.
        ("x" * 70, False),
        ("x" * 200, True),
        ("ż" * 60, True),
        ("x" + "ż" * 60, True),
    ],
)
def test_names_that_fill_their_field_are_cut(name: str, cut: bool) -> None:
    assert codes(named(name)) == (["cut_names"] if cut else [])
    assert codes(named(name, 4)) == []


@pytest.mark.parametrize("dst", ["s", "600", "1", ""])
def test_calls_from_outside_that_carry_no_number_of_ours_lost_it(dst: str) -> None:
    lost = calls(FEW, dst=dst, userfield="")

    assert find(SWITCH, [*lost, *calls(80)], NOTHING) == [Finding("no_did", FEW, FEW + 80)]
    assert codes(lost[1:]) == []
    assert codes(calls(FEW, dst=dst)) == []


def test_calls_of_our_own_phones_need_no_number_of_ours() -> None:
    legs = []
    for number in range(FEW):
        call = Rows(dst="102", userfield="")
        call.row("acme-101-1", "acme-102-2", TO_101, (number, number + 2, number + 9))
        legs += call.legs()

    assert codes(legs) == []


def test_further_legs_that_are_named_and_never_come_are_not_sent() -> None:
    first = [leg for leg in RECORDED if leg.facts.get("expected")]
    named = {uuid for leg in first for uuid in leg.facts["expected"]}

    assert find(FREESWITCH, first, NOTHING) == [Finding("no_b_legs", len(named), len(named))]
    other = next(leg for leg in RECORDED if leg.key in named)
    assert find(FREESWITCH, [*first, other], NOTHING) == []
    few = next(leg for leg in first)
    assert find(FREESWITCH, [few], NOTHING) == []


@pytest.mark.parametrize(
    ("broken", "records", "found"), [(20, 40, True), (19, 19, False), (20, 41, False)]
)
def test_records_that_are_mostly_no_json_are_broken_by_the_pbx(
    broken: int, records: int, found: bool
) -> None:
    receipts = Receipts(records=records, refused={"not_json": broken})

    expected = [Finding("broken_json", broken, records)] if found else []
    assert find(FREESWITCH, [], receipts) == expected


@pytest.mark.parametrize("switch", [SWITCH, FREESWITCH])
@pytest.mark.parametrize(
    ("repeated", "records", "found"), [(20, 200, True), (19, 0, False), (20, 201, False)]
)
def test_records_that_come_again_and_again_are_retried(
    switch: Switch, repeated: int, records: int, found: bool
) -> None:
    receipts = Receipts(records=records, repeated=repeated)

    expected = [Finding("repeated", repeated, records + repeated)] if found else []
    assert find(switch, [], receipts) == expected
