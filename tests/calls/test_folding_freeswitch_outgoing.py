"""FreeSWITCH: outgoing calls, click-to-call, calls that stay inside, and other settings of the PBX."""

import pytest

from calls.ingest.folding import fold
from calls.ingest.formats.freeswitch_json import parse
from calls.ingest.records import Switch
from tests.calls.freeswitch_channels import (
    SWITCH,
    calls,
    from_outside,
    from_phone,
    loopback,
    to_operator,
    to_phone,
)
from tests.calls.seen import incoming, internal, missed, outgoing

CALLER, DID, MOBILE = "+48601000001", "+48221000101", "+48501222333"
PAID = ((MOBILE, 10),)


def test_both_operators_failing_is_one_failed_call() -> None:
    failed = "NORMAL_TEMPORARY_FAILURE"
    records = (
        from_phone("a", "101", "501222333", (0, None, 2), cause=failed, disposition=failed),
        to_operator("g", MOBILE, (0, None, 1), parent="a", cause=failed),
        to_operator("h", MOBILE, (1, None, 2), gateway="zapas", parent="a", cause=failed),
    )

    assert calls(*records) == [outgoing("101", MOBILE, outcome="failed", wait=2)]


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [("ORIGINATOR_CANCEL", "cancelled"), ("USER_BUSY", "busy"), ("NORMAL_CLEARING", "no_answer")],
)
def test_after_early_media_the_cause_tells_and_not_the_success_of_the_dial(
    cause: str, outcome: str
) -> None:
    records = (
        from_phone("a", "101", "501222333", (0, None, 9), cause=cause, disposition="SUCCESS"),
        to_operator("g", MOBILE, (0, None, 9), bridged=1, partner="a", parent="a", cause=cause),
    )

    assert calls(*records) == [outgoing("101", MOBILE, outcome=outcome, wait=9)]


@pytest.mark.parametrize(
    ("disposition", "outcome"), [("CALL_REJECTED", "rejected"), ("", "no_answer")]
)
def test_a_dialplan_that_apologises_for_a_failed_call_did_not_close_the_firm(
    disposition: str, outcome: str
) -> None:
    record = from_phone(
        "a", "101", "501222333", (0, 1, 4), apps="answer playback", disposition=disposition
    )

    assert calls(record) == [outgoing("101", MOBILE, outcome=outcome, wait=4)]


@pytest.mark.parametrize("short", ["112", "997", "19491", "118913", "116111"])
def test_short_numbers_are_outgoing_calls(short: str) -> None:
    records = (
        from_phone("a", "105", short, (0, 1, 5), bridged=1, partner="g"),
        to_operator("g", short, (0, 1, 5), bridged=1, partner="a", parent="a"),
    )

    assert calls(*records) == [outgoing("105", short, short, wait=1, talk=4, paid=((short, 4),))]


@pytest.mark.parametrize("shown", ["501222333", "101", "0000000000"])
def test_click_to_call_is_an_outgoing_call_of_the_phone_rung_first(shown: str) -> None:
    records = (
        to_phone("a", "101", (0, 2, 14.5), caller=shown, bridged=4, partner="g"),
        to_operator("g", MOBILE, (2, 4, 14.5), bridged=4, partner="a", parent="a"),
    )

    assert calls(*records) == [outgoing("101", MOBILE, MOBILE, wait=4, talk=10.5, paid=PAID)]


def test_click_to_call_put_through_after_a_question_stays_one_outgoing_call() -> None:
    records = (
        to_phone("a", "101", (0, 2, 24), caller="501222333", bridged=4, partner="g"),
        to_operator("g", MOBILE, (2, 4, 44), bridged=24, partner="d", parent="a"),
        from_phone("c", "101", "102", (10, 13, 24), bridged=13, partner="d", rang=["d:102"]),
        to_phone("d", "102", (10, 13, 44), bridged=24, partner="g", parent="c"),
    )

    assert calls(*records) == [
        outgoing("101", MOBILE, MOBILE, "102", wait=4, talk=40, paid=((MOBILE, 40),))
    ]


