"""Asterisk: outgoing calls, click-to-call and calls that stay inside, as the customer must see them."""

import pytest

from calls.ingest.records import Switch
from tests.calls.asterisk_rows import Rows
from tests.calls.seen import Seen, internal, outgoing

MOBILE, OTHER = "+48501222333", "+48612000001"
TO_101, TO_102 = (f"Dial PJSIP/acme-{number},20,tT" for number in (101, 102))
TO_MOBILE = "Dial PJSIP/48501222333@carrier,45"
TO_OTHER = "Dial PJSIP/48612000001@carrier,45"
PAID = ((OTHER, 8),)


def out_of(extension: str, dst: str) -> Rows:
    return Rows(src=extension, dst=dst, userfield="")


def click_to_call() -> Rows:
    return Rows(src="612000001", dst="612000001", userfield="")


@pytest.mark.parametrize("rang", [0, 3])
def test_a_second_operator_who_finds_the_number_busy_tells_the_outcome(rang: int) -> None:
    second = "Dial PJSIP/48501222333@carrier2,45"
    call = out_of("101", "501222333")
    call.row("acme-101-1", "carrier-2", TO_MOBILE, (0, None, 0), "CONGESTION")
    call.row("acme-101-1", "carrier2-3", second, (0, None, rang), "BUSY")
    call.row("acme-101-1", "", "Hangup 17", (rang, None, rang), "BUSY")

    assert call.seen() == [outgoing("101", MOBILE, outcome="busy", wait=rang)]


def test_a_second_operator_who_is_not_answered_tells_the_outcome() -> None:
    call = out_of("101", "501222333")
    call.row("acme-101-1", "carrier-2", TO_MOBILE, (0, None, 0), "FAILED")
    call.row(
        "acme-101-1", "carrier2-3", "Dial PJSIP/48501222333@carrier2,45", (0, None, 30), "NO ANSWER"
    )

    assert call.seen() == [outgoing("101", MOBILE, outcome="no_answer", wait=30)]


def test_an_operator_who_is_away_leaves_an_outgoing_call_that_failed() -> None:
    call = out_of("101", "*01").row("acme-101-1", "", TO_MOBILE, (0, None, 0), "FAILED")

    assert call.seen() == [outgoing("101", MOBILE, outcome="failed")]


@pytest.mark.parametrize("short", ["112", "997", "19491", "118913", "116111"])
def test_short_numbers_are_outgoing_calls(short: str) -> None:
    call = out_of("105", short)
    call.row("acme-105-1", "carrier-2", f"Dial PJSIP/{short}@carrier", (0, 1, 5))

    assert call.seen() == [outgoing("105", short, short, wait=1, talk=4, paid=((short, 4),))]


@pytest.mark.parametrize(
    ("dialled", "trunk", "trunks"),
    [
        ("PJSIP/carrier/sip:48501222333@203.0.113.7", "PJSIP/carrier-0000001a", "carrier"),
        ("SIP/carrier/48501222333", "SIP/carrier-0000001a", "SIP/carrier"),
        ("IAX2/acme@carrier/48501222333", "IAX2/carrier-1234", "carrier"),
        ("DAHDI/g1/0501222333", "DAHDI/i1/0501222333-1f", "DAHDI/i1"),
        ("DAHDI/g1/0501222333", "DAHDI/4-1", "DAHDI/*"),
    ],
)
def test_the_number_sent_is_read_however_the_trunk_is_called(
    dialled: str, trunk: str, trunks: str
) -> None:
    call = out_of("101", "90501222333")
    call.row("SIP/101-00000001", trunk, f"Dial {dialled},45", (0, 3, 33))

    switch = Switch("asterisk-csv", (trunks,))
    assert call.seen(switch) == [
        outgoing("101", MOBILE, MOBILE, wait=3, talk=30, paid=((MOBILE, 30),))
    ]


def through_a_local_channel() -> Rows:
    local = "Local/612000001@acme-out-00000005"
    call = click_to_call()
    call.row("acme-101-1", f"{local};1", "Dial Local/612000001@acme-out/n", (0, 2, 12))
    return call.row(f"{local};2", "carrier-2", TO_OTHER, (2, 4, 12))


def with_a_local_channel_for_our_phone() -> Rows:
    local = "Local/101@acme-c2c-00000005"
    call = click_to_call()
    call.row(f"{local};1", "carrier-3", TO_OTHER, (0, 4, 12))
    return call.row(f"{local};2", "acme-101-2", TO_101, (0, 2, 12), dst="101")


def with_the_customer_rung_first() -> Rows:
    local = "Local/612000001@acme-out-00000005"
    call = click_to_call()
    call.row(f"{local};1", "acme-101-3", TO_101, (0, 4, 12), dst="101")
    return call.row(f"{local};2", "carrier-2", TO_OTHER, (0, 4, 12))


@pytest.mark.parametrize(
    "call",
    [
        through_a_local_channel(),
        with_a_local_channel_for_our_phone(),
        with_the_customer_rung_first(),
    ],
    ids=["local", "local phone", "customer first"],
)
def test_click_to_call_through_local_channels_is_one_outgoing_call_paid_once(call: Rows) -> None:
    assert call.seen() == [outgoing("101", OTHER, OTHER, wait=4, talk=8, paid=PAID, estimated=True)]


