"""Refused records: grouped, tried again, dismissed; and calls that come in once they are somebody's."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.conf import settings as settings_of_django
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from accounts.models import Account, Membership, User
from billing.charging import charge_pending
from billing.models import AccountPriceList, Charge, PriceList, Rate
from calls import tasks
from calls.ingest import assigning, inbox, pipeline, quarantine
from calls.ingest.quarantine import DISMISS, RETRY
from calls.ingest.selection import Selection
from calls.models import Call, Decision, InboxRecord, Number, Pbx, TenantCode
from tests.conftest import LONG_AGO, RECORDED
from tests.records import Scenario, freeswitch_scenarios

pytestmark = pytest.mark.django_db
SCENARIOS = {scenario.name.partition("#")[0]: scenario for scenario in freeswitch_scenarios()}
UNKNOWN = SCENARIOS["in_unknown_did"]


@pytest.fixture
def clerk() -> User:
    return User.objects.create_user("olga@operator.example", "pass", name="Olga", is_staff=True)


def deliver(pbx: Pbx, *bodies: bytes) -> None:
    inbox.receive(pbx, bodies, now=RECORDED)
    fold(pbx)


def fold(pbx: Pbx) -> None:
    while pipeline.fold_batch(pbx, RECORDED):
        pass


def states() -> list[str]:
    return list(InboxRecord.objects.order_by("id").values_list("state", flat=True))


def decide(action: str, user: User | None = None, note: str = "", **which: Any) -> Decision:
    return quarantine.decide(action, Selection(**which), by=user, note=note, now=RECORDED)


def test_refused_records_are_grouped_by_pbx_and_reason_the_largest_first(
    freeswitch: Pbx, asterisk: Pbx
) -> None:
    deliver(freeswitch, b"{no", b"{json", b"[1]")
    deliver(asterisk, b"a,b,c")

    groups = InboxRecord.objects.not_understood()

    found = [(group["pbx__name"], group["reason"], group["count"]) for group in groups]
    assert found == [
        ("freeswitch", "not_json", 2),
        ("asterisk", "other_shape", 1),
        ("freeswitch", "other_shape", 1),
    ]
    assert {(group["first"], group["last"]) for group in groups} == {(RECORDED, RECORDED)}
    example = InboxRecord.objects.get(pk=groups[0]["example"])
    assert "set encode=false" in example.message


def test_nobodys_calls_are_grouped_by_what_nobody_holds(freeswitch: Pbx) -> None:
    deliver(freeswitch, *UNKNOWN.bodies)

    (group,) = InboxRecord.objects.nobodys()

    assert (group["called"], group["tenants"], group["count"]) == (
        "+48221000999",
        [],
        len(UNKNOWN.bodies),
    )


def prices(account: Account) -> None:
    price_list = PriceList.objects.create(name="Base")
    Rate.objects.create(
        price_list=price_list, prefix="48", name="Poland", per_minute="0.6", valid_from=LONG_AGO
    )
    AccountPriceList.objects.create(account=account, price_list=price_list, since=LONG_AGO)


def worked_off(pbx: Pbx) -> list[tuple[str, str, str, Decimal | None]]:
    """What the sweeps of beat do, and the calls that are there then."""
    if assigning.bring_in_assigned():
        fold(pbx)
    charge_pending(RECORDED)
    calls = Call.objects.order_by("started_at")
    return list(calls.values_list("kind", "outcome", "charging", "cost"))


def test_a_tenant_code_added_later_brings_its_calls_in_with_callbacks_and_charges(
    freeswitch: Pbx, acme: Account, owner: Membership
) -> None:
    prices(acme)
    TenantCode.objects.all().delete()
    missed = SCENARIOS["in_missed_caller_gave_up"]
    rung_back = [
        body.replace(b"601222333", b"602333444") for body in later(SCENARIOS["out_answered"])
    ]
    deliver(freeswitch, *missed.bodies, *rung_back)
    before = worked_off(freeswitch)
    assert (before, set(states())) == ([], {"unassigned"})

    TenantCode.objects.create(pbx=freeswitch, code="firma.example", account=acme)

    assert worked_off(freeswitch) == [
        ("incoming", "cancelled", "free", None),
        ("outgoing", "answered", "charged", Charge.objects.get().amount),
    ]
    assert Charge.objects.get().amount > 0
    assert set(states()) == {"folded"}
    call = Call.objects.visible_to(owner).is_missed().with_callback().get()
    assert call.callback["kind"] == "outgoing"  # type: ignore[attr-defined]


def later(scenario: Scenario) -> list[bytes]:
    """The recorded call as if it had been made an hour later."""
    return [
        re.sub(rb"17954\d{5}", lambda found: str(int(found[0]) + 3600).encode(), body)
        for body in scenario.bodies
    ]


def test_a_number_assigned_later_brings_its_call_in(freeswitch: Pbx, acme: Account) -> None:
    deliver(freeswitch, *UNKNOWN.bodies)
    assert worked_off(freeswitch) == []

    Number.objects.create(number="+48221000999", account=acme, since=LONG_AGO)

    assert [(kind, charging) for kind, _, charging, _ in worked_off(freeswitch)] == [
        ("incoming", "free")
    ]


@pytest.mark.parametrize(
    "held",
    [
        {"since": RECORDED},
        {"since": LONG_AGO, "until": LONG_AGO + timedelta(days=1)},
    ],
    ids=["held since", "held until"],
)
def test_a_number_held_at_another_time_brings_nothing_in_and_wakes_nobody(
    freeswitch: Pbx, acme: Account, held: dict[str, datetime]
) -> None:
    deliver(freeswitch, *UNKNOWN.bodies)
    Number.objects.create(number="+48221000999", account=acme, **held)

    assert assigning.bring_in_assigned() == 0
    assert set(states()) == {"unassigned"}


def test_a_code_of_another_pbx_brings_nothing_in(
    freeswitch: Pbx, asterisk: Pbx, acme: Account
) -> None:
    TenantCode.objects.all().delete()
    deliver(freeswitch, *SCENARIOS["in_missed_caller_gave_up"].bodies)
    TenantCode.objects.create(pbx=asterisk, code="firma.example", account=acme)

    assert assigning.bring_in_assigned() == 0


def test_a_pbx_given_to_one_account_brings_all_its_calls_in(freeswitch: Pbx, beta: Account) -> None:
    TenantCode.objects.all().delete()
    deliver(freeswitch, *UNKNOWN.bodies)
    Pbx.objects.update(account=beta)
    freeswitch.refresh_from_db()

    worked_off(freeswitch)

    assert Call.objects.get().account == beta


def queued() -> list[str]:
    """The tasks that wait for a worker in the real queue, which is emptied."""
    queue = Redis.from_url(settings_of_django.REDIS_URL)
    messages = queue.lrange("celery", 0, -1)
    queue.delete("celery")
    return [json.loads(message)["headers"]["task"] for message in messages]


ENTRIES: dict[str, Callable[[Pbx, Account], object]] = {
    "a number": lambda pbx, account: Number.objects.create(number="+48221000999", account=account),
    "a code": lambda pbx, account: TenantCode.objects.create(pbx=pbx, code="x", account=account),
    "a PBX": lambda pbx, account: pbx.save(),
    "whose a PBX is": lambda pbx, account: pbx.save(update_fields=["account"]),
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_saving_an_entry_sends_a_worker_after_the_calls_that_may_be_somebodys_now(
    freeswitch: Pbx,
    acme: Account,
    entry: Callable[[Pbx, Account], object],
    django_capture_on_commit_callbacks: Any,
) -> None:
    queued()
    with django_capture_on_commit_callbacks(execute=True):
        entry(freeswitch, acme)
        assert queued() == []

    assert queued() == ["calls.tasks.bring_in_assigned"]


def test_what_folding_remembers_of_a_pbx_sends_nobody(
    freeswitch: Pbx, django_capture_on_commit_callbacks: Any
) -> None:
    queued()
    with django_capture_on_commit_callbacks(execute=True):
        freeswitch.save(update_fields=["record_ids"])

    assert queued() == []


def test_the_worker_that_was_sent_brings_the_calls_onto_the_list(
    freeswitch: Pbx, acme: Account
) -> None:
    with time_machine.travel(RECORDED, tick=False):
        deliver(freeswitch, *UNKNOWN.bodies)
        Number.objects.create(number="+48221000999", account=acme, since=LONG_AGO)
        tasks.bring_in_assigned()

    assert [call.own_number for call in Call.objects.all()] == ["+48221000999"]


def test_bringing_in_goes_on_batch_by_batch_and_ends(
    freeswitch: Pbx, acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assigning, "BATCH", 1)
    TenantCode.objects.all().delete()
    deliver(freeswitch, *SCENARIOS["ring_group_one_wins"].bodies)
    count = len(states())
    TenantCode.objects.create(pbx=freeswitch, code="firma.example", account=acme)

    assert (assigning.bring_in_assigned(), count) == (4, 4)
    assert set(states()) == {"pending"}


def test_retrying_puts_back_in_line_exactly_what_was_chosen(
    freeswitch: Pbx, asterisk: Pbx, clerk: User
) -> None:
    deliver(freeswitch, b"{no", b"[1]", *SCENARIOS["in_answered"].bodies)
    deliver(asterisk, b"a,b,c")

    decision = decide(RETRY, clerk, pbx="freeswitch", reason="not_json")

    assert states() == ["pending", "quarantined", "folded", "folded", "quarantined"]
    assert (decision.records, decision.by, decision.finished_at) == (1, clerk, RECORDED)


def test_one_record_is_retried_alone_and_all_together(freeswitch: Pbx, clerk: User) -> None:
    deliver(freeswitch, b"{no", b"{json", b"[1]")
    first = InboxRecord.objects.order_by("id")[0]

    decide(RETRY, clerk, record=first.pk)
    one = states()
    decide(RETRY, clerk)

    assert one == ["pending", "quarantined", "quarantined"]
    assert states() == ["pending"] * 3


def test_what_is_dismissed_stays_so_with_its_note_until_it_is_reopened(
    freeswitch: Pbx, clerk: User
) -> None:
    deliver(freeswitch, b"{no", b"[1]")

    dismissal = decide(DISMISS, clerk, "a test of the PBX", reason="not_json")
    dismissed = states()
    decide(RETRY, clerk)
    untouched = states()
    reopened = decide(RETRY, clerk, dismissal=dismissal.pk)
    fold(freeswitch)

    assert (dismissed, untouched) == (
        ["dismissed", "quarantined"],
        ["dismissed", "pending"],
    )
    assert (dismissal.note, dismissal.by, dismissal.records) == ("a test of the PBX", clerk, 1)
    assert reopened.records == 1
    assert states() == ["quarantined", "quarantined"]


def test_a_dismissed_call_stays_so_when_a_late_leg_of_it_comes(freeswitch: Pbx) -> None:
    TenantCode.objects.all().delete()
    first, *others = SCENARIOS["ring_group_one_wins"].bodies
    deliver(freeswitch, first)
    pipeline.settle(RECORDED + timedelta(minutes=6))
    assert decide(DISMISS).records == 1

    deliver(freeswitch, *others)

    assert states() == ["dismissed", "unassigned", "unassigned", "unassigned"]


def test_a_dismissed_call_that_becomes_somebodys_by_a_late_leg_is_taken_over_whole(
    freeswitch: Pbx, acme: Account
) -> None:
    TenantCode.objects.all().delete()
    first, *others = SCENARIOS["ring_group_one_wins"].bodies
    deliver(freeswitch, first)
    pipeline.settle(RECORDED + timedelta(minutes=6))
    assert decide(DISMISS).records == 1
    TenantCode.objects.create(pbx=freeswitch, code="firma.example", account=acme)

    deliver(freeswitch, *others)

    assert states() == ["folded"] * 4
    assert Call.objects.count() == 1


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batch=st.integers(1, 8), count=st.integers(0, 9), killed=st.integers(0, 9))
def test_a_decision_ends_at_the_same_records_whatever_the_batches_and_who_was_killed(
    freeswitch: Pbx, batch: int, count: int, killed: int
) -> None:
    InboxRecord.objects.all().delete()
    deliver(freeswitch, *(b"{%d" % number for number in range(count)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quarantine, "BATCH", batch)
        decision = decide(RETRY)
        for _ in range(killed):
            with transaction.atomic():
                quarantine.carry_out_batch(decision.pk, RECORDED)
                transaction.set_rollback(True)
        fold(freeswitch)  # What was put back in line is refused again, and not meant a second time.
        quarantine.carry_out(RECORDED)

    decision.refresh_from_db()
    assert (decision.records, decision.finished_at) == (count, RECORDED)


def test_what_comes_after_a_decision_is_not_meant_by_it(
    freeswitch: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "BATCH", 1)
    deliver(freeswitch, b"{no", b"[1]")
    decide(DISMISS)
    deliver(freeswitch, b"{later")

    quarantine.carry_out(RECORDED)

    assert states() == ["dismissed", "dismissed", "quarantined"]


def test_the_questions_are_answered_from_the_index_of_what_was_set_aside(freeswitch: Pbx) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = [
            records.explain()
            for records in (
                InboxRecord.objects.filter(pbx=freeswitch).refused(),
                InboxRecord.objects.filter(pbx=freeswitch).now_somebodys(),
            )
        ]

    assert ["inbox_set_aside" in plan for plan in plans] == [True, True]
