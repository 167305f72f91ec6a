"""Rows and channel events of an Asterisk through the real way in: whatever comes when, the calls are the same."""

from collections import Counter
from collections.abc import Iterable
from io import StringIO
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from billing.charging import charge_pending
from billing.models import AccountPriceList, Charge
from calls.ingest import inbox, pipeline
from calls.ingest.following import Follower
from calls.models import (
    Call,
    CallGroup,
    InboxRecord,
    LegLink,
    LegRecord,
    MovedCall,
    Pbx,
    UnpricedCall,
)
from tests.calls.test_pipeline import charges, prices, rows
from tests.conftest import RECORDED
from tests.records import HERE, Scenario, asterisk_events, asterisk_scenarios

pytestmark = pytest.mark.django_db
HEADER, EVENTS = asterisk_events()
MASTER = {scenario.name: scenario for scenario in asterisk_scenarios("master.csv")}
FULL = {scenario.name: scenario for scenario in asterisk_scenarios("full.csv")}
# A record and the header of the file that it stands in.
Record = tuple[str, bytes]


def rows_of(*scenarios: Scenario) -> list[Record]:
    return [(scenario.layout, body) for scenario in scenarios for body in scenario.bodies]


def events_of(*scenarios: Scenario) -> list[Record]:
    return [(HEADER, line) for scenario in scenarios for line in EVENTS[scenario.name]]


def deliver(pbx: Pbx, records: Iterable[Record]) -> None:
    for layout, alike in groupby(records, key=itemgetter(0)):
        inbox.receive(pbx, [body for _, body in alike], now=RECORDED, layout=layout)
    while pipeline.fold_batch(pbx, RECORDED):
        pass


@pytest.mark.parametrize("scenarios", [MASTER, FULL], ids=["master.csv", "full.csv"])
def test_the_recorded_calls_are_exact_once_their_events_are_there(
    asterisk: Pbx, scenarios: dict[str, Scenario]
) -> None:
    if scenarios is FULL:
        Pbx.objects.filter(pk=asterisk.pk).update(time_zone="Europe/Warsaw")
        asterisk.refresh_from_db()
    deliver(asterisk, rows_of(*scenarios.values()))
    estimated = Call.objects.filter(estimated=True).count()

    deliver(asterisk, events_of(*scenarios.values()))

    expected = [scenario.expected for scenario in scenarios.values() if scenario.expected]
    stored = Call.objects.filter(estimated=False, provisional=False)
    assert estimated == len([truth for truth in expected if not truth["cdr_alone_is_exact"]])
    assert sorted(stored.values_list("account__slug", "kind", "missed", "people")) == sorted(
        (
            truth["tenant"],
            truth["kind"],
            truth["missed"],
            [person for person in (truth["answered_by"], truth["then"]) if person],
        )
        for truth in expected
    )


def test_events_make_no_call_before_its_first_row_and_are_nobodys_fault(
    asterisk: Pbx, caplog: pytest.LogCaptureFixture
) -> None:
    call = MASTER["q-second-answers"]

    deliver(asterisk, events_of(call))
    alone = (rows(), Counter(InboxRecord.objects.values_list("state", "reason")))
    settling = CallGroup.objects.exclude(settles_at=None).count()
    deliver(asterisk, rows_of(call))

    assert alone == ([], {("folded", ""): len(EVENTS[call.name])})
    assert (settling, caplog.messages) == (0, [])
    assert [
        (call.people, call.wait_s, call.talk_s, call.estimated) for call in Call.objects.all()
    ] == [(["102"], 10, 9, False)]


def test_events_that_tell_nothing_of_use_are_taken_over_and_not_kept(asterisk: Pbx) -> None:
    useless = [record for record in events_of(MASTER["park"]) if b'"STREAM_' in record[1]]

    deliver(asterisk, useless)

    assert Counter(InboxRecord.objects.values_list("state", "leg_key")) == {
        ("folded", ""): len(useless)
    }
    assert LegRecord.objects.count() == 0


def test_a_late_event_makes_an_estimate_exact_and_prices_it_again(
    asterisk: Pbx, acme: Account
) -> None:
    prices(acme)
    call = MASTER["c2c-answered"]
    deliver(asterisk, rows_of(call))
    charge_pending(RECORDED)
    guessed = list(Charge.objects.values_list("seconds", "estimated"))
    before = Call.objects.get()

    deliver(asterisk, events_of(call))
    charge_pending(RECORDED)

    after = Call.objects.get()
    assert guessed == [(10, True)]
    assert list(Charge.objects.values_list("seconds", "estimated")) == [(8, False)]
    assert (before.estimated, before.wait_s, before.talk_s) == (True, 2, 10)
    assert (after.estimated, after.wait_s, after.talk_s) == (False, 4, 8)
    assert after.cost and before.cost and after.cost < before.cost
    assert (after.started_at, after.id, MovedCall.objects.count()) == (
        before.started_at,
        before.id,
        0,
    )


