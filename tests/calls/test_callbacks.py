"""Was the person who could not get through reached since?"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from calls.models import Call
from tests.builders import make_call, make_missed, make_outgoing
from tests.conftest import RECORDED

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def reached(account: Account) -> dict[int, tuple[str, str] | None]:
    """By missed call: the kind of the call that reached the person, and by whom."""
    missed: Any = Call.objects.filter(account=account).is_missed().with_callback()
    found = {call.id: call.callback for call in missed}
    return {pk: (call["kind"], call["extension"]) if call else None for pk, call in found.items()}


def test_the_first_answered_call_since_counts_whoever_began_it(acme: Account) -> None:
    rung_back = make_missed(acme, peer="+48600000001")
    make_outgoing(acme, peer="+48600000001", extension="105", at=RECORDED + 5 * MINUTE)
    make_outgoing(acme, peer="+48600000001", extension="102", at=RECORDED + 2 * MINUTE)
    came_again = make_missed(acme, peer="+48600000002")
    make_call(acme, peer="+48600000002", extension="101", at=RECORDED + MINUTE)

    assert reached(acme) == {rung_back.id: ("outgoing", "102"), came_again.id: ("incoming", "101")}


def test_what_is_no_conversation_with_that_person_since_does_not_count(
    acme: Account, beta: Account
) -> None:
    missed = make_missed(acme, peer="+48600000001")
    peer: dict[str, Any] = {"peer": "+48600000001", "at": RECORDED + MINUTE}
    make_call(acme, peer="+48600000001", at=RECORDED - MINUTE)
    make_outgoing(acme, **peer, outcome="busy")
    again = make_missed(acme, **peer)
    make_call(acme, peer="+48600000002", at=RECORDED + MINUTE)
    make_call(beta, **peer)
    make_call(acme, **peer, kind="internal")

    assert reached(acme) == {missed.id: None, again.id: None}


def test_callers_who_withheld_their_number_are_nobody_in_particular(acme: Account) -> None:
    missed = make_missed(acme, peer="", hidden=True)
    make_call(acme, peer="", hidden=True, at=RECORDED + MINUTE)

    assert reached(acme) == {missed.id: None}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    history=st.lists(
        st.tuples(
            st.integers(0, 60 * 24 * 40),
            st.sampled_from(["+48600000001", "+48600000002", ""]),
            st.sampled_from(["outgoing", "incoming", "internal"]),
            st.sampled_from(["answered", "no_answer"]),
        ),
        max_size=25,
        unique_by=lambda call: call[0],
    )
)
def test_it_is_what_one_finds_by_reading_the_whole_history(
    acme: Account, history: list[tuple[int, str, str, str]]
) -> None:
    Call.objects.all().delete()
    for minute, peer, kind, outcome in history:
        lost = kind == "incoming" and outcome != "answered"
        make_call(
            acme, at=RECORDED - minute * MINUTE, peer=peer, kind=kind, outcome=outcome, missed=lost
        )

    expected = {}
    calls = sorted(Call.objects.all(), key=lambda call: call.started_at)
    for missed in (call for call in calls if call.missed):
        later = [
            call
            for call in calls
            if call.started_at > missed.started_at
            and call.peer == missed.peer != ""
            and call.kind != "internal"
            and call.outcome == "answered"
        ]
        expected[missed.id] = (later[0].kind, later[0].extension) if later else None

    assert reached(acme) == expected