@pytest.mark.parametrize("disposition", ["BUSY", "NO ANSWER"])
def test_click_to_call_to_a_number_that_does_not_answer_was_answered_by_nobody(
    disposition: str,
) -> None:
    call = click_to_call()
    call.row("acme-101-1", "carrier-2", TO_OTHER, (0, 2, 5), disposition)
    call.row("acme-101-1", "", "Hangup 17", (5, 5, 5))

    outcome = disposition.lower().replace(" ", "_")
    assert call.seen() == [outgoing("101", OTHER, outcome=outcome, wait=5, estimated=True)]


def test_click_to_call_whose_agent_does_not_pick_up_is_an_outgoing_call_to_that_number() -> None:
    call = click_to_call()
    call.row("acme-101-1", "", "AppDial2 (Outgoing Line)", (0, None, 30), "NO ANSWER", dst="")

    assert call.seen() == [outgoing("101", OTHER, outcome="no_answer", wait=30)]


def test_an_internal_call_forwarded_to_a_mobile_stays_internal_and_is_paid() -> None:
    call = out_of("104", "101")
    call.row("acme-104-1", "acme-101-2", TO_101, (0, None, 6), "NO ANSWER")
    call.row("acme-104-1", "carrier-3", TO_MOBILE, (6, 9, 29))

    assert call.seen() == [internal("104", "101", MOBILE, wait=9, talk=20, paid=((MOBILE, 20),))]


@pytest.mark.parametrize("columns", [16, 21])
def test_a_desk_that_always_forwards_is_called_internally_and_the_mobile_is_paid(
    columns: int,
) -> None:
    local = "Local/501222333@acme-out-00000009"
    call = out_of("104", "101")
    call.row("acme-104-1", f"{local};1", "Dial Local/501222333@acme-out/n", (0, 3, 23))
    call.row(f"{local};2", "carrier-2", TO_MOBILE, (0, 3, 23), dst="501222333")

    assert call.seen(columns=columns) == [
        internal("104", "101", MOBILE, wait=3, talk=20, paid=((MOBILE, 20),))
    ]


def test_a_number_of_our_own_dialled_from_inside_is_an_internal_call() -> None:
    call = out_of("104", "221234501").row("acme-104-1", "acme-101-2", TO_101, (0, 3, 23))

    assert call.seen() == [internal("104", "+48221234501", "101", wait=3, talk=20)]


@pytest.mark.parametrize("columns", [16, 21])
def test_a_number_of_our_own_that_is_busy_at_once_is_still_an_internal_call(columns: int) -> None:
    call = out_of("104", "221234501")
    call.row("acme-104-1", "acme-101-2", TO_101, (0, None, 0), "BUSY")
    call.row("acme-104-1", "", "Hangup 17", (0, None, 0), "BUSY")

    assert call.seen(columns=columns) == [internal("104", "+48221234501", outcome="busy")]


def test_an_internal_call_that_ends_in_voicemail_was_not_answered() -> None:
    call = out_of("104", "101")
    call.row("acme-104-1", "acme-101-2", TO_101, (0, None, 20), "NO ANSWER")
    call.row("acme-104-1", "", "VoiceMail 101@acme,u", (20, 20, 35))

    assert call.seen() == [internal("104", "101", outcome="voicemail", wait=35, estimated=True)]


def test_an_internal_group_that_does_not_answer_is_no_service() -> None:
    group = "Dial PJSIP/acme-101&PJSIP/acme-102,20,mtT"
    call = out_of("104", "600")
    call.row("acme-104-1", "acme-101-2", group, (0, 0, 20), "NO ANSWER")
    call.row("acme-104-1", "acme-102-3", group, (0, 0, 20), "NO ANSWER")
    call.row("acme-104-1", "", "Hangup ", (20, 20, 21))

    assert call.seen() == [internal("104", "600", outcome="no_answer", wait=21, estimated=True)]


@pytest.mark.parametrize(
    ("code", "app"),
    [
        ("*98", "VoiceMailMain 101@acme"),
        ("8500", "VoiceMailMain "),
        ("*43", "Echo "),
        ("*72501222333", "Playback beep"),
    ],
)
def test_codes_and_machines_are_internal_services(code: str, app: str) -> None:
    call = out_of("101", code).row("acme-101-1", "", app, (0, 0, 15))

    assert call.seen() == [internal("101", code, outcome="service", wait=15, estimated=True)]


def test_a_pick_up_code_with_nothing_to_pick_up_is_an_internal_call() -> None:
    call = out_of("101", "**102").row("acme-101-1", "", "Pickup 102", (0, None, 1), "NO ANSWER")

    assert call.seen() == [internal("101", "**102", outcome="no_answer", wait=1)]


@pytest.mark.parametrize(
    ("src", "expected"),
    [
        ("", outgoing("101", MOBILE, MOBILE, wait=3, talk=30, paid=((MOBILE, 30),))),
        ("48221234567", outgoing("101", MOBILE, MOBILE, wait=3, talk=30, paid=((MOBILE, 30),))),
    ],
    ids=["hidden", "own number"],
)
def test_who_called_is_read_from_the_channel_whatever_number_is_shown(
    src: str, expected: Seen
) -> None:
    call = out_of(src, "501222333").row("acme-101-1", "carrier-2", TO_MOBILE, (0, 3, 33))

    assert call.seen() == [expected]
