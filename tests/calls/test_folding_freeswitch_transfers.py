"""FreeSWITCH: transfers, pick-ups and parking, as the customer must see them: one row, everybody in their order."""

from tests.calls.freeswitch_channels import calls, from_outside, from_phone, to_operator, to_phone
from tests.calls.seen import incoming, internal, outgoing

CALLER, DID = "+48601000001", "+48221000101"
MOBILE, OTHER = "+48501222333", "+48502000002"


def test_a_colleague_who_picks_up_is_the_one_who_answered() -> None:
    records = (
        from_outside(
            "a", (0, 6, 26), bridged=6.1, partner="p", rang=["b:101"], disposition="PICKED_OFF"
        ),
        to_phone("b", "101", (0, None, 6), parent="a", cause="PICKED_OFF"),
        from_phone("p", "103", "**101", (5.9, 6, 26), bridged=6.1, partner="a", apps="intercept"),
    )

    assert calls(*records) == [incoming(CALLER, "103", "103", did=DID, wait=6.1, talk=19.9)]


def test_a_colleague_may_pick_up_an_internal_call_too() -> None:
    records = (
        from_phone("a", "104", "101", (0, 6, 26), bridged=6.1, partner="p", rang=["b:101"]),
        to_phone("b", "101", (0, None, 6), parent="a", cause="PICKED_OFF"),
        from_phone("p", "103", "**101", (5.9, 6, 26), bridged=6.1, partner="a", apps="intercept"),
    )

    assert calls(*records) == [internal("104", "101", "103", wait=6.1, talk=19.9)]


def test_a_parked_caller_fetched_by_a_colleague_talks_with_both() -> None:
    records = (
        from_outside("a", (0, 2, 60), bridged=30, partner="p", rang=["b:101"], apps="valet_park"),
        to_phone("b", "101", (0, 2, 12), bridged=2, partner="a", parent="a"),
        from_phone("p", "102", "701", (29.9, 30, 60), bridged=30, partner="a", apps="valet_park"),
    )

    assert calls(*records) == [incoming(CALLER, "101", "101", "102", did=DID, wait=2, talk=40)]


def test_a_parked_outgoing_call_may_be_fetched_by_a_colleague_or_by_the_one_who_parked() -> None:
    def parked(fetched_by: str) -> tuple[bytes, ...]:
        return (
            from_phone("a", "101", "501222333", (0, 4, 14), bridged=4, partner="g"),
            to_operator("g", MOBILE, (0, 4, 54), bridged=24, partner="p", parent="a"),
            from_phone("p", fetched_by, "701", (23, 24, 54), bridged=24, partner="g"),
        )

    seen = {"wait": 4.0, "talk": 40.0, "paid": ((MOBILE, 50),)}
    assert calls(*parked("102")) == [outgoing("101", MOBILE, MOBILE, "102", **seen)]
    assert calls(*parked("101")) == [outgoing("101", MOBILE, MOBILE, **seen)]


def test_a_blind_transfer_that_nobody_answers_stays_a_call_with_the_first_person() -> None:
    records = (
        from_outside("a", (0, 2, 27), rang=["b:101", "c:102"], disposition="NO_ANSWER"),
        to_phone("b", "101", (0, 2, 7), bridged=2, partner="a", parent="a"),
        to_phone("c", "102", (7, None, 27), parent="a", cause="NO_ANSWER"),
    )

    assert calls(*records) == [incoming(CALLER, "101", "101", did=DID, wait=2, talk=5)]


def test_a_blind_transfer_to_a_mobile_does_not_count_its_ringing() -> None:
    records = (
        from_outside("a", (0, 2, 30), bridged=12, partner="g", rang=["b:101", f"g:{MOBILE}"]),
        to_phone("b", "101", (0, 2, 7), bridged=2, partner="a", parent="a"),
        to_operator("g", MOBILE, (7, 12, 30), bridged=12, partner="a", parent="a"),
    )

    assert calls(*records) == [
        incoming(CALLER, "101", "101", MOBILE, did=DID, wait=2, talk=23, paid=((MOBILE, 18),))
    ]


def test_an_attended_transfer_to_a_mobile_is_paid_from_the_question_on() -> None:
    records = (
        from_outside("a", (0, 2, 40), bridged=20, partner="g", rang=["b:101"]),
        to_phone("b", "101", (0, 2, 20), bridged=2, partner="a", parent="a"),
        from_phone("c", "101", "501222333", (8, 12, 20), bridged=12, partner="g"),
        to_operator("g", MOBILE, (8, 12, 40), bridged=20, partner="a", parent="c"),
    )

    assert calls(*records) == [
        incoming(CALLER, "101", "101", MOBILE, did=DID, wait=2, talk=38, paid=((MOBILE, 28),))
    ]


def test_an_attended_transfer_by_keys_has_its_question_on_the_callees_own_channel() -> None:
    records = (
        from_outside("a", (0, 2, 40), bridged=20, partner="c", rang=["b:101"]),
        to_phone("b", "101", (0, 2, 20), bridged=2, partner="a", parent="a", rang=["c:103"]),
        to_phone("c", "103", (8, 12, 40), bridged=20, partner="a", parent="b"),
    )

    assert calls(*records) == [incoming(CALLER, "101", "101", "103", did=DID, wait=2, talk=38)]


def test_a_question_by_keys_that_ends_there_leaves_the_caller_with_the_first_person() -> None:
    records = (
        from_outside("a", (0, 2, 40), bridged=20, partner="b", rang=["b:101"]),
        to_phone("b", "101", (0, 2, 40), bridged=20, partner="a", parent="a", rang=["c:103"]),
        to_phone("c", "103", (8, 12, 20), bridged=12, partner="b", parent="b"),
    )

    assert calls(*records) == [incoming(CALLER, "101", "101", did=DID, wait=2, talk=38)]


