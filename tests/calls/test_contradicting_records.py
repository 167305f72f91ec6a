"""Records that contradict one another: whichever comes first, the calls are the same and none is lost."""

import json
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls.ingest import inbox, pipeline
from calls.ingest.records import Leg, Link
from calls.models import Call, CallGroup, InboxRecord, LegLink, LegRecord, Pbx
from tests.calls.test_groups import add, leg, links, stored
from tests.conftest import RECORDED
from tests.records import freeswitch_scenarios

pytestmark = pytest.mark.django_db
FREESWITCH = {scenario.name: scenario for scenario in freeswitch_scenarios()}

VERSIONS = [
    leg("a", "1", seconds=5),
    leg("a", "2", seconds=9),
    leg("a", "3", seconds=9, links=[Link("channel 1", 3, 4)]),
    leg("b", "1", links=[Link("channel 1", 8, 9)]),
    leg("c", links=[Link("channel 1", 5, 5)]),
    leg("c", links=[Link("channel 1", 6, 8)]),
    leg("d", "3"),
]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(len(VERSIONS))), repeated=st.lists(st.sampled_from(VERSIONS)))
def test_records_that_contradict_one_another_end_in_the_same_groups_in_any_order(
    freeswitch: Pbx, order: list[int], repeated: list[Leg]
) -> None:
    for table in (CallGroup, LegRecord, LegLink):
        table._default_manager.all().delete()

    for version in [*(VERSIONS[number] for number in order), *repeated]:
        add(freeswitch, version)

    assert stored() == {frozenset("abcd")}
    names = [Link("1"), Link("2"), Link("3"), Link("channel 1", 3, 4)]
    assert {record.key: record.leg for record in LegRecord.objects.all()} == {
        "a": leg("a", seconds=9, links=names),
        "b": VERSIONS[3],
        "c": leg("c", links=[Link("channel 1", 5, 8)]),
        "d": VERSIONS[6],
    }
    assert links() == {
        (link.key, record.key, link.since, link.until)
        for record in LegRecord.objects.all()
        for link in record.leg.links
    }


def without_partner(body: bytes, longer_by: int = 0) -> bytes:
    """The same channel's record, perhaps longer, as one that names no other channel."""
    record = json.loads(body)
    variables = record["variables"]
    for name in ("bridge_uuid", "originating_leg_uuid", "signal_bond"):
        variables.pop(name, None)
    variables["end_uepoch"] = str(int(variables["end_uepoch"]) + longer_by)
    return json.dumps(record).encode()


def test_a_second_record_of_a_channel_that_forgets_its_partner_loses_no_call(
    freeswitch: Pbx,
) -> None:
    caller, callee = FREESWITCH["in_answered#10"].bodies
    bodies = [without_partner(caller), callee, without_partner(callee, longer_by=1_000_000)]
    outcomes = []

    for order in permutations(bodies):
        for table in (Call, CallGroup, LegRecord, LegLink, InboxRecord):
            table._default_manager.all().delete()
        for body in order:
            inbox.receive(freeswitch, [body], now=RECORDED)
            pipeline.fold_batch(freeswitch, RECORDED)
        outcomes.append([(call.kind, call.peer) for call in Call.objects.all()])

    assert outcomes == [[("incoming", "+48601222333")]] * 6
