"""FreeSWITCH: calls from outside, through groups, forwards, menus, queues and voicemail."""

from calls.ingest.folding import fold
from calls.ingest.formats.freeswitch_json import parse
from tests.calls.freeswitch_channels import (
    SWITCH,
    calls,
    from_outside,
    from_phone,
    loopback,
    to_operator,
    to_phone,
)
from tests.calls.seen import incoming, missed

CALLER, DID, MOBILE = "+48601000001", "+48221000101", "+48501222333"


def test_answered_and_hung_up_at_once_is_answered_for_no_seconds() -> None:
    records = (
        from_outside("a", (0, 3.02, 3.3), bridged=3.02, partner="b", rang=["b:101"]),
        to_phone("b", "101", (0, 3, 3.3), bridged=3.02, partner="a", parent="a"),
    )

    assert calls(*records) == [incoming(CALLER, "101", "101", did=DID, wait=3, talk=0.3)]


def test_a_mobile_that_rings_together_with_the_phone_and_answers_is_paid() -> None:
    records = (
        from_outside("a", (0, 5, 65.9), bridged=5, partner="c", rang=["b:101", f"c:{MOBILE}"]),
        to_phone("b", "101", (0, None, 5), parent="a", cause="LOSE_RACE"),
        to_operator("c", MOBILE, (0, 5, 65.9), bridged=5, partner="a", parent="a"),
    )

    assert calls(*records) == [
        incoming(CALLER, "101", MOBILE, did=DID, wait=5, talk=60.9, paid=((MOBILE, 60),))
    ]


def test_phones_rung_one_after_the_other_are_one_call() -> None:
    records = (
        from_outside("a", (0, 13, 20), bridged=13, partner="c", rang=["b:101", "c:102"]),
        to_phone("b", "101", (0, None, 10), parent="a", cause="ALLOTTED_TIMEOUT"),
        to_phone("c", "102", (10, 13, 20), bridged=13, partner="a", parent="a"),
    )

    assert calls(*records) == [incoming(CALLER, "102", "102", did=DID, wait=13, talk=7)]


def test_a_group_nobody_of_which_answers_and_then_voicemail_is_missed() -> None:
    records = (
        from_outside(
            "a",
            (0, 20, 50),
            rang=["b:101", "c:102"],
            apps="transfer bridge answer voicemail",
            disposition="NO_ANSWER",
        ),
        to_phone("b", "101", (0, None, 20), parent="a", cause="NO_ANSWER"),
        to_phone("c", "102", (0, None, 20), parent="a", cause="NO_ANSWER"),
    )

    assert calls(*records) == [missed(CALLER, "101", "voicemail", did=DID, wait=50)]


def test_a_phone_that_rejects_leaves_a_rejected_call() -> None:
    records = (
        from_outside("a", (0, None, 4), rang=["b:101"], disposition="CALL_REJECTED"),
        to_phone("b", "101", (0, None, 4), parent="a", cause="CALL_REJECTED"),
    )

    assert calls(*records) == [missed(CALLER, "101", "rejected", did=DID, wait=4)]


def test_a_caller_who_presses_nothing_gave_up_in_the_menu() -> None:
    menu = from_outside("a", (0, 0, 22), apps="transfer answer play_and_get_digits playback")

    assert calls(menu) == [missed(CALLER, "", "ivr_abandon", did=DID, wait=22)]


def test_a_group_chosen_in_the_menu_that_nobody_answers_is_no_matter_of_the_menu() -> None:
    records = (
        from_outside(
            "a", (0, 0, 30), rang=["b:101"], apps="answer ivr bridge", disposition="NO_ANSWER"
        ),
        to_phone("b", "101", (10, None, 30), parent="a", cause="NO_ANSWER"),
    )

    assert calls(*records) == [missed(CALLER, "101", "no_answer", did=DID, wait=30)]


def test_a_phone_chosen_in_the_menu_that_is_switched_off_is_no_matter_of_the_menu() -> None:
    record = from_outside(
        "a", (0, 0, 12), apps="answer ivr bridge playback", disposition="USER_NOT_REGISTERED"
    )

    assert calls(record) == [missed(CALLER, "", "failed", did=DID, wait=12)]


def test_an_announcement_outside_the_hours_is_missed_because_closed() -> None:
    record = from_outside("a", (0, 0, 6), apps="transfer answer playback hangup")

    assert calls(record) == [missed(CALLER, "", "closed", did=DID, wait=6)]


