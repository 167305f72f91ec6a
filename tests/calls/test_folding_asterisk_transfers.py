"""Asterisk: transfers, pick-ups and parking, as the customer must see them: one row, everybody in their order."""

from tests.calls.asterisk_rows import Rows
from tests.calls.seen import incoming, internal, outgoing

CALLER, DID = "+48601000001", "+48221234501"
MOBILE = "+48501222333"
TO_101, TO_102, TO_103 = (f"Dial PJSIP/acme-{number},20,tT" for number in (101, 102, 103))
TO_MOBILE = "Dial PJSIP/48501222333@carrier,45"
TO_OTHER_MOBILE = "Dial PJSIP/48502000002@carrier,45"
CONSULTED = "AppDial (Outgoing Line)"


def out_of(extension: str, dst: str) -> Rows:
    return Rows(src=extension, dst=dst, userfield="")


def test_an_attended_sip_transfer_is_one_call_though_its_rows_have_two_linkedids() -> None:
    call = Rows()
    call.row("carrier-1", "acme-101-2", TO_101, (0, 3, 20))
    call.row("acme-101-3", "acme-103-4", TO_103, (8, 11, 20), dst="103", linked="acme-101-3")
    call.row("carrier-1", "acme-103-4", TO_101, (21, 21, 50))

    assert call.seen() == [
        incoming(CALLER, "101", "101", "103", did=DID, wait=3, talk=46, estimated=True)
    ]


def test_a_question_that_nobody_answers_is_an_internal_call_of_its_own() -> None:
    call = Rows()
    call.row("carrier-1", "acme-101-2", TO_101, (0, 3, 60))
    call.row(
        "acme-101-3",
        "acme-103-4",
        TO_103,
        (8, None, 28),
        "NO ANSWER",
        src="101",
        dst="103",
        linked="acme-101-3",
    )

    assert call.seen() == [
        incoming(CALLER, "101", "101", did=DID, wait=3, talk=57),
        internal("101", "103", outcome="no_answer", wait=20),
    ]


def test_an_attended_transfer_to_a_mobile_is_paid_from_the_question_on() -> None:
    call = Rows()
    call.row("carrier-1", "acme-101-2", TO_101, (0, 3, 20))
    call.row("acme-101-3", "carrier-4", TO_MOBILE, (8, 11, 20), dst="501222333")
    call.row("carrier-1", "carrier-4", TO_101, (20, 20, 50))

    assert call.seen() == [
        incoming(
            CALLER,
            "101",
            "101",
            MOBILE,
            did=DID,
            wait=3,
            talk=47,
            paid=((MOBILE, 39),),
            estimated=True,
        )
    ]


def test_a_blind_transfer_that_nobody_answers_stays_a_call_with_the_first_person() -> None:
    call = Rows()
    call.row("carrier-1", "acme-101-2", TO_101, (0, 2, 7))
    call.row("carrier-1", "acme-102-3", TO_102, (7, 7, 27), "NO ANSWER", dst="102")
    call.row("carrier-1", "", "Hangup ", (27, 27, 28), dst="102")

    assert call.seen() == [incoming(CALLER, "101", "101", did=DID, wait=2, talk=5, estimated=True)]


def test_a_blind_transfer_to_a_mobile_does_not_take_its_number_for_the_one_called() -> None:
    call = Rows(userfield="", dst="501222333")
    call.row("carrier-1", "acme-101-2", TO_101, (0, 2, 7))
    call.row("carrier-1", "carrier-3", TO_MOBILE, (7, 7, 18))

    assert call.seen() == [
        incoming(
            CALLER, "101", "101", MOBILE, wait=2, talk=16, paid=((MOBILE, 11),), estimated=True
        )
    ]


