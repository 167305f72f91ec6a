"""The recorded calls, folded: what comes out is what the customer must see."""

import pytest

from calls.ingest.folding import fold
from calls.ingest.grouping import components
from calls.ingest.records import SECOND, FoldedCall
from tests.records import Scenario, all_scenarios, asterisk_scenarios, freeswitch_scenarios

SCENARIOS = all_scenarios()
CALLS = [scenario for scenario in SCENARIOS if scenario.expected]
UNKNOWN_CALLER = "any: the record does not say that the caller withheld the number"


def named(scenario: Scenario) -> str:
    return f"{scenario.feed} {scenario.name}"


def seen(call: FoldedCall) -> dict[str, object]:
    """The call in the words of the truth files."""
    incoming = call.kind == "incoming"
    people = (*call.people, None, None)
    return {
        "kind": call.kind.value,
        "missed": call.missed,
        "caller": (call.peer or None) if incoming else call.extension,
        "did": call.own_number if incoming else None,
        "callee": None if incoming else call.peer,
        "answered_by": people[0],
        "then": people[1],
        "paid legs": len(call.paid),
    }


@pytest.mark.parametrize("scenario", CALLS, ids=named)
def test_kind_people_and_numbers_are_those_of_the_truth(scenario: Scenario) -> None:
    call = fold(scenario.legs, scenario.switch)

    truth = dict(scenario.expected or {})
    if truth["caller"] == UNKNOWN_CALLER:
        truth["caller"] = call.peer
    expected = {name: truth[name] for name in seen(call) if name != "paid legs"}
    assert seen(call) == {**expected, "paid legs": len(truth["paid"])}
    assert truth["tenant"] in call.tenants
    assert call.complete


@pytest.mark.parametrize("scenario", CALLS, ids=named)
def test_seconds_are_those_of_the_truth_or_marked_as_an_estimate(scenario: Scenario) -> None:
    call = fold(scenario.legs, scenario.switch)

    truth = scenario.expected or {}
    assert call.estimated == (not truth["cdr_alone_is_exact"])
    if not call.estimated:
        assert call.wait / SECOND == pytest.approx(truth["wait_s"], abs=1)
        assert call.talk / SECOND == pytest.approx(truth["talk_s"], abs=1)


@pytest.mark.parametrize("scenario", CALLS, ids=named)
def test_paid_legs_go_where_they_went_and_last_as_long(scenario: Scenario) -> None:
    call = fold(scenario.legs, scenario.switch)

    truth = scenario.expected or {}
    tolerance = 0 if scenario.feed == "freeswitch" else 1
    for leg, paid in zip(call.paid, truth["paid"], strict=True):
        assert leg.to == paid.get("to", leg.to)
        if truth["cdr_alone_is_exact"]:
            assert leg.seconds == pytest.approx(paid["seconds"], abs=tolerance)


@pytest.mark.parametrize(
    "scenarios",
    [freeswitch_scenarios(), asterisk_scenarios("master.csv"), asterisk_scenarios("full.csv")],
    ids=["freeswitch", "master.csv", "full.csv"],
)
def test_all_records_together_fall_apart_into_exactly_the_calls_of_the_truth(
    scenarios: list[Scenario],
) -> None:
    legs = [leg for scenario in scenarios for leg in scenario.legs]

    groups = components(legs)

    expected = {frozenset(leg.key for leg in scenario.legs) for scenario in scenarios}
    assert {frozenset(leg.key for leg in group) for group in groups} == expected


@pytest.mark.parametrize(
    ("whole", "fractions"),
    list(zip(asterisk_scenarios("master.csv"), asterisk_scenarios("full.csv"), strict=True)),
    ids=lambda scenario: scenario.name,
)
def test_a_file_with_fractions_and_one_without_tell_of_the_same_call(
    whole: Scenario, fractions: Scenario
) -> None:
    calls = [fold(scenario.legs, scenario.switch) for scenario in (whole, fractions)]

    assert calls[0].key == calls[1].key
    assert calls[0].started == calls[1].started
    assert seen(calls[0]) == seen(calls[1])
