"""Asterisk: attended transfers of phones, whose halves have two linkedids, with channel events beside the rows."""

from dataclasses import replace

import pytest

from calls.ingest.grouping import components
from tests.calls.asterisk_events import Events
from tests.calls.asterisk_rows import SWITCH, Rows
from tests.calls.seen import Seen, incoming, internal, outgoing, seen

CALLER, DID, MOBILE = "+48601000001", "+48221234501", "+48501222333"
TO_101, TO_102, TO_103 = (f"Dial PJSIP/acme-{number},20,tT" for number in (101, 102, 103))
TO_MOBILE = "Dial PJSIP/48501222333@carrier,45"
CONSULTED = "AppDial (Outgoing Line)"
QUEUE = "Queue sales,tT"


def put_through() -> Rows:
    """101 answers after a menu, asks 103 on a second channel, and puts the caller through."""
    rows = Rows().row("carrier-1", "acme-101-2", TO_101, (0, 0, 20))
    rows.row("acme-101-3", "acme-103-4", TO_103, (8, 11, 20), dst="103", linked="acme-101-3")
    return rows.row("carrier-1", "acme-103-4", TO_101, (20, 20, 50))


def events_of(rows: Rows) -> Events:
    events = Events(rows).life("carrier-1", 0, 0, 50).life("acme-101-2", 1, 5, 20)
    events.life("acme-101-3", 8, 11, 20, linked="acme-101-3")
    events.life("acme-103-4", 8, 11, 50, linked="acme-101-3")
    events.met(5, 20, "carrier-1", "acme-101-2").met(11, 20, "acme-101-3", "acme-103-4")
    events.met(20, 50, "carrier-1", "acme-103-4")
    return events.transferred(20, "acme-101-2", "acme-101-3", "carrier-1", "acme-103-4")


PUT_THROUGH = incoming(CALLER, "101", "101", "103", did=DID, wait=5, talk=45)


def test_an_attended_transfer_is_one_call_and_its_question_counts_as_talk() -> None:
    rows = put_through()

    assert rows.seen() == [replace(PUT_THROUGH, wait=0, talk=50, estimated=True)]
    assert events_of(rows).seen() == [PUT_THROUGH]


@pytest.mark.parametrize("row", range(3))
def test_a_row_that_is_still_missing_leaves_no_second_call_where_events_join_the_others(
    row: int,
) -> None:
    rows = put_through()
    legs = [*rows.legs()[:row], *rows.legs()[row + 1 :], *events_of(rows).legs()]

    assert len(components(legs)) == 1


def put_into_a_queue() -> Rows:
    """101 dials the queue on a second channel and puts the caller there, who hangs up before anybody answers."""
    rows = Rows().row("carrier-1", "acme-101-2", TO_101, (0, 3, 20))
    rows.row("acme-101-3", "", QUEUE, (8, 8, 20), src="101", dst="500", linked="acme-101-3")
    return rows.row("carrier-1", "", QUEUE, (20, 20, 45), dst="500")


def test_a_transfer_into_a_queue_is_one_call_only_with_its_events() -> None:
    rows = put_into_a_queue()
    events = Events(rows).life("carrier-1", 0, 3, 45).life("acme-101-2", 0, 3, 20)
    events.life("acme-101-3", 8, 8, 20, linked="acme-101-3")
    events.met(3, 20, "carrier-1", "acme-101-2")
    kinds = [call.kind for call in rows.seen()]

    events.transferred(20, "acme-101-2", "acme-101-3", "carrier-1", "acme-101-3")

    assert kinds == ["incoming", "internal"]
    assert events.seen() == [incoming(CALLER, "101", "101", did=DID, wait=3, talk=17)]