def test_a_key_transfer_that_is_given_up_brings_the_caller_back_to_the_same_person() -> None:
    local = "Local/103@acme-internal-00000000"
    call = Rows()
    call.row("carrier-1", "acme-101-2", TO_101, (0, 2, 12))
    call.row("acme-101-2", f"{local};1", CONSULTED, (12, 12, 27), "NO ANSWER", src="101", dst="")
    call.row(f"{local};2", "acme-103-3", TO_103, (12, None, 27), "NO ANSWER", dst="103")
    call.row("carrier-1", "acme-101-2", TO_101, (12, 12, 47))

    assert call.seen() == [incoming(CALLER, "101", "101", did=DID, wait=2, talk=45, estimated=True)]


def test_a_colleague_asked_before_the_caller_rang_is_second_and_the_caller_costs_nothing() -> None:
    call = Rows(src="103", dst="101", userfield="")
    call.row("acme-103-1", "acme-101-2", TO_101, (0, 2, 40))
    call.row(
        "carrier-3",
        "acme-101-4",
        TO_101,
        (10, 13, 40),
        src="48601000001",
        dst="48221234501",
        linked="carrier-3",
    )
    call.row("acme-103-1", "carrier-3", TO_101, (40, 40, 60))

    assert call.seen() == [
        incoming(CALLER, "101", "101", "103", did=DID, wait=3, talk=47, estimated=True)
    ]


def test_a_colleague_who_picks_up_is_the_one_who_answered() -> None:
    call = Rows()
    call.row("carrier-1", "acme-102-3", TO_101, (0, 6, 26))
    call.row("acme-101-2", "", CONSULTED, (5, None, 6), "NO ANSWER", src="101", dst="**101")

    assert call.seen() == [incoming(CALLER, "102", "102", did=DID, wait=6, talk=20)]


def test_a_colleague_may_pick_up_an_internal_call_too() -> None:
    call = Rows(src="104", dst="101", userfield="")
    call.row("acme-104-1", "acme-102-3", TO_101, (0, 6, 26))
    call.row("acme-101-2", "", CONSULTED, (5, None, 6), "NO ANSWER", src="101", dst="**101")

    assert call.seen() == [internal("104", "101", "102", wait=6, talk=20)]


def test_a_parked_caller_whom_nobody_fetches_comes_back_to_the_one_who_parked() -> None:
    call = Rows()
    call.row("carrier-1", "acme-101-2", TO_101, (0, 2, 12))
    call.row("carrier-1", "", "Park default:701", (12, 12, 57))
    call.row("carrier-1", "acme-101-3", TO_101, (57, 57, 77))

    assert call.seen() == [incoming(CALLER, "101", "101", did=DID, wait=2, talk=30, estimated=True)]


def test_a_parked_caller_who_hangs_up_was_answered() -> None:
    call = Rows()
    call.row("carrier-1", "acme-101-2", TO_101, (0, 2, 12))
    call.row("carrier-1", "", "Park default:701", (12, 12, 30))

    assert call.seen() == [incoming(CALLER, "101", "101", did=DID, wait=2, talk=10, estimated=True)]


def test_a_parked_outgoing_call_is_paid_to_its_end_and_fetched_by_the_colleague() -> None:
    call = out_of("101", "501222333")
    call.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 4, 14))
    call.row("carrier-2", "", "Park default:701", (14, 14, 24), dst="700")
    call.row(
        "acme-102-3", "carrier-2", "ParkedCall default,701", (24, 24, 54), src="102", dst="701"
    )

    assert call.seen() == [
        outgoing(
            "101", MOBILE, MOBILE, "102", wait=4, talk=40, paid=((MOBILE, 50),), estimated=True
        )
    ]


def test_a_parked_outgoing_call_fetched_by_the_one_who_parked_stays_theirs() -> None:
    call = out_of("101", "501222333")
    call.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 4, 14))
    call.row("carrier-2", "", "Park default:701", (14, 14, 24), dst="700")
    call.row("acme-101-3", "carrier-2", "ParkedCall default,701", (24, 24, 54), dst="701")

    assert call.seen() == [
        outgoing("101", MOBILE, MOBILE, wait=4, talk=40, paid=((MOBILE, 50),), estimated=True)
    ]


