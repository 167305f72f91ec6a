"""From raw records in the inbox to rows: order, repetition and batches do not matter."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from billing.charging import charge_pending
from billing.models import AccountPriceList, Charge, PriceList, Rate
from calls.ingest import groups, inbox, pipeline
from calls.models import (
    Call,
    CallGroup,
    InboxRecord,
    LegLink,
    LegRecord,
    MovedCall,
    Number,
    Pbx,
    UnpricedCall,
)
from tests.conftest import LONG_AGO, RECORDED
from tests.records import Scenario, asterisk_scenarios, freeswitch_scenarios

pytestmark = pytest.mark.django_db
FREESWITCH = freeswitch_scenarios()
MASTER = asterisk_scenarios("master.csv")
FULL = asterisk_scenarios("full.csv")


def bodies_of(scenarios: Iterable[Scenario]) -> list[bytes]:
    return [body for scenario in scenarios for body in scenario.bodies]


def deliver(pbx: Pbx, bodies: Iterable[bytes], layout: str = "") -> None:
    inbox.receive(pbx, bodies, now=RECORDED, layout=layout)
    while pipeline.fold_batch(pbx, RECORDED):
        pass


def rows() -> list[Any]:
    return list(Call.objects.order_by("account", "started_at", "id").values())


def charges() -> list[Any]:
    return list(Charge.objects.order_by("account", "answered_at", "id").values())


def prices(account: Account) -> None:
    price_list = PriceList.objects.create(name=f"List of {account}")
    Rate.objects.create(
        price_list=price_list, prefix="48", name="Poland", per_minute="0.1", valid_from=LONG_AGO
    )
    AccountPriceList.objects.create(account=account, price_list=price_list, since=LONG_AGO)


def test_the_recorded_freeswitch_calls_become_exactly_their_rows(freeswitch: Pbx) -> None:
    deliver(freeswitch, bodies_of(FREESWITCH))

    expected = [scenario.expected for scenario in FREESWITCH if scenario.expected]
    stored = Call.objects.filter(provisional=False).values_list("kind", "missed", "people")
    assert sorted(stored) == sorted(
        (
            truth["kind"],
            truth["missed"],
            [person for person in (truth["answered_by"], truth["then"]) if person],
        )
        for truth in expected
    )


@pytest.mark.parametrize("scenarios", [MASTER, FULL], ids=["master.csv", "full.csv"])
def test_the_recorded_asterisk_calls_go_to_their_tenants(
    asterisk: Pbx, scenarios: list[Scenario]
) -> None:
    if scenarios is FULL:
        Pbx.objects.filter(pk=asterisk.pk).update(time_zone="Europe/Warsaw")
        asterisk.refresh_from_db()

    deliver(asterisk, bodies_of(scenarios), scenarios[0].layout)

    expected = [scenario.expected for scenario in scenarios if scenario.expected]
    stored = Call.objects.values_list("account__slug", "kind", "missed", "people", "estimated")
    assert sorted(stored) == sorted(
        (
            truth["tenant"],
            truth["kind"],
            truth["missed"],
            [person for person in (truth["answered_by"], truth["then"]) if person],
            not truth["cdr_alone_is_exact"],
        )
        for truth in expected
    )


def test_a_call_to_an_unknown_number_is_nobodys_and_waits_with_its_reason(freeswitch: Pbx) -> None:
    unknown = next(scenario for scenario in FREESWITCH if scenario.name == "in_unknown_did#14")

    deliver(freeswitch, unknown.bodies)

    assert rows() == []
    record = InboxRecord.objects.get()
    assert (record.state, record.reason) == ("unassigned", "unassigned")
    assert "+48221000999" in record.message


def test_a_call_that_was_nobodys_comes_in_once_its_number_is_assigned(
    freeswitch: Pbx, acme: Account
) -> None:
    unknown = next(scenario for scenario in FREESWITCH if scenario.name == "in_unknown_did#14")
    deliver(freeswitch, unknown.bodies)
    Number.objects.create(number="+48221000999", account=acme, since=LONG_AGO)

    InboxRecord.objects.update(state="pending")
    pipeline.fold_batch(freeswitch, RECORDED)

    assert [(call.own_number, call.missed) for call in Call.objects.all()] == [
        ("+48221000999", True)
    ]
    assert InboxRecord.objects.get().state == "folded"


def test_a_number_takes_no_calls_of_before_along_to_its_new_holder(
    freeswitch: Pbx, acme: Account, beta: Account
) -> None:
    moved = RECORDED - timedelta(hours=1)
    Number.objects.create(number="+48221000999", account=acme, since=LONG_AGO, until=moved)
    Number.objects.create(number="+48221000999", account=beta, since=moved)
    unknown = next(scenario for scenario in FREESWITCH if scenario.name == "in_unknown_did#14")

    deliver(freeswitch, unknown.bodies)

    assert Call.objects.get().account == acme


def test_the_same_import_twice_changes_no_row(asterisk: Pbx, acme: Account) -> None:
    prices(acme)
    deliver(asterisk, bodies_of(MASTER))
    charge_pending(RECORDED)
    before = (rows(), charges(), _versions())

    deliver(asterisk, bodies_of(MASTER))
    InboxRecord.objects.all().delete()
    deliver(asterisk, bodies_of(MASTER))
    charge_pending(RECORDED)

    assert (rows(), charges(), _versions()) == before


def _versions() -> list[Any]:
    """What PostgreSQL changes with every write to a row, even one that writes the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid, ctid::text, xmin::text FROM calls_call ORDER BY 1, 2")
        return list(cursor.fetchall())


