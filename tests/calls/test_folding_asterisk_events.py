"""Asterisk: rows with channel events beside them tell the true seconds of every call."""

from dataclasses import replace

import pytest

from calls.ingest.folding import fold
from calls.ingest.records import SECOND
from tests.calls.asterisk_events import Events
from tests.calls.asterisk_rows import BEGIN, SWITCH, Rows
from tests.calls.seen import incoming, internal, missed, outgoing

CALLER, DID = "+48601000001", "+48221234501"
MOBILE, OTHER = "+48501222333", "+48612000001"
TO_101, TO_102, TO_103 = (f"Dial PJSIP/acme-{number},20,tT" for number in (101, 102, 103))
TO_MOBILE = "Dial PJSIP/48501222333@carrier,45"
QUEUE = "Queue sales,tT"


def after_a_menu() -> Rows:
    """A menu answers at once, 101 rings from 10 and answers at 14: the row counts from the menu's answer on."""
    return Rows().row("carrier-1", "acme-101-2", TO_101, (0, 0, 34))


def events_after_a_menu(rows: Rows, fraction: str = "000007") -> Events:
    events = Events(rows, fraction)
    events.life("carrier-1", 0, 0, 34).life("acme-101-2", 10, 14, 34)
    return events.met(14, 34, "carrier-1", "acme-101-2")


AFTER_A_MENU = incoming(CALLER, "101", "101", did=DID, wait=14, talk=20)


def test_who_answered_after_a_menu_answered_when_their_phone_did() -> None:
    rows = after_a_menu()

    assert rows.seen() == [replace(AFTER_A_MENU, wait=0, talk=34, estimated=True)]
    assert events_after_a_menu(rows).seen() == [AFTER_A_MENU]


def test_the_story_of_the_call_tells_when_the_phone_rang_and_was_answered() -> None:
    rows = after_a_menu()

    (step,) = fold([*rows.legs(), *events_after_a_menu(rows).legs()], SWITCH).steps

    moments = [round(time / SECOND) - BEGIN for time in (step.began, step.answered, step.ended)]
    assert moments == [10, 14, 34]


def test_a_phone_that_is_answered_late_by_a_menu_is_not_believed_to_be_a_person() -> None:
    rows = Rows().row("carrier-1", "acme-101-2", TO_101, (0, 3, 34))
    events = Events(rows).life("carrier-1", 0, 3, 34).life("acme-101-2", 10, 14, 34)

    assert rows.seen() == [replace(AFTER_A_MENU, wait=3, talk=31)]
    assert events.met(14, 34, "carrier-1", "acme-101-2").seen() == [AFTER_A_MENU]


def test_a_caller_on_hold_is_still_talked_with() -> None:
    rows = Rows().row("carrier-1", "acme-101-2", TO_101, (0, 3, 33))
    events = Events(rows).life("carrier-1", 0, 3, 33).life("acme-101-2", 0, 3, 33)
    events.met(3, 10, "carrier-1", "acme-101-2").met(10, 20, "acme-101-2")
    events.met(20, 33, "carrier-1", "acme-101-2")

    assert events.seen() == [incoming(CALLER, "101", "101", did=DID, wait=3, talk=30)]


def test_the_music_that_a_queue_plays_to_its_agent_is_no_talk_but_the_wait_is_over() -> None:
    rows = Rows().row("carrier-1", "acme-101-2", QUEUE, (0, 0, 34))
    events = Events(rows).life("carrier-1", 0, 0, 34).life("acme-101-2", 10, 14, 34)

    assert events.met(17, 34, "carrier-1", "acme-101-2").seen() == [
        incoming(CALLER, "101", "101", did=DID, wait=14, talk=17)
    ]


def test_a_colleague_who_picks_up_answers_then() -> None:
    rows = Rows().row("carrier-1", "acme-102-3", TO_101, (0, 0, 26))
    rows.row("acme-101-2", "", "AppDial (Outgoing Line)", (5, None, 6), "NO ANSWER", dst="**101")
    events = Events(rows).life("carrier-1", 0, 0, 26).life("acme-101-2", 1, None, 6)
    events.life("acme-102-3", 5, 6, 26, linked="acme-102-3")

    assert rows.seen() == [incoming(CALLER, "102", "102", did=DID, wait=0, talk=26, estimated=True)]
    assert events.met(6, 26, "carrier-1", "acme-102-3").seen() == [
        incoming(CALLER, "102", "102", did=DID, wait=6, talk=20)
    ]


