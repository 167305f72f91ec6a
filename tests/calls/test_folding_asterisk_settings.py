"""Asterisk: the same calls under other settings of cdr.conf, and with other kinds of channels."""

import pytest

from calls.ingest.records import Switch
from tests.calls.asterisk_rows import Rows
from tests.calls.seen import incoming, internal, missed, outgoing

CALLER, DID, MOBILE = "+48601000001", "+48221234501", "+48501222333"
TO_101, TO_103 = (f"Dial PJSIP/acme-{number},20,tT" for number in (101, 103))
TO_MOBILE = "Dial PJSIP/48501222333@carrier,45"
COLUMNS = pytest.mark.parametrize("columns", [16, 17, 18, 21])


@COLUMNS
def test_a_queue_with_local_members_is_one_call_however_few_columns_there_are(columns: int) -> None:
    queue, one, two = (
        "Queue acme-support,tT,,,60",
        "Local/102@agent-00000003",
        "Local/103@agent-00000004",
    )
    call = Rows()
    call.row("carrier-1", f"{one};1", queue, (0, 0, 4), "NO ANSWER")
    call.row("carrier-1", f"{two};1", queue, (0, 0, 12))
    call.row(f"{one};2", "acme-102-2", "Dial PJSIP/acme-102,20", (0, None, 4), "NO ANSWER")
    call.row(f"{two};2", "acme-103-3", TO_103, (0, 4, 12), dst="103")

    assert call.seen(columns=columns) == [
        incoming(CALLER, "103", "103", did=DID, wait=4, talk=8, estimated=True)
    ]


@COLUMNS
def test_a_transfer_by_keys_is_one_call_however_few_columns_there_are(columns: int) -> None:
    local = "Local/103@acme-internal-00000000"
    call = Rows()
    call.row("carrier-1", "acme-101-2", TO_101, (0, 2, 12))
    call.row("acme-101-2", f"{local};1", "AppDial (Outgoing Line)", (12, 12, 17), dst="")
    call.row(f"{local};2", "acme-103-3", TO_103, (12, 14, 32), dst="103")
    call.row(f"{local};1", "", " ", (17, 17, 32), dst="103")
    call.row("carrier-1", f"{local};1", TO_101, (12, 12, 32))

    assert call.seen(columns=columns) == [
        incoming(CALLER, "101", "101", "103", did=DID, wait=2, talk=28, estimated=True)
    ]


@COLUMNS
def test_a_forward_is_one_call_paid_once_however_few_columns_there_are(columns: int) -> None:
    local = "Local/501222333@acme-internal-00000009"
    call = Rows()
    call.row("carrier-1", f"{local};1", TO_101, (0, 3, 13))
    call.row(f"{local};2", "carrier-2", TO_MOBILE, (0, 3, 13), dst="501222333")

    assert call.seen(columns=columns) == [
        incoming(CALLER, "", MOBILE, did=DID, wait=3, talk=10, paid=((MOBILE, 10),))
    ]


@COLUMNS
def test_an_outgoing_call_handed_over_is_one_call_however_few_columns_there_are(
    columns: int,
) -> None:
    call = Rows(src="101", dst="501222333", userfield="")
    call.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 4, 14))
    call.row("carrier-2", "acme-103-3", TO_103, (14, 14, 34), src="48221234567", dst="103")

    assert call.seen(columns=columns) == [
        outgoing(
            "101", MOBILE, MOBILE, "103", wait=4, talk=30, paid=((MOBILE, 30),), estimated=True
        )
    ]


def test_a_row_that_comes_before_the_row_of_its_callers_channel_waits_for_it() -> None:
    call = Rows()
    call.row("carrier-1", "Local/102@agent-00000003;1", "Queue acme-support", (0, 0, 9))
    call.row("Local/102@agent-00000003;2", "acme-102-2", "Dial PJSIP/acme-102", (0, 4, 9))
    late = call.rows.pop(0)
    before = [seen.complete for seen in call.seen()]
    call.rows.append(late)

    assert (before, [seen.complete for seen in call.seen()]) == ([False], [True])


@pytest.mark.parametrize(
    ("trunk", "pattern"), [("DAHDI/i1/601000001-1a", "DAHDI/i1"), ("IAX2/carrier-5678", "carrier")]
)
def test_a_group_is_one_call_by_the_name_of_the_callers_channel_alone(
    trunk: str, pattern: str
) -> None:
    group = "Dial SIP/101&SIP/102,20,tT"
    call = Rows()
    call.row(trunk, "SIP/101-00000002", group, (0, None, 4), "NO ANSWER")
    call.row(trunk, "SIP/102-00000003", group, (0, 4, 14))

    assert call.seen(Switch("asterisk-csv", (pattern,)), columns=16) == [
        incoming(CALLER, "102", "102", did=DID, wait=4, talk=10)
    ]


