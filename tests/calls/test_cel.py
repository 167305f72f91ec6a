"""The recorded Asterisk calls with their channel events: every one is exact."""

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.ingest.folding import fold
from calls.ingest.formats import asterisk
from calls.ingest.grouping import components
from calls.ingest.records import SECOND, FoldedCall, Leg
from tests.records import Scenario, asterisk_events, asterisk_scenarios

HEADER, LINES = asterisk_events()
MASTER, FULL = asterisk_scenarios("master.csv"), asterisk_scenarios("full.csv")
EXACT = [scenario for scenario in (*MASTER, *FULL) if scenario.expected]
MEASURED = {"wait", "talk", "estimated", "complete", "paid", "steps"}


def events_of(scenario: Scenario) -> list[Leg]:
    legs = (asterisk.parse(line, HEADER, "UTC") for line in LINES[scenario.name])
    return [leg for leg in legs if leg]


def folded(scenario: Scenario, events: list[Leg]) -> FoldedCall:
    return fold([*scenario.legs, *events], scenario.switch)


def named(scenario: Scenario) -> str:
    return f"{scenario.feed} {scenario.name}"


@pytest.mark.parametrize("scenario", EXACT, ids=named)
def test_with_events_every_call_is_exact(scenario: Scenario) -> None:
    call = folded(scenario, events_of(scenario))

    truth = scenario.expected or {}
    assert not call.estimated
    assert call.complete
    if truth["wait_s"] is not None:
        assert call.wait / SECOND == pytest.approx(truth["wait_s"], abs=1)
    assert call.talk / SECOND == pytest.approx(truth["talk_s"], abs=1)
    assert [(leg.seconds, leg.estimated) for leg in call.paid] == [
        (leg["seconds"], False) for leg in truth["paid"]
    ]


@pytest.mark.parametrize("scenario", [*MASTER, *FULL], ids=named)
def test_events_change_nothing_but_seconds(scenario: Scenario) -> None:
    with_events, without = folded(scenario, events_of(scenario)), folded(scenario, [])

    for field in fields(FoldedCall):
        if field.name not in MEASURED:
            assert getattr(with_events, field.name) == getattr(without, field.name), field.name
    assert [(leg.key, leg.to) for leg in with_events.paid] == [
        (leg.key, leg.to) for leg in without.paid
    ]


@pytest.mark.parametrize("scenarios", [MASTER, FULL], ids=["master.csv", "full.csv"])
def test_rows_and_events_together_fall_apart_into_exactly_the_calls_of_the_truth(
    scenarios: list[Scenario],
) -> None:
    told = [[*scenario.legs, *events_of(scenario)] for scenario in scenarios]

    groups = components(leg for legs in told for leg in legs)

    assert {frozenset(leg.key for leg in group) for group in groups} == {
        frozenset(leg.key for leg in legs) for legs in told
    }


def is_no_worse(call: FoldedCall, scenario: Scenario) -> bool:
    """Whether a call is exact, or an estimate just as its rows alone would make it."""
    rows, truth = folded(scenario, []), scenario.expected or {}
    if call.estimated and not (rows.estimated and _measures(call) == _measures(rows)):
        return False
    exact = [(call.talk / SECOND, truth["talk_s"]), (call.wait / SECOND, truth["wait_s"])]
    paid = [
        (leg.seconds, paid["seconds"])
        for leg, paid in zip(call.paid, truth["paid"], strict=True)
        if not leg.estimated
    ]
    checked = paid if call.estimated else [*paid, *exact]
    return all(true is None or abs(measured - true) <= 1 for measured, true in checked)


def _measures(call: FoldedCall) -> tuple[int, int]:
    return call.wait, call.talk


@pytest.mark.parametrize("scenario", [each for each in MASTER if each.expected], ids=named)
def test_without_any_one_event_a_call_is_exact_or_as_its_rows_tell_it(scenario: Scenario) -> None:
    events = events_of(scenario)

    for lost in range(len(events)):
        call = folded(scenario, [*events[:lost], *events[lost + 1 :]])
        assert is_no_worse(call, scenario), events[lost].facts


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_when_events_were_lost_for_a_while_a_call_is_exact_or_as_its_rows_tell_it(
    data: st.DataObject,
) -> None:
    scenario = data.draw(st.sampled_from(EXACT))
    events = events_of(scenario)
    begin = data.draw(st.integers(0, len(events)))
    end = data.draw(st.integers(begin, len(events)))

    call = folded(scenario, [*events[:begin], *events[end:]])

    assert is_no_worse(call, scenario)