def test_an_outgoing_call_transferred_to_another_mobile_pays_for_both() -> None:
    call = out_of("101", "501222333")
    call.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 4, 14))
    call.row("carrier-2", "carrier-3", TO_OTHER_MOBILE, (14, 14, 44), dst="502000002")

    assert call.seen() == [
        outgoing(
            "101",
            MOBILE,
            MOBILE,
            "+48502000002",
            wait=4,
            talk=40,
            paid=((MOBILE, 40), ("+48502000002", 30)),
            estimated=True,
        )
    ]


def test_an_outgoing_call_transferred_to_nobody_is_paid_while_the_colleague_rings() -> None:
    call = out_of("101", "501222333")
    call.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 4, 14))
    call.row("carrier-2", "acme-102-3", TO_102, (14, 14, 34), "NO ANSWER", dst="102")
    call.row("carrier-2", "", "Hangup ", (34, 34, 34), dst="102")

    assert call.seen() == [
        outgoing("101", MOBILE, MOBILE, wait=4, talk=10, paid=((MOBILE, 30),), estimated=True)
    ]


def test_an_outgoing_call_put_through_after_a_question_is_one_call_to_its_end() -> None:
    call = out_of("101", "501222333")
    call.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 4, 24))
    call.row("acme-101-3", "acme-102-4", TO_102, (10, 13, 24), dst="102", linked="acme-101-3")
    call.row("carrier-2", "acme-102-4", CONSULTED, (24, 24, 44), src="48221234567", dst="102")

    assert call.seen() == [
        outgoing(
            "101", MOBILE, MOBILE, "102", wait=4, talk=40, paid=((MOBILE, 40),), estimated=True
        )
    ]


def test_an_outgoing_call_put_through_by_keys_is_one_call_to_its_end() -> None:
    local = "Local/102@acme-internal-00000000"
    call = out_of("101", "501222333")
    call.row("acme-101-1", "carrier-2", TO_MOBILE, (0, 4, 14))
    call.row("acme-101-1", f"{local};1", TO_MOBILE, (14, 14, 20))
    call.row(f"{local};2", "acme-102-3", TO_102, (14, 16, 44), dst="102")
    call.row("carrier-2", f"{local};1", CONSULTED, (14, 14, 44), dst="")

    assert call.seen() == [
        outgoing(
            "101", MOBILE, MOBILE, "102", wait=4, talk=38, paid=((MOBILE, 40),), estimated=True
        )
    ]


def test_a_number_rung_for_a_colleague_is_an_outgoing_call_handed_to_them() -> None:
    call = out_of("101", "102")
    call.row("acme-101-1", "acme-102-2", TO_102, (0, 2, 30))
    call.row(
        "acme-101-3", "carrier-4", TO_MOBILE, (10, 14, 30), dst="501222333", linked="acme-101-3"
    )
    call.row("acme-102-2", "carrier-4", CONSULTED, (30, 30, 50), src="102", dst="")

    assert call.seen() == [
        outgoing(
            "101", MOBILE, MOBILE, "102", wait=4, talk=36, paid=((MOBILE, 36),), estimated=True
        )
    ]


def test_an_internal_call_transferred_to_a_mobile_stays_internal_and_is_paid() -> None:
    # The first row's dst is the target already: a race in Asterisk.
    call = out_of("101", "501222333")
    call.row("acme-101-1", "acme-102-2", TO_102, (0, 2, 12))
    call.row("acme-101-1", "carrier-3", TO_MOBILE, (12, 12, 32))

    assert call.seen() == [
        internal("101", "102", "102", MOBILE, wait=2, talk=30, paid=((MOBILE, 20),), estimated=True)
    ]


def test_a_caller_who_puts_a_colleague_through_to_another_leaves_both_in_the_row() -> None:
    call = out_of("101", "102")
    call.row("acme-101-1", "acme-102-2", TO_102, (0, 2, 12))
    call.row("acme-102-2", "acme-103-3", TO_103, (12, 12, 32), src="102", dst="103")

    assert call.seen() == [internal("101", "102", "102", "103", wait=2, talk=30, estimated=True)]