def test_the_same_import_long_after_the_late_window_changes_no_row(asterisk: Pbx) -> None:
    deliver(asterisk, bodies_of(MASTER))
    before = rows()
    for forgotten in (CallGroup, LegRecord, LegLink, InboxRecord):
        forgotten.objects.all().delete()

    later = RECORDED + timedelta(days=200)
    inbox.receive(asterisk, reversed(bodies_of(MASTER)), now=later)
    while pipeline.fold_batch(asterisk, later, limit=7):
        pass

    assert rows() == before


@pytest.mark.parametrize("number", range(4))
def test_one_late_leg_of_a_forgotten_call_finds_it_again(freeswitch: Pbx, number: int) -> None:
    group = next(each for each in FREESWITCH if each.name == "ring_group_one_wins#26")
    deliver(freeswitch, group.bodies)
    before = rows()
    for forgotten in (CallGroup, LegRecord, LegLink, InboxRecord):
        forgotten.objects.all().delete()

    later = RECORDED + timedelta(days=200)
    inbox.receive(freeswitch, [group.bodies[number]], now=later)
    pipeline.fold_batch(freeswitch, later)

    assert (rows(), MovedCall.objects.count()) == (before, 0)


@pytest.mark.parametrize("scenarios", [FREESWITCH, MASTER], ids=["freeswitch", "master.csv"])
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_order_repetition_and_batches_end_in_the_same_calls_and_charges(
    freeswitch: Pbx, asterisk: Pbx, acme: Account, scenarios: list[Scenario], data: st.DataObject
) -> None:
    pbx = freeswitch if scenarios is FREESWITCH else asterisk
    if not AccountPriceList.objects.exists():
        prices(acme)
    chosen = data.draw(st.lists(st.sampled_from(scenarios), min_size=1, max_size=8, unique_by=id))
    once = bodies_of(chosen)
    shuffled = data.draw(st.permutations([*once, *data.draw(st.lists(st.sampled_from(once)))]))
    cuts = data.draw(st.lists(st.integers(1, len(shuffled)), max_size=6))

    expected = _outcome(pbx, [once])
    got = _outcome(pbx, _pieces(shuffled, cuts))

    assert got == expected


def _pieces(bodies: list[bytes], cuts: list[int]) -> list[list[bytes]]:
    edges = sorted({0, *cuts, len(bodies)})
    return [bodies[start:end] for start, end in pairwise(edges)]


def _outcome(pbx: Pbx, batches: list[list[bytes]]) -> tuple[Any, Any]:
    """Calls and charges after these batches, each folded, and charged, before the next comes."""
    tables: list[Any] = [
        *(Call, Charge, CallGroup, LegRecord, LegLink, InboxRecord, MovedCall, UnpricedCall)
    ]
    for table in tables:
        table.objects.all().delete()
    for batch in batches:
        deliver(pbx, batch)
        charge_pending(RECORDED)
        InboxRecord.objects.all().delete()
    return rows(), charges()


def test_a_call_whose_first_channel_is_still_to_come_is_provisional_and_not_missed(
    freeswitch: Pbx,
) -> None:
    group = next(each for each in FREESWITCH if each.name == "ring_group_one_wins#26")
    first_channel, *others = group.bodies

    deliver(freeswitch, others)
    waiting = [(call.provisional, call.charging) for call in Call.objects.all()]
    deliver(freeswitch, [first_channel])

    assert waiting == [(True, "free")]
    assert not Call.objects.all().is_missed().exists()
    assert [(call.provisional, call.people) for call in Call.objects.all()] == [(False, ["102"])]


