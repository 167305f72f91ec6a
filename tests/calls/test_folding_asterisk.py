"""Asterisk: calls from outside, through groups, forwards, menus, queues and voicemail."""

import pytest

from tests.calls.asterisk_rows import Rows
from tests.calls.seen import incoming, missed

CALLER, DID = "+48601000001", "+48221234501"
MOBILE = "48501222333"
GROUP = "Dial PJSIP/acme-101&PJSIP/acme-102&PJSIP/acme-103,20,tT"
SIMRING = f"Dial PJSIP/acme-101&PJSIP/{MOBILE}@carrier,30"


def test_answered_and_hung_up_at_once_is_answered_for_no_seconds() -> None:
    call = Rows().row("carrier-1", "acme-101-2", "Dial PJSIP/acme-101,25", (0, 3, 3))

    assert call.seen() == [incoming(CALLER, "101", "101", did=DID, wait=3)]


def test_a_mobile_that_rings_together_with_the_phone_and_answers_is_paid() -> None:
    call = Rows()
    call.row("carrier-1", "acme-101-2", SIMRING, (0, None, 5), "NO ANSWER")
    call.row("carrier-1", "carrier-3", SIMRING, (0, 5, 65))

    assert call.seen() == [
        incoming(
            CALLER, "101", "+48501222333", did=DID, wait=5, talk=60, paid=(("+48501222333", 60),)
        )
    ]


def test_of_two_mobiles_at_one_operator_the_one_that_answered_is_named() -> None:
    both = "Dial PJSIP/48501000001@carrier&PJSIP/48502000002@carrier,30"
    call = Rows()
    call.row("carrier-1", "carrier-2", both, (0, None, 5), "NO ANSWER")
    call.row("carrier-1", "carrier-3", both, (0, 5, 65))

    assert call.seen() == [
        incoming(CALLER, "", "+48502000002", did=DID, wait=5, talk=60, paid=(("+48502000002", 60),))
    ]


def test_a_number_that_a_long_list_of_phones_pushed_out_of_the_row_is_not_guessed() -> None:
    phones = "&".join(f"SIP/{number}" for number in range(101, 108))
    # Asterisk keeps 79 bytes: a whole number seems to be left of the one that was dialled.
    cut = f"Dial {f'{phones}&SIP/carrier/004915112345678,30'[:79]}"
    call = Rows()
    call.row("SIP/carrier-00000001", "SIP/101-00000002", cut, (0, None, 5), "NO ANSWER")
    call.row("SIP/carrier-00000001", "SIP/carrier-00000003", cut, (0, 5, 65))

    assert call.seen() == [
        incoming(CALLER, "101", "carrier", did=DID, wait=5, talk=60, paid=(("", 60),))
    ]


def test_a_forward_through_a_local_channel_is_answered_and_paid_once() -> None:
    call = Rows()
    call.row("carrier-1", "acme-101-2", "Dial PJSIP/acme-101,6", (0, None, 6), "NO ANSWER")
    call.row(
        "carrier-1",
        "Local/501222333@acme-out-00000007;1",
        "Dial Local/501222333@acme-out/n",
        (6, 9, 19),
    )
    call.row(
        "Local/501222333@acme-out-00000007;2",
        "carrier-4",
        f"Dial PJSIP/{MOBILE}@carrier,45",
        (6, 9, 19),
        dst="501222333",
    )

    assert call.seen() == [
        incoming(
            CALLER, "101", "+48501222333", did=DID, wait=9, talk=10, paid=(("+48501222333", 10),)
        )
    ]


def test_a_local_channel_optimised_away_leaves_the_number_in_its_first_row() -> None:
    local = "Local/501222333@acme-out-00000007"
    call = Rows()
    call.row("carrier-1", f"{local};1", "Dial Local/501222333@acme-out", (0, 4, 4))
    call.row(
        f"{local};2", "carrier-2", f"Dial PJSIP/{MOBILE}@carrier,45", (0, 4, 4), dst="501222333"
    )
    call.row("carrier-1", "carrier-2", "Dial Local/501222333@acme-out", (4, 4, 24))

    assert call.seen() == [
        incoming(
            CALLER,
            "",
            "+48501222333",
            did=DID,
            wait=4,
            talk=20,
            paid=(("+48501222333", 20),),
            estimated=True,
        )
    ]


def test_a_group_nobody_of_which_answers_and_then_voicemail_is_missed() -> None:
    call = Rows(dst="600")
    for phone in ("acme-101-2", "acme-102-3", "acme-103-4"):
        call.row("carrier-1", phone, GROUP, (0, None, 20), "NO ANSWER")
    call.row("carrier-1", "", "VoiceMail 600@acme,u", (20, 20, 50))

    assert call.seen() == [missed(CALLER, "101", "voicemail", did=DID, wait=50, estimated=True)]


def test_a_group_of_which_one_is_busy_and_the_others_do_not_answer_did_not_answer() -> None:
    call = Rows(dst="600")
    call.row("carrier-1", "acme-101-2", GROUP, (0, None, 0), "BUSY")
    call.row("carrier-1", "acme-102-3", GROUP, (0, None, 20), "NO ANSWER")
    call.row("carrier-1", "acme-103-4", GROUP, (0, None, 20), "NO ANSWER")
    call.row("carrier-1", "", "Hangup ", (20, None, 20), "NO ANSWER")

    assert call.seen() == [missed(CALLER, "101", "no_answer", did=DID, wait=20)]