def test_click_to_call_to_a_busy_number_was_answered_by_nobody() -> None:
    records = (
        to_phone("a", "101", (0, 2, 5), rang=[f"g:{MOBILE}"], disposition="USER_BUSY"),
        to_operator("g", MOBILE, (2, None, 5), parent="a", cause="USER_BUSY"),
    )

    assert calls(*records) == [outgoing("101", MOBILE, outcome="busy", wait=5)]


def test_click_to_call_through_a_loopback_is_an_outgoing_call_of_the_phone_behind_it() -> None:
    records = (
        loopback("l", "a", "101", (0, 2, 14), caller="0000000000", half="m", partner="g"),
        loopback("m", "b", "101", (0, 2, 14), half="l", partner="b", rang=["b:101"]),
        to_phone("b", "101", (0, 2, 14), bridged=2, partner="m", parent="m"),
        to_operator("g", MOBILE, (2, 4, 14), bridged=4, partner="l", parent="l"),
    )

    assert calls(*records) == [outgoing("101", MOBILE, MOBILE, wait=4, talk=10, paid=PAID)]


def test_click_to_call_whose_agent_does_not_pick_up_is_an_outgoing_call_to_that_number() -> None:
    record = to_phone("a", "101", (0, None, 30), caller="501222333", cause="NO_ANSWER")

    assert calls(record) == [outgoing("101", MOBILE, outcome="no_answer", wait=30)]


def test_click_to_call_that_rings_the_customer_first_is_an_outgoing_call_too() -> None:
    records = (
        to_operator("g", MOBILE, (0, 4, 19), bridged=9, partner="b"),
        to_phone("b", "101", (4, 9, 19), bridged=9, partner="g", parent="g"),
    )

    assert calls(*records) == [
        outgoing("101", MOBILE, MOBILE, wait=4, talk=10, paid=((MOBILE, 15),))
    ]


def test_an_internal_call_forwarded_to_a_mobile_stays_internal_and_is_paid() -> None:
    records = (
        from_phone("a", "104", "107", (0, 5, 15), bridged=5, partner="g"),
        to_operator("g", MOBILE, (0, 5, 15), bridged=5, partner="a", parent="a"),
    )

    assert calls(*records) == [internal("104", "107", MOBILE, wait=5, talk=10, paid=PAID)]


def test_a_number_of_our_own_dialled_from_inside_is_an_internal_call() -> None:
    records = (
        from_phone("a", "104", "221000101", (0, 5, 15), bridged=5, partner="b", rang=["b:101"]),
        to_phone("b", "101", (0, 5, 15), bridged=5, partner="a", parent="a"),
    )

    assert calls(*records) == [internal("104", DID, "101", wait=5, talk=10)]


def test_an_internal_call_that_ends_in_voicemail_was_not_answered() -> None:
    records = (
        from_phone("a", "104", "101", (0, 20, 35), rang=["b:101"], apps="bridge voicemail"),
        to_phone("b", "101", (0, None, 20), parent="a", cause="NO_ANSWER"),
    )

    assert calls(*records) == [internal("104", "101", outcome="voicemail", wait=35)]


@pytest.mark.parametrize(
    ("code", "app"),
    [("*98", "voicemail"), ("4000", "voicemail"), ("*43", "echo"), ("*72501222333", "playback")],
)
def test_codes_and_machines_are_internal_services(code: str, app: str) -> None:
    record = from_phone("a", "101", code, (0, 0, 15), apps=f"answer {app}")

    assert calls(record) == [internal("101", code, outcome="service", wait=15)]


def test_a_phone_that_dials_a_number_nobody_knows_is_still_its_firms() -> None:
    record = from_phone("a", "101", "555", (0, None, 0), cause="NO_ROUTE_DESTINATION", apps="")

    assert fold([parse(record)], SWITCH).tenants == ("firma", "firma.example")
    assert calls(record) == [internal("101", "555", outcome="failed")]