def test_a_call_that_waited_in_vain_is_settled_as_it_is(freeswitch: Pbx) -> None:
    missed = next(each for each in FREESWITCH if each.name == "in_missed_caller_gave_up#11")
    deliver(freeswitch, missed.bodies[:1])

    early = pipeline.settle(RECORDED + timedelta(minutes=4))
    late = pipeline.settle(RECORDED + timedelta(minutes=6))

    assert (early, late) == (0, 1)
    assert [(call.provisional, call.missed) for call in Call.objects.all()] == [(False, True)]


def test_a_leg_that_joins_two_calls_leaves_one_and_the_old_address_leads_to_it(
    freeswitch: Pbx,
) -> None:
    transfer = next(each for each in FREESWITCH if each.name == "transfer_attended#43")
    caller, first, consulted, consulting = transfer.bodies
    deliver(freeswitch, [consulting])
    consultation = Call.objects.get()

    deliver(freeswitch, [caller, first, consulted])

    call = Call.objects.get()
    assert (call.people, call.kind) == (["101", "103"], "incoming")
    moved = MovedCall.objects.get()
    assert (moved.started_at, moved.call_id) == (consultation.started_at, consultation.id)
    assert (moved.new_started_at, moved.new_call_id) == (call.started_at, call.id)


def test_a_record_older_than_anybody_keeps_calls_is_acknowledged_and_not_stored(
    freeswitch: Pbx,
) -> None:
    later = RECORDED + timedelta(days=400)
    inbox.receive(freeswitch, FREESWITCH[0].bodies, now=later)

    pipeline.fold_batch(freeswitch, later)

    assert rows() == []
    assert {(record.state, bytes(record.body)) for record in InboxRecord.objects.all()} == {
        ("expired", b"")
    }


def spoilt(name: str, value: str) -> bytes:
    body = FREESWITCH[0].bodies[0].decode()
    start = body.index(f'"{name}":"') + len(name) + 4
    return (body[:start] + value + body[body.index('"', start) :]).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"this is no JSON", "not_json"),
        (b"[1, 2, 3]", "other_shape"),
        (b'{"variables": {"uuid": 5}}', "other_shape"),
        (b'{"variables": []}', "other_shape"),
        (b"[" * 100_000, "not_json"),
        (FREESWITCH[0].bodies[0][:3000], "not_json"),
        (b"\xff\xfe\x00\x00", "not_json"),
        (spoilt("start_uepoch", "1000000"), "bad_date"),
        (spoilt("start_uepoch", "-1795403337749429"), "bad_times"),
        (spoilt("end_uepoch", "4291747200000000"), "bad_date"),
        (spoilt("end_uepoch", "9" * 40), "bad_date"),
        (spoilt("end_uepoch", "soon"), "bad_times"),
        (spoilt("billmsec", "-5"), "bad_times"),
    ],
)
def test_what_cannot_be_understood_is_set_aside_with_its_reason_and_stops_nobody(
    freeswitch: Pbx, body: bytes, reason: str
) -> None:
    good = FREESWITCH[1].bodies

    deliver(freeswitch, [body, *good])

    aside = InboxRecord.objects.get(state="quarantined")
    assert (bytes(aside.body), aside.reason) == (body, reason)
    assert Call.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        spoilt("sip_from_user", "%00%FF\\u0000\\ud800"),
        spoilt("hangup_cause", "x" * 5000),
        FREESWITCH[0].bodies[0].replace(b"601222333", b"6" * 60),
        FREESWITCH[0].bodies[0].replace(b'"Anna"', b'"\\u0000\\ud83d"'),
        FREESWITCH[0].bodies[0].replace(b'"callflow"', b'"elsewhere"'),
        FREESWITCH[0].bodies[0].replace(b'"app_log"', b'"elsewhere"'),
    ],
    ids=["nul and half a surrogate", "long cause", "60 digits", "odd name", "no flow", "no log"],
)
def test_odd_but_readable_records_become_calls(freeswitch: Pbx, body: bytes) -> None:
    deliver(freeswitch, [body])

    assert [record.state for record in InboxRecord.objects.all()] == ["folded"]
    assert Call.objects.count() == 1


def test_a_record_on_which_our_own_code_fails_does_not_stop_the_others(
    freeswitch: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = FREESWITCH[0].legs[0].key
    real: Callable[..., Any] = groups.add

    def failing(pbx: Pbx, legs: list[Any], now: datetime) -> Any:
        if any(leg.key == bad for leg in legs):
            raise RuntimeError("a defect of ours")
        return real(pbx, legs, now)

    monkeypatch.setattr(groups, "add", failing)
    inbox.receive(freeswitch, bodies_of(FREESWITCH[:4]), now=RECORDED)

    with time_machine.travel(RECORDED, tick=False):
        pipeline.fold_inbox()

    assert InboxRecord.objects.filter(state="pending").count() == 0
    assert InboxRecord.objects.get(state="quarantined").reason == "error"
    assert Call.objects.count() == 3
