"""Which legs belong together while late ones may still come: what is kept, joined, recalled and forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Account
from calls.ingest import groups, inbox, pipeline
from calls.ingest.groups import LATE_WINDOW
from calls.ingest.records import ALWAYS, Leg, Link, micros
from calls.ingest.store import Reference
from calls.models import Call, CallGroup, LegLink, LegRecord, Pbx
from tests.builders import make_call
from tests.conftest import RECORDED
from tests.records import asterisk_scenarios, freeswitch_scenarios

pytestmark = pytest.mark.django_db
NOW = RECORDED
DAY = timedelta(days=1)
FREESWITCH = {scenario.name: scenario for scenario in freeswitch_scenarios()}
MASTER = {scenario.name: scenario for scenario in asterisk_scenarios("master.csv")}


def forget_before(pbx: Pbx, moment: datetime) -> int:
    untouched = groups.untouched_since(pbx, moment).values_list("pk", flat=True)
    return groups.forget(pbx, list(untouched)).groups


def leg(
    key: str, *names: str, at: datetime = NOW, seconds: int = 10, links: Sequence[Link] = ()
) -> Leg:
    """A leg that holds these names for ever, and others for a time."""
    started = micros(at)
    held = (*(Link(name) for name in names), *links)
    return Leg(key, started, started + seconds * 1_000_000, held, {"fact": key})


def add(pbx: Pbx, *legs: Leg, now: datetime = NOW) -> list[groups.Group]:
    found = groups.add(pbx, legs, now)
    groups.save([group.row for group in found])
    return found


def stored() -> set[frozenset[str]]:
    """The groups in the database, each as the keys of its legs."""
    members: dict[int, set[str]] = {row.pk: set() for row in CallGroup.objects.all()}
    for record in LegRecord.objects.all():
        members[record.group_id].add(record.key)
    return {frozenset(keys) for keys in members.values()}


def links() -> set[tuple[str, str, int, int]]:
    return set(LegLink.objects.values_list("key", "leg_key", "since", "until"))


def test_a_leg_is_kept_whole_with_every_name_that_it_holds(freeswitch: Pbx) -> None:
    first = leg("a", "call 1", links=[Link("channel x", 5, 9)])

    add(freeswitch, first)

    record = LegRecord.objects.get()
    assert (record.pbx, record.key, record.leg) == (freeswitch, "a", first)
    assert links() == {("call 1", "a", *ALWAYS), ("channel x", "a", 5, 9)}
    assert [str(each) for each in LegRecord.objects.all()] == ["a"]


@pytest.mark.parametrize("scenarios", [FREESWITCH, MASTER], ids=["freeswitch", "master.csv"])
def test_recorded_legs_come_back_out_of_the_database_as_they_were(
    freeswitch: Pbx, asterisk: Pbx, scenarios: dict[str, Any]
) -> None:
    pbx = freeswitch if scenarios is FREESWITCH else asterisk
    legs = [leg for scenario in scenarios.values() for leg in scenario.legs]

    add(pbx, *legs)

    assert {record.key: record.leg for record in LegRecord.objects.all()} == {
        leg.key: leg for leg in legs
    }
    assert stored() == {
        frozenset(leg.key for leg in scenario.legs) for scenario in scenarios.values()
    }


def test_legs_that_share_a_name_are_one_group_through_others_too(freeswitch: Pbx) -> None:
    add(freeswitch, leg("a", "1"), leg("b", "1", "2"), leg("c", "2"), leg("d", "3"))

    assert stored() == {frozenset("abc"), frozenset("d")}


def test_a_late_leg_joins_the_group_that_it_names_and_finds_its_earlier_legs(
    freeswitch: Pbx,
) -> None:
    first, late = leg("a", "1"), leg("b", "1")
    (before,) = add(freeswitch, first)

    (after,) = add(freeswitch, late, now=NOW + DAY)

    assert after.row == before.row
    assert (after.legs, after.changed) == ([first, late], True)
    assert stored() == {frozenset("ab")}


def test_a_leg_that_names_two_groups_makes_them_one_and_tells_where_both_were_stored(
    freeswitch: Pbx, acme: Account
) -> None:
    places = [Reference(acme.pk, NOW - DAY, 1), Reference(acme.pk, NOW, 2)]
    separate = add(freeswitch, leg("a", "1"), leg("b", "2"))
    for group, place in zip(separate, places, strict=True):
        group.refer_to(place)
    groups.save([group.row for group in separate])

    (joined,) = add(freeswitch, leg("c", "1", "2"))

    assert joined.references == places
    assert joined.row == separate[0].row
    assert stored() == {frozenset("abc")}
    assert CallGroup.objects.count() == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_names_join_only_while_both_hold_them(freeswitch: Pbx, at_once: bool) -> None:
    early = leg("a", links=[Link("channel 1", 10, 20)])
    late = leg("b", links=[Link("channel 1", 21, 30)])
    batches = [[early, late]] if at_once else [[early], [late]]
    touched = [group for batch in batches for group in add(freeswitch, *batch)]
    apart = stored()

    add(freeswitch, leg("c", links=[Link("channel 1", 20, 21)]))

    assert [each.legs for each in touched] == [[early], [late]]
    assert apart == {frozenset("a"), frozenset("b")}
    assert stored() == {frozenset("abc")}


def test_two_pbxes_never_share_a_group(freeswitch: Pbx, asterisk: Pbx) -> None:
    add(freeswitch, leg("a", "1"))
    add(asterisk, leg("a", "2"))
    late = leg("b", "1")

    (group,) = add(asterisk, late)

    assert group.legs == [late]
    assert CallGroup.objects.count() == LegRecord.objects.count() == LegLink.objects.count() == 3


def test_a_leg_that_comes_again_is_no_news(freeswitch: Pbx) -> None:
    add(freeswitch, leg("a", "1"), leg("b", "1"))

    (again,) = add(freeswitch, leg("a", "1"))

    assert (again.changed, [each.key for each in again.legs]) == (False, ["a", "b"])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_records_under_one_id_the_longer_one_counts_whichever_came_first(
    freeswitch: Pbx, order: tuple[int, int]
) -> None:
    versions = [leg("a", "1", seconds=5), leg("a", "1", seconds=9)]

    for number in order:
        (group,) = add(freeswitch, versions[number])

    assert group.legs == [versions[1]]
    assert LegRecord.objects.get().leg == versions[1]


def test_nothing_added_is_nothing_touched(freeswitch: Pbx) -> None:
    assert add(freeswitch) == []
    assert stored() == set()


def touch(pbx: Pbx, key: str, at: datetime, settles_at: datetime | None = None) -> None:
    (group,) = add(pbx, leg(key, f"name of {key}"))
    group.row.touched_at, group.row.settles_at = at, settles_at
    groups.save([group.row])


def test_what_nothing_touched_for_the_late_window_is_forgotten_with_all_it_knew(
    freeswitch: Pbx, asterisk: Pbx
) -> None:
    edge = NOW - LATE_WINDOW
    touch(freeswitch, "old", edge - timedelta(microseconds=1))
    touch(freeswitch, "kept", edge)
    touch(freeswitch, "waiting", edge - DAY, settles_at=NOW)
    touch(asterisk, "kept", edge)

    assert forget_before(freeswitch, edge) == 1
    assert forget_before(freeswitch, edge) == 0

    kept = [("kept", freeswitch.pk), ("waiting", freeswitch.pk), ("kept", asterisk.pk)]
    assert set(LegRecord.objects.values_list("key", "pbx_id")) == set(kept)
    assert set(LegLink.objects.values_list("leg_key", "pbx_id")) == set(kept)
    assert CallGroup.objects.count() == 3


def test_a_leg_of_the_same_name_on_another_pbx_is_not_forgotten_along(
    freeswitch: Pbx, asterisk: Pbx
) -> None:
    touch(freeswitch, "a", NOW - LATE_WINDOW - DAY)
    touch(asterisk, "a", NOW)

    forget_before(freeswitch, NOW - LATE_WINDOW)

    assert list(LegRecord.objects.values_list("pbx_id", "key")) == [(asterisk.pk, "a")]
    assert links() == {("name of a", "a", *ALWAYS)}


def test_a_very_late_leg_brings_back_the_call_that_it_belongs_to_and_no_other(
    freeswitch: Pbx, acme: Account
) -> None:
    began = NOW - LATE_WINDOW - DAY
    known = leg("a", "1", at=began)
    call = make_call(acme, at=began, pbx=freeswitch, legs=[known.to_json()])
    make_call(acme, at=began, pbx=freeswitch, legs=[leg("other", "2", at=began).to_json()])
    late = leg("b", "1", at=began + timedelta(seconds=5))

    (group,) = add(freeswitch, late)

    assert group.legs == [known, late]
    assert group.references == [Reference(acme.pk, call.started_at, call.id)]
    assert stored() == {frozenset("ab"), frozenset({"other"})}


def test_calls_that_are_remembered_still_are_not_recalled_twice(
    freeswitch: Pbx, acme: Account
) -> None:
    began = NOW - LATE_WINDOW - DAY
    known = leg("a", "1", at=began)
    make_call(acme, at=began, pbx=freeswitch, legs=[known.to_json()])

    for _ in range(2):
        (group,) = add(freeswitch, leg("b", "1", at=began))

    assert (len(group.references), CallGroup.objects.count()) == (1, 1)


def test_a_fresh_leg_asks_for_no_stored_calls(freeswitch: Pbx, acme: Account) -> None:
    make_call(acme, pbx=freeswitch, legs=[leg("a", "1").to_json()])

    add(freeswitch, leg("b", "2"))

    assert stored() == {frozenset("b")}


def test_a_record_of_a_clock_that_was_ahead_still_finds_its_forgotten_call(
    freeswitch: Pbx,
) -> None:
    # The pbx's clock was most of a day ahead, so the record ends after it came in.
    ring_group = FREESWITCH["ring_group_one_wins#26"]
    received = RECORDED - DAY
    later = received + LATE_WINDOW + timedelta(hours=2)
    inbox.receive(freeswitch, ring_group.bodies, now=received)
    pipeline.fold_batch(freeswitch, received)
    before = list(Call.objects.values())
    assert forget_before(freeswitch, later - LATE_WINDOW) == 1

    inbox.receive(freeswitch, [ring_group.bodies[-1] + b"\n"], now=later)
    pipeline.fold_batch(freeswitch, later)

    assert list(Call.objects.values()) == before