def test_a_parked_call_is_talked_on_while_somebody_is_there() -> None:
    rows = Rows(src="101", dst="501222333", userfield="")
    rows.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 4, 14))
    rows.row("carrier-2", "", "Park default:701", (14, 14, 24), dst="700")
    rows.row(
        "acme-102-3", "carrier-2", "ParkedCall default,701", (23, 23, 54), src="102", dst="701"
    )
    events = Events(rows).life("acme-101-1", 0, 4, 16).life("carrier-2", 0, 4, 54)
    events.life("acme-102-3", 23, 23, 54, linked="acme-102-3")
    events.met(4, 14, "acme-101-1", "carrier-2").met(14, 16, "acme-101-1").met(14, 24, "carrier-2")

    assert events.met(24, 54, "acme-102-3", "carrier-2").seen() == [
        outgoing("101", MOBILE, MOBILE, "102", wait=4, talk=42, paid=((MOBILE, 50),))
    ]


def test_a_blind_transfer_does_not_count_the_ringing_of_its_target() -> None:
    rows = Rows().row("carrier-1", "acme-101-2", TO_101, (0, 2, 7))
    rows.row("carrier-1", "acme-102-3", TO_102, (7, 7, 30), dst="102")
    events = Events(rows).life("carrier-1", 0, 2, 30).life("acme-101-2", 0, 2, 7)
    events.life("acme-102-3", 7, 15, 30).met(2, 7, "carrier-1", "acme-101-2")

    assert rows.seen()[0].talk == 28
    assert events.met(15, 30, "carrier-1", "acme-102-3").seen() == [
        incoming(CALLER, "101", "101", "102", did=DID, wait=2, talk=20)
    ]


def test_a_forward_to_a_mobile_after_a_menu_is_paid_from_its_own_answer_on() -> None:
    rows = Rows().row("carrier-1", "carrier-2", TO_MOBILE, (0, 0, 60))
    events = Events(rows).life("carrier-1", 0, 0, 60).life("carrier-2", 10, 18, 60)
    expected = incoming(CALLER, "", MOBILE, did=DID, wait=18, talk=42, paid=((MOBILE, 42),))

    assert rows.seen() == [replace(expected, wait=0, talk=60, paid=((MOBILE, 60),), estimated=True)]
    assert events.met(18, 60, "carrier-1", "carrier-2").seen() == [expected]


def test_click_to_call_through_local_channels_waits_for_the_customer() -> None:
    local = "Local/612000001@acme-out-00000005"
    rows = Rows(src="612000001", dst="612000001", userfield="")
    rows.row("acme-101-1", f"{local};1", "Dial Local/612000001@acme-out/n", (0, 2, 12))
    rows.row(f"{local};2", "carrier-2", "Dial PJSIP/48612000001@carrier", (2, 2, 12))
    events = Events(rows).life("acme-101-1", 0, 2, 12).life("carrier-2", 2, 5, 12)
    events.life(f"{local};1", 2, 5, 12).life(f"{local};2", 2, 2, 12)
    events.met(5, 12, "acme-101-1", f"{local};1").met(5, 12, f"{local};2", "carrier-2")

    assert events.seen() == [outgoing("101", OTHER, OTHER, wait=5, talk=7, paid=((OTHER, 7),))]


def test_click_to_call_in_vain_waited_to_its_end() -> None:
    rows = Rows(src="501222333", dst="501222333", userfield="")
    rows.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 2, 9), "NO ANSWER")
    events = Events(rows).life("acme-101-1", 0, 2, 9).life("carrier-2", 2, None, 9)

    assert events.seen() == [outgoing("101", MOBILE, outcome="no_answer", wait=9)]