@pytest.mark.parametrize(("exten", "app"), [("t", "Hangup "), ("i", "Playback bledny-wybor")])
def test_a_caller_who_presses_nothing_or_nonsense_gave_up_in_the_menu(exten: str, app: str) -> None:
    call = Rows(dst=exten).row("carrier-1", "", app, (0, 0, 22))

    assert call.seen() == [missed(CALLER, "", "ivr_abandon", did=DID, wait=22, estimated=True)]


def test_a_group_chosen_in_the_menu_that_nobody_answers_is_no_matter_of_the_menu() -> None:
    call = Rows(dst="600")
    call.row("carrier-1", "acme-101-2", GROUP, (0, 0, 30), "NO ANSWER")
    call.row("carrier-1", "acme-102-3", GROUP, (10, 10, 30), "NO ANSWER")
    call.row("carrier-1", "", "Hangup ", (30, 30, 31))

    assert call.seen() == [missed(CALLER, "101", "no_answer", did=DID, wait=31, estimated=True)]


def test_a_phone_chosen_in_the_menu_that_is_switched_off_answers_nothing() -> None:
    call = Rows(dst="1").row("carrier-1", "", "Dial PJSIP/acme-106,20", (0, 2, 9))

    assert call.seen() == [missed(CALLER, "", "no_answer", did=DID, wait=9)]


def test_closed_hours_without_answering_are_a_missed_call_without_a_reason() -> None:
    call = Rows().row("carrier-1", "", "Hangup 21", (0, None, 4), "NO ANSWER")

    assert call.seen() == [missed(CALLER, "", "no_answer", did=DID, wait=4)]


def test_a_queue_that_times_out_is_missed_though_its_last_row_reads_answered() -> None:
    queue = "Queue acme-sales,tT,,,15"
    call = Rows()
    call.row("carrier-1", "acme-101-2", queue, (0, 0, 6), "NO ANSWER")
    call.row("carrier-1", "acme-102-3", queue, (7, 7, 13), "NO ANSWER")
    call.row("carrier-1", "", "Hangup ", (15, 15, 15))

    assert call.seen() == [missed(CALLER, "101", "queue_abandon", did=DID, wait=15, estimated=True)]


def test_a_queue_without_agents_that_the_caller_leaves_is_missed() -> None:
    call = Rows().row("carrier-1", "", "Queue acme-sales,tT,,,60", (0, 0, 12))

    assert call.seen() == [missed(CALLER, "", "queue_abandon", did=DID, wait=12, estimated=True)]


def test_an_agent_on_a_mobile_is_paid() -> None:
    local = "Local/501222333@acme-out-00000003"
    call = Rows()
    call.row("carrier-1", f"{local};1", "Queue acme-support,tT,,,60", (0, 0, 18))
    call.row(
        f"{local};2", "carrier-2", f"Dial PJSIP/{MOBILE}@carrier,45", (0, 8, 18), dst="501222333"
    )

    assert call.seen() == [
        incoming(
            CALLER,
            "",
            "+48501222333",
            did=DID,
            wait=8,
            talk=10,
            paid=(("+48501222333", 10),),
            estimated=True,
        )
    ]


def test_an_agent_whom_the_queue_rings_at_the_operator_has_no_number_in_the_row() -> None:
    call = Rows().row("carrier-1", "carrier-2", "Queue acme-sales,tT,,,60", (0, 0, 18))

    assert call.seen() == [
        incoming(CALLER, "", "carrier", did=DID, talk=18, paid=(("", 18),), estimated=True)
    ]


def test_a_queue_that_does_not_answer_itself_tells_the_true_seconds() -> None:
    queue = "Queue acme-sales,tTr,,,60"
    call = Rows()
    call.row("carrier-1", "acme-101-2", queue, (0, None, 6), "NO ANSWER")
    call.row("carrier-1", "acme-102-3", queue, (7, 10, 22))

    assert call.seen() == [incoming(CALLER, "102", "102", did=DID, wait=10, talk=12)]


@pytest.mark.parametrize(
    "hiding",
    [
        Rows(src="anonymous"),
        Rows(src=""),
        Rows(userfield="did=48221234501;pres=prohib_not_screened"),
    ],
)
def test_a_caller_who_hides_is_hidden_wherever_the_row_says_so(hiding: Rows) -> None:
    call = Rows(src=hiding.src, userfield=hiding.userfield)
    call.row("carrier-1", "acme-101-2", "Dial PJSIP/acme-101,25", (0, 2, 6))

    assert call.seen() == [incoming("", "101", "101", did=DID, wait=2, talk=4)]


def test_a_caller_with_a_name_for_a_number_is_shown_by_it() -> None:
    call = Rows(src="jan.kowalski")
    call.row("carrier-1", "acme-101-2", "Dial PJSIP/acme-101,25", (0, 2, 6))

    assert call.seen() == [incoming("jan.kowalski", "101", "101", did=DID, wait=2, talk=4)]


def test_a_phone_whose_name_holds_no_extension_is_a_person_all_the_same() -> None:
    call = Rows().row("carrier-1", "recepcja-2", "Dial PJSIP/recepcja,25", (0, 2, 6))

    assert call.seen() == [incoming(CALLER, "recepcja", "recepcja", did=DID, wait=2, talk=4)]