def test_a_question_without_a_transfer_stays_a_call_of_its_own() -> None:
    rows = Rows().row("carrier-1", "acme-101-2", TO_101, (0, 3, 60))
    rows.row(
        "acme-101-3", "acme-103-4", TO_103, (8, 11, 28), src="101", dst="103", linked="acme-101-3"
    )
    events = Events(rows).life("carrier-1", 0, 3, 60).life("acme-101-2", 0, 3, 60)
    events.life("acme-101-3", 8, 11, 28, linked="acme-101-3")
    events.life("acme-103-4", 8, 11, 28, linked="acme-101-3")
    events.met(3, 60, "carrier-1", "acme-101-2").met(11, 28, "acme-101-3", "acme-103-4")

    assert events.seen() == [
        incoming(CALLER, "101", "101", did=DID, wait=3, talk=57),
        internal("101", "103", "103", wait=3, talk=17),
    ]


def test_an_attended_transfer_to_a_mobile_is_paid_from_the_mobiles_answer_on() -> None:
    rows = Rows().row("carrier-1", "acme-101-2", TO_101, (0, 3, 20))
    rows.row("acme-101-3", "carrier-4", TO_MOBILE, (8, 11, 20), dst="501222333")
    rows.row("carrier-1", "carrier-4", TO_101, (20, 20, 50))
    events = Events(rows).life("carrier-1", 0, 3, 50).life("acme-101-2", 0, 3, 20)
    events.life("acme-101-3", 8, 11, 20).life("carrier-4", 8, 12, 50)
    events.met(3, 20, "carrier-1", "acme-101-2").met(12, 20, "acme-101-3", "carrier-4")

    assert events.met(20, 50, "carrier-1", "carrier-4").seen() == [
        incoming(CALLER, "101", "101", MOBILE, did=DID, wait=3, talk=47, paid=((MOBILE, 38),))
    ]


def test_an_outgoing_call_put_through_after_a_question_is_exact() -> None:
    rows = Rows(src="101", dst="501222333", userfield="")
    rows.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 4, 24))
    rows.row("acme-101-3", "acme-102-4", TO_102, (10, 13, 24), dst="102", linked="acme-101-3")
    rows.row("carrier-2", "acme-102-4", CONSULTED, (24, 24, 44), src="48221234567", dst="102")
    events = Events(rows).life("acme-101-1", 0, 4, 24).life("carrier-2", 0, 4, 44)
    events.life("acme-101-3", 10, 13, 24, linked="acme-101-3")
    events.life("acme-102-4", 10, 13, 44, linked="acme-101-3")
    events.met(4, 24, "acme-101-1", "carrier-2").met(13, 24, "acme-101-3", "acme-102-4")

    assert events.met(24, 44, "carrier-2", "acme-102-4").seen() == [
        outgoing("101", MOBILE, MOBILE, "102", wait=4, talk=40, paid=((MOBILE, 40),))
    ]


def test_a_transfer_by_keys_counts_the_colleague_through_the_local_channel() -> None:
    local = "Local/103@acme-internal-00000000"
    rows = Rows().row("carrier-1", "acme-101-2", TO_101, (0, 2, 12))
    rows.row("acme-101-2", f"{local};1", CONSULTED, (12, 12, 22), src="101", dst="")
    rows.row(f"{local};2", "acme-103-3", TO_103, (12, 16, 50), dst="103")
    rows.row("carrier-1", f"{local};1", TO_101, (12, 12, 50))
    events = Events(rows).life("carrier-1", 0, 2, 50).life("acme-101-2", 0, 2, 22)
    events.life(f"{local};1", 12, 16, 50).life(f"{local};2", 12, 16, 50)
    events.life("acme-103-3", 12, 16, 50).met(2, 12, "carrier-1", "acme-101-2")
    events.met(12, 22, "acme-101-2", f"{local};1").met(12, 22, "carrier-1")
    events.met(16, 50, f"{local};2", "acme-103-3").met(22, 50, "carrier-1", f"{local};1")

    assert events.seen() == [incoming(CALLER, "101", "101", "103", did=DID, wait=2, talk=48)]


def test_the_call_of_an_attended_transfer_is_the_same_with_and_without_events() -> None:
    rows = put_through()

    with_events = seen([*rows.legs(), *events_of(rows).legs()], SWITCH)

    assert [_figures_apart(call) for call in with_events] == [
        _figures_apart(call) for call in rows.seen()
    ]


def _figures_apart(call: Seen) -> Seen:
    return replace(call, wait=0, talk=0, estimated=False)