def test_an_internal_call_handed_on_counts_both_conversations() -> None:
    rows = Rows(src="101", dst="102", userfield="")
    rows.row("acme-101-1", "acme-102-2", TO_102, (0, 2, 12))
    rows.row("acme-102-2", "acme-103-3", TO_103, (12, 12, 32), src="102", dst="103")
    events = Events(rows).life("acme-101-1", 0, 2, 12).life("acme-102-2", 0, 2, 32)
    events.life("acme-103-3", 12, 19, 32).met(2, 12, "acme-101-1", "acme-102-2")

    assert events.met(19, 32, "acme-102-2", "acme-103-3").seen() == [
        internal("101", "102", "102", "103", wait=2, talk=23)
    ]


def test_a_queue_that_nobody_answers_is_waited_in_to_the_end() -> None:
    rows = Rows().row("carrier-1", "acme-101-2", QUEUE, (0, 0, 25), "NO ANSWER")
    events = Events(rows).life("carrier-1", 0, 0, 27).life("acme-101-2", 3, None, 20)

    assert events.seen() == [missed(CALLER, "101", "queue_abandon", did=DID, wait=27)]


def test_a_call_one_of_whose_channels_lives_on_is_not_complete() -> None:
    rows = Rows(src="101", dst="501222333", userfield="")
    rows.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 4, 14))
    events = Events(rows).life("acme-101-1", 0, 4, 14).life("carrier-2", 0, 4, None)
    events.met(4, 14, "acme-101-1", "carrier-2")

    assert rows.seen()[0].complete
    assert not events.seen()[0].complete


def test_events_by_another_clock_than_the_rows_are_not_used() -> None:
    rows = after_a_menu()
    shifted = [
        replace(leg, started=leg.started + 3600 * SECOND, ended=leg.ended + 3600 * SECOND)
        for leg in events_after_a_menu(rows).legs()
    ]

    (call,) = rows.seen()
    folded = fold([*rows.legs(), *shifted], SWITCH)
    assert (folded.wait, folded.talk, folded.estimated) == (0, call.talk * SECOND, True)


def test_events_in_whole_seconds_are_not_used() -> None:
    rows = after_a_menu()

    assert events_after_a_menu(rows, fraction="000000").seen() == rows.seen()


@pytest.mark.parametrize("named", ["acme-101-2", "acme-102-3"])
def test_whom_the_caller_met_though_no_row_says_so_leaves_an_estimate(named: str) -> None:
    rows = Rows().row("carrier-1", named, QUEUE, (0, 0, 10), "NO ANSWER")
    events = Events(rows).life("carrier-1", 0, 0, 40).life("acme-101-2", 3, None, 10)
    events.life("acme-102-3", 11, 15, 40).met(15, 40, "carrier-1", "acme-102-3")

    assert events.seen() == rows.seen()


def test_a_second_person_whom_no_row_names_leaves_an_estimate() -> None:
    rows = Rows().row("carrier-1", "acme-101-2", TO_101, (0, 0, 7))
    events = Events(rows).life("carrier-1", 0, 0, 30).life("acme-101-2", 0, 2, 7)
    events.life("acme-102-3", 7, 15, 30).met(2, 7, "carrier-1", "acme-101-2")

    assert events.met(15, 30, "carrier-1", "acme-102-3").seen() == rows.seen()


@pytest.mark.parametrize("lost", [{1, 4}, {2, 7}], ids=["left and back", "first and last"])
def test_two_lost_events_of_one_bridge_are_noticed(lost: set[int]) -> None:
    rows = after_a_menu()
    events = events_after_a_menu(rows)
    events.written = [event for event in events.written if "BRIDGE" not in event[0]]
    stays = [("b1", 14, 18), ("b2", 18, 22), ("b1", 22, 30), ("b2", 30, 34)]
    story = [
        (event, second, bridge)
        for bridge, since, until in stays
        for event, second in (("ENTER", since), ("EXIT", until))
    ]
    for number, (event, second, bridge) in enumerate(story):
        if number not in lost:
            events.bridge_event(f"BRIDGE_{event}", second, "acme-101-2", bridge)
    events.bridge_event("BRIDGE_ENTER", 14, "carrier-1", "b1")
    events.bridge_event("BRIDGE_EXIT", 34, "carrier-1", "b1")

    assert events.seen() == rows.seen()