def test_an_operator_reached_by_address_instead_of_a_gateway_is_paid() -> None:
    records = (
        from_phone("a", "101", "501222333", (0, 5, 15), bridged=5, partner="g"),
        to_operator("g", MOBILE, (0, 5, 15), gateway="", bridged=5, partner="a", parent="a"),
    )

    assert calls(*records) == [outgoing("101", MOBILE, MOBILE, wait=5, talk=10, paid=PAID)]


def test_profiles_may_have_any_name() -> None:
    switch = Switch("freeswitch-json", ("carriers",))
    records = (
        from_outside("a", (0, 2, 6), profile="carriers", context="from-carriers", partner="b"),
        to_phone("b", "101", (0, 2, 6), partner="a", parent="a", profile="phones"),
    )

    assert calls(*records, switch=switch) == [
        incoming(CALLER, "101", "101", did=DID, wait=2, talk=4)
    ]


@pytest.mark.parametrize("dialled", ["102", "221000102"])
def test_phones_that_sign_in_on_the_outside_profile_are_phones(dialled: str) -> None:
    records = (
        from_phone("a", "101", dialled, (0, 2, 6), profile="external", context="public"),
        to_phone("b", dialled, (0, 2, 6), partner="a", parent="a", profile="external"),
    )

    shown = "102" if dialled == "102" else "+48221000102"
    assert calls(*records) == [internal("101", shown, dialled, wait=2, talk=4)]


def test_a_phone_that_is_known_by_its_address_alone_is_called_by_its_caller_id() -> None:
    records = (
        from_outside(
            "a", (0, 2, 6), caller="107", number="102", profile="internal", context="firma"
        ),
        to_phone("b", "102", (0, 2, 6), partner="a", parent="a"),
    )

    assert calls(*records) == [internal("107", "102", "102", wait=2, talk=4)]


def test_without_log_b_leg_the_callers_own_record_tells_who_answered() -> None:
    menu = from_outside(
        "a", (0, 1, 19), bridged=9, partner="c", rang=["b:101", "c:102"], apps="answer ivr bridge"
    )

    assert calls(menu) == [
        incoming(CALLER, "102", "102", did=DID, wait=9, talk=10, estimated=True, complete=False)
    ]


def test_without_log_b_leg_outgoing_and_forwarded_calls_are_paid_as_estimates() -> None:
    unsure = {"wait": 5.0, "talk": 10.0, "paid": PAID, "estimated": True, "complete": False}
    dialled = from_phone(
        "a", "101", "501222333", (0, 5, 15), bridged=5, partner="g", rang=[f"g:{MOBILE}"]
    )
    forwarded = from_outside("a", (0, 5, 15), bridged=5, partner="g", rang=[f"g:{MOBILE}"])

    assert calls(dialled) == [outgoing("101", MOBILE, MOBILE, **unsure)]
    assert calls(forwarded) == [incoming(CALLER, "", MOBILE, did=DID, **unsure)]


def test_without_log_b_leg_a_call_that_nobody_answered_is_still_missed() -> None:
    record = from_outside("a", (0, None, 9), rang=["b:101"], disposition="ORIGINATOR_CANCEL")

    assert calls(record) == [missed(CALLER, "", "cancelled", did=DID, wait=9, complete=False)]


def test_the_record_of_a_leg_that_comes_late_replaces_the_estimate_under_the_same_key() -> None:
    dialled = from_phone(
        "a", "101", "501222333", (0, 5, 15), bridged=5.4, partner="g", rang=[f"g:{MOBILE}"]
    )
    far_end = to_operator("g", MOBILE, (0, 5, 15.2), bridged=5.4, partner="a", parent="a")
    before, after = (
        fold([parse(record) for record in records], SWITCH).paid
        for records in ([dialled], [dialled, far_end])
    )

    assert [(leg.to, leg.seconds, leg.estimated) for leg in (*before, *after)] == [
        (MOBILE, 9, True),
        (MOBILE, 10, False),
    ]
    assert before[0].key == after[0].key