def test_without_unanswered_the_rows_of_phones_that_rang_are_still_there() -> None:
    call = Rows().row("carrier-1", "acme-101-2", TO_101, (0, None, 8), "NO ANSWER")

    assert call.seen() == [missed(CALLER, "101", "no_answer", did=DID, wait=8)]


def test_without_congestion_an_operator_who_is_full_reads_failed() -> None:
    call = Rows(src="101", dst="501222333", userfield="")
    call.row("acme-101-1", "carrier-2", TO_MOBILE, (0, None, 1), "FAILED")

    assert call.seen() == [outgoing("101", MOBILE, outcome="failed", wait=1)]


def test_cancel_of_the_phones_that_lost_is_no_cancelled_call() -> None:
    group = "Dial PJSIP/acme-101&PJSIP/acme-102,20,tT"
    call = Rows()
    call.row("carrier-1", "acme-101-2", group, (0, None, 4), "CANCEL")
    call.row("carrier-1", "acme-102-3", group, (0, 4, 14))

    assert call.seen() == [incoming(CALLER, "102", "102", did=DID, wait=4, talk=10)]


def test_cancel_of_every_phone_is_a_caller_who_gave_up() -> None:
    group = "Dial PJSIP/acme-101&PJSIP/acme-102,20,tT"
    call = Rows()
    call.row("carrier-1", "acme-101-2", group, (0, None, 0), "BUSY")
    call.row("carrier-1", "acme-102-3", group, (0, None, 9), "CANCEL")

    assert call.seen() == [missed(CALLER, "101", "cancelled", did=DID, wait=9)]


def test_cancel_of_a_phone_that_forwards_is_no_caller_who_gave_up() -> None:
    local = "Local/501222333@acme-internal-00000009"
    call = Rows()
    call.row("carrier-1", "acme-105-2", "Dial PJSIP/acme-105,20", (0, None, 1), "CANCEL")
    call.row("carrier-1", f"{local};1", "Dial PJSIP/acme-105,20", (1, None, 20), "NO ANSWER")
    call.row(f"{local};2", "carrier-3", TO_MOBILE, (1, None, 20), "NO ANSWER", dst="501222333")

    assert call.seen() == [missed(CALLER, "105", "no_answer", did=DID, wait=20)]


def test_with_ignoredialchanges_an_outgoing_call_is_paid_all_the_same() -> None:
    call = Rows(src="101", dst="501222333", userfield="")
    call.row("acme-101-1", "", TO_MOBILE, (0, 4, 34))

    assert call.seen() == [outgoing("101", MOBILE, MOBILE, wait=4, talk=30, paid=((MOBILE, 30),))]


def test_with_ignoredialchanges_an_internal_call_has_its_one_phone() -> None:
    call = Rows(src="101", dst="103", userfield="").row("acme-101-1", "", TO_103, (0, 4, 34))

    assert call.seen() == [internal("101", "103", "103", wait=4, talk=30)]


def test_a_pbx_that_answers_before_it_dials_in_vain_has_not_put_the_call_through() -> None:
    call = Rows(src="101", dst="501222333", userfield="")
    call.row("acme-101-1", "", TO_MOBILE, (0, 0, 5))

    assert call.seen() == [outgoing("101", MOBILE, outcome="no_answer", wait=5, estimated=True)]


def test_a_systemname_in_the_ids_changes_nothing() -> None:
    call = Rows(system="pbx1-")
    call.row("carrier-1", "acme-101-2", TO_101, (0, 2, 7))
    call.row("carrier-1", "acme-103-3", TO_103, (7, 7, 17), dst="103")

    assert [leg.key for leg in call.legs()] == ["pbx1-1795410000.1/1", "pbx1-1795410000.1/2"]
    assert call.seen() == [
        incoming(CALLER, "101", "101", "103", did=DID, wait=2, talk=15, estimated=True)
    ]


@pytest.mark.parametrize(
    ("trunk", "phone", "pattern"),
    [
        ("PJSIP/carrier-00000001", "PJSIP/101-00000002", "carrier"),
        ("SIP/carrier-0000abcd", "SIP/101-0000abce", "carrier"),
        ("IAX2/carrier-5678", "IAX2/101-1234", "carrier"),
        ("DAHDI/i1/601000001-1a", "SIP/acme-biuro-101-0000abce", "DAHDI/i1"),
        ("DAHDI/1-1", "SCCP/101-0000001a", "DAHDI/*"),
        ("PJSIP/48221234500-00000001", "PJSIP/101-00000002", "48221234500"),
    ],
)
def test_a_phone_is_known_by_its_extension_whatever_the_technology(
    trunk: str, phone: str, pattern: str
) -> None:
    call = Rows().row(trunk, phone, f"Dial {phone.rpartition('-')[0]},25", (0, 3, 8))

    assert call.seen(Switch("asterisk-csv", (pattern,))) == [
        incoming(CALLER, "101", "101", did=DID, wait=3, talk=5)
    ]