def test_events_that_only_confirm_a_charge_leave_it_as_it_was(asterisk: Pbx, acme: Account) -> None:
    prices(acme)
    exact = [each for each in MASTER.values() if (each.expected or {}).get("cdr_alone_is_exact")]
    deliver(asterisk, rows_of(*exact))
    charge_pending(RECORDED)
    priced = list(Call.objects.order_by("pk").values("id", "charging", "cost"))

    deliver(asterisk, events_of(*exact))

    assert list(Call.objects.order_by("pk").values("id", "charging", "cost")) == priced
    assert {call["charging"] for call in priced} == {"free", "charged", "no_rate"}


def test_a_call_that_goes_on_after_its_first_row_is_provisional_and_not_charged(
    asterisk: Pbx, acme: Account
) -> None:
    prices(acme)
    call = MASTER["x-outgoing-refer"]
    first, second = rows_of(call)
    until_then = [record for record in events_of(call) if b"1795403549." in record[1]]

    deliver(asterisk, [*until_then, first])
    charge_pending(RECORDED)
    waiting = [(call.provisional, call.cost) for call in Call.objects.all()]
    deliver(asterisk, [second, *events_of(call)])
    charge_pending(RECORDED)

    assert waiting == [(True, None)]
    assert [call.provisional for call in Call.objects.all()] == [False]
    assert list(Charge.objects.values_list("seconds", "estimated")) == [(16, False)]


def test_of_a_call_of_nobody_only_the_rows_wait_for_its_owner(asterisk: Pbx) -> None:
    call = MASTER["i-unknown-did"]

    deliver(asterisk, [*events_of(call), *rows_of(call)])

    states = Counter(InboxRecord.objects.values_list("state", flat=True))
    assert states == {"unassigned": len(call.bodies), "folded": len(EVENTS[call.name])}


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_order_repetition_and_batches_of_rows_and_events_end_in_the_same_calls_and_charges(
    asterisk: Pbx, acme: Account, data: st.DataObject
) -> None:
    if not AccountPriceList.objects.exists():
        prices(acme)
    names = data.draw(
        st.lists(st.sampled_from(sorted(MASTER)), min_size=1, max_size=2, unique=True)
    )
    once = [*rows_of(*map(MASTER.get, names)), *events_of(*map(MASTER.get, names))]  # type: ignore[arg-type]
    again = data.draw(st.lists(st.sampled_from(once), max_size=10))
    shuffled = data.draw(st.permutations([*once, *again]))
    cuts = data.draw(st.lists(st.integers(1, len(shuffled)), max_size=5))
    edges = sorted({0, *cuts, len(shuffled)})

    expected = _outcome(asterisk, [once])
    got = _outcome(asterisk, [shuffled[start:end] for start, end in pairwise(edges)])

    assert got == expected


def _outcome(pbx: Pbx, batches: list[list[Record]]) -> tuple[Any, Any]:
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


@pytest.mark.usefixtures("recorded_time")
def test_a_file_of_events_is_imported_like_one_of_rows(asterisk: Pbx) -> None:
    files = [str(HERE / "asterisk" / name) for name in ("cel.csv", "master.csv")]

    call_command("import_cdr", *files, pbx="asterisk", stdout=StringIO())

    assert Call.objects.filter(estimated=False, provisional=False).count() == 53
    assert Counter(InboxRecord.objects.values_list("state", flat=True)) == {
        "folded": 922 + 95,
        "unassigned": 1,
    }


def test_a_growing_file_of_events_is_followed_beside_the_one_of_rows(
    asterisk: Pbx, tmp_path: Path
) -> None:
    paths = {name: tmp_path / name for name in ("master.csv", "cel.csv")}
    followers = [Follower(asterisk, path) for path in paths.values()]
    lines = {
        name: (HERE / "asterisk" / name).read_bytes().splitlines(keepends=True) for name in paths
    }

    for half in (0, 1):
        for name, path in paths.items():
            middle = len(lines[name]) // 2
            with path.open("ab") as file:
                file.writelines(lines[name][middle:] if half else lines[name][:middle])
        for follower in followers:
            follower.step(RECORDED)
        while pipeline.fold_batch(asterisk, RECORDED):
            pass

    assert Call.objects.filter(estimated=False, provisional=False).count() == 53