def test_closed_hours_without_answering_are_a_missed_call_without_a_reason() -> None:
    record = from_outside("a", (0, None, 6), apps="transfer pre_answer playback")

    assert calls(record) == [missed(CALLER, "", "no_answer", did=DID, wait=6)]


def test_an_agent_on_a_mobile_is_paid() -> None:
    records = (
        from_outside("a", (0, 0, 18), bridged=8.1, partner="b", apps="answer callcenter"),
        to_operator("b", MOBILE, (1, 8, 18.5), bridged=8.1, partner="a", member="a"),
    )

    assert calls(*records) == [
        incoming(CALLER, "", MOBILE, did=DID, wait=8, talk=10, paid=((MOBILE, 10),))
    ]


def test_a_queue_that_nobody_answers_is_missed() -> None:
    records = (
        from_outside("a", (0, 0, 25), apps="answer callcenter"),
        to_phone("b", "103", (1, None, 21), member="a", cause="NO_ANSWER"),
        to_phone("c", "104", (1, None, 25), member="a", cause="ORIGINATOR_CANCEL"),
    )

    assert calls(*records) == [missed(CALLER, "103", "queue_abandon", did=DID, wait=25)]


def test_an_agent_who_fetches_the_next_caller_is_the_one_who_answered() -> None:
    records = (
        from_outside("a", (0, 0, 40), bridged=20, partner="p", apps="answer fifo"),
        from_phone("p", "102", "*7001", (19.9, 20, 40), bridged=20, partner="a", apps="fifo"),
    )

    assert calls(*records) == [incoming(CALLER, "102", "102", did=DID, wait=20, talk=20)]


def test_an_agent_who_waited_for_the_caller_answered_when_they_were_connected() -> None:
    records = (
        from_phone("p", "102", "*7001", (0, 0, 100), bridged=62, partner="a", apps="fifo"),
        from_outside("a", (60, 60, 100), bridged=62, partner="p", apps="answer fifo"),
    )

    assert calls(*records) == [incoming(CALLER, "102", "102", did=DID, wait=2, talk=38)]


def test_a_desk_in_a_loopback_group_that_forwards_to_a_mobile_is_paid() -> None:
    records = (
        from_outside("a", (0, 6, 16), bridged=0.1, partner="b", rang=["b:XML"]),
        loopback("b", "a", "107", (0, 6, 16), half="c", parent="a", partner="a"),
        loopback("c", "b", "107", (0, 6, 16), half="b", partner="d", rang=[f"d:{MOBILE}"]),
        to_operator("d", MOBILE, (0, 6, 16), bridged=6, partner="c", parent="c"),
    )

    assert calls(*records) == [
        incoming(CALLER, "", MOBILE, did=DID, wait=6, talk=10, paid=((MOBILE, 10),))
    ]


def test_a_caller_from_an_anonymous_address_is_hidden() -> None:
    records = (
        from_outside("a", (0, 2, 6), caller="anonymous", bridged=2, partner="b", rang=["b:101"]),
        to_phone("b", "101", (0, 2, 6), caller="anonymous", bridged=2, partner="a", parent="a"),
    )

    assert calls(*records) == [incoming("", "101", "101", did=DID, wait=2, talk=4)]


def test_a_phone_dialled_by_its_address_is_a_person_all_the_same() -> None:
    records = (
        from_outside("a", (0, 2, 6), bridged=2, partner="b", rang=["b:101"]),
        to_phone("b", "", (0, 2, 6), bridged=2, partner="a", parent="a").replace(
            b'"destination_number": ""', b'"destination_number": "101"'
        ),
    )

    assert calls(*records) == [incoming(CALLER, "101", "101", did=DID, wait=2, talk=4)]


def test_a_number_that_the_pbx_knows_belongs_to_its_firm_even_if_its_phone_does_not_exist() -> None:
    known, unknown = (
        from_outside(
            "a",
            (0, None, 0),
            cause="NO_ROUTE_DESTINATION",
            disposition=disposition,
            variables={"domain_name": "firma.example"},
        )
        for disposition in ("NO_ROUTE_DESTINATION", "")
    )

    assert [fold([parse(record)], SWITCH).tenants for record in (known, unknown)] == [
        ("firma.example",),
        (),
    ]