def test_a_question_that_nobody_answers_is_an_internal_call_of_its_own() -> None:
    records = (
        from_outside("a", (0, 2, 60), bridged=2, partner="b", rang=["b:101"]),
        to_phone("b", "101", (0, 2, 60), bridged=2, partner="a", parent="a"),
        from_phone("c", "101", "103", (8, None, 28), rang=["d:103"], disposition="NO_ANSWER"),
        to_phone("d", "103", (8, None, 28), parent="c", cause="NO_ANSWER"),
    )

    assert calls(*records) == [
        incoming(CALLER, "101", "101", did=DID, wait=2, talk=58),
        internal("101", "103", outcome="no_answer", wait=20),
    ]


def test_a_colleague_asked_before_the_caller_rang_is_second() -> None:
    records = (
        from_phone("c", "103", "101", (0, 2, 60), bridged=40, partner="a", rang=["d:101"]),
        to_phone("d", "101", (0, 2, 40), bridged=2, partner="c", parent="c"),
        from_outside("a", (10, 13, 60), bridged=40, partner="c", rang=["b:101"]),
        to_phone("b", "101", (10, 13, 40), bridged=13, partner="a", parent="a"),
    )

    assert calls(*records) == [incoming(CALLER, "101", "101", "103", did=DID, wait=3, talk=47)]


def test_an_outgoing_call_handed_over_is_paid_to_its_end() -> None:
    records = (
        from_phone("a", "101", "501222333", (0, 4, 14), bridged=4, partner="g"),
        to_operator("g", MOBILE, (0, 4, 44), bridged=17, partner="c", parent="a"),
        to_phone("c", "102", (14, 17, 44), bridged=17, partner="g", parent="g"),
    )

    assert calls(*records) == [
        outgoing("101", MOBILE, MOBILE, "102", wait=4, talk=37, paid=((MOBILE, 40),))
    ]


def test_an_outgoing_call_handed_to_nobody_is_paid_while_the_colleague_rings() -> None:
    records = (
        from_phone("a", "101", "501222333", (0, 4, 14), bridged=4, partner="g"),
        to_operator("g", MOBILE, (0, 4, 34), parent="a", rang=["c:102"]),
        to_phone("c", "102", (14, None, 34), parent="g", cause="NO_ANSWER"),
    )

    assert calls(*records) == [
        outgoing("101", MOBILE, MOBILE, wait=4, talk=10, paid=((MOBILE, 30),))
    ]


def test_an_outgoing_call_transferred_to_another_mobile_pays_for_both() -> None:
    records = (
        from_phone("a", "101", "501222333", (0, 4, 14), bridged=4, partner="g"),
        to_operator("g", MOBILE, (0, 4, 44), bridged=19, partner="h", parent="a"),
        to_operator("h", OTHER, (14, 19, 44), bridged=19, partner="g", parent="g"),
    )

    assert calls(*records) == [
        outgoing("101", MOBILE, MOBILE, OTHER, wait=4, talk=35, paid=((MOBILE, 40), (OTHER, 25)))
    ]


def test_an_outgoing_call_put_through_after_a_question_is_paid_to_its_end() -> None:
    records = (
        from_phone("a", "101", "501222333", (0, 4, 24), bridged=4, partner="g"),
        to_operator("g", MOBILE, (0, 4, 44), bridged=24, partner="d", parent="a"),
        from_phone("c", "101", "102", (10, 13, 24), bridged=13, partner="d", rang=["d:102"]),
        to_phone("d", "102", (10, 13, 44), bridged=24, partner="g", parent="c"),
    )

    assert calls(*records) == [
        outgoing("101", MOBILE, MOBILE, "102", wait=4, talk=40, paid=((MOBILE, 40),))
    ]


def test_a_number_rung_for_a_colleague_is_an_outgoing_call_handed_to_them() -> None:
    records = (
        from_phone("a", "101", "102", (0, 2, 30), bridged=2, partner="b", rang=["b:102"]),
        to_phone("b", "102", (0, 2, 50), bridged=30, partner="g", parent="a"),
        from_phone("c", "101", "501222333", (10, 14, 30), bridged=14, partner="g"),
        to_operator("g", MOBILE, (10, 14, 50), bridged=30, partner="b", parent="c"),
    )

    assert calls(*records) == [
        outgoing("101", MOBILE, MOBILE, "102", wait=4, talk=36, paid=((MOBILE, 36),))
    ]


def test_a_caller_who_puts_a_colleague_through_to_another_leaves_both_in_the_row() -> None:
    records = (
        from_phone("a", "101", "102", (0, 2, 12), bridged=2, partner="b", rang=["b:102"]),
        to_phone("b", "102", (0, 2, 32), bridged=15, partner="c", parent="a"),
        to_phone("c", "103", (12, 15, 32), bridged=15, partner="b", parent="b"),
    )

    assert calls(*records) == [internal("101", "102", "102", "103", wait=2, talk=30)]


def test_an_internal_call_transferred_to_a_mobile_stays_internal_and_is_paid() -> None:
    records = (
        from_phone("a", "101", "102", (0, 2, 32), bridged=16, partner="g", rang=["b:102"]),
        to_phone("b", "102", (0, 2, 12), bridged=2, partner="a", parent="a"),
        to_operator("g", MOBILE, (12, 16, 32), bridged=16, partner="a", parent="a"),
    )

    assert calls(*records) == [
        internal("101", "102", "102", MOBILE, wait=2, talk=26, paid=((MOBILE, 16),))
    ]
