"""Where folding meets what is around it: a database that is not as expected, decisions, owners, forgotten groups."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection

from accounts.models import Account
from calls.ingest import assigning, groups, inbox, pipeline, quarantine, reading
from calls.ingest.formats import FORMATS
from calls.ingest.records import Leg, micros
from calls.ingest.selection import Selection
from calls.models import (
    Call,
    CallGroup,
    Decision,
    InboxRecord,
    LegLink,
    LegRecord,
    Number,
    Pbx,
    SourceState,
    TenantCode,
)
from tests.conftest import RECORDED
from tests.records import ASTERISK, Scenario, asterisk_scenarios

pytestmark = pytest.mark.django_db
MASTER = asterisk_scenarios("master.csv")
MINUTE = timedelta(minutes=1)


def deliver(pbx: Pbx, bodies: list[bytes], now: object = RECORDED) -> None:
    inbox.receive(pbx, bodies, now=now)  # type: ignore[arg-type]
    while pipeline.fold_batch(pbx, now):  # type: ignore[arg-type]
        pass


def states() -> list[str]:
    return list(InboxRecord.objects.order_by("id").values_list("state", flat=True))


def test_a_database_that_lacks_a_column_sets_no_record_aside(asterisk: Pbx) -> None:
    inbox.receive(asterisk, [body for each in MASTER for body in each.bodies], now=RECORDED)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE calls_leglink RENAME COLUMN until TO until_another_time")

    with pytest.raises(ProgrammingError):
        pipeline.fold_inbox()

    assert Counter(states()) == {"pending": 96}


def later_rows(scenario: Scenario) -> list[bytes]:
    """The rows of channels with which the call did not begin."""
    parse = FORMATS["asterisk-csv"].parse
    facts = [(parse(body, "", ASTERISK).facts, body) for body in scenario.bodies]
    return [body for row, body in facts if row["uniqueid"] != row["linkedid"]]


def test_what_was_dismissed_stays_so_while_its_call_is_nobodys(asterisk: Pbx) -> None:
    TenantCode.objects.all().delete()
    one, two = next(rows for each in MASTER if len(rows := later_rows(each)) >= 2)[:2]
    deliver(asterisk, [one])
    pipeline.settle(RECORDED + 10 * MINUTE)
    assert states() == ["unassigned"]
    quarantine.decide(Decision.Action.DISMISS, Selection(), by=None, note="x", now=RECORDED)

    deliver(asterisk, [two], RECORDED + 20 * MINUTE)
    provisional = states()
    pipeline.settle(RECORDED + 60 * MINUTE)

    assert (provisional[0], states()) == ("dismissed", ["dismissed", "unassigned"])


def test_a_call_that_began_before_a_number_was_held_is_not_tried_again_and_again(
    asterisk: Pbx, acme: Account
) -> None:
    TenantCode.objects.all().delete()
    late = next(
        each
        for each in MASTER
        if each.expected
        and each.expected["kind"] == "incoming"
        and len({leg.started for leg in each.legs}) > 1
    )
    deliver(asterisk, list(late.bodies))
    pipeline.settle(RECORDED + 10 * MINUTE)
    began, called = InboxRecord.objects.values_list("started_at", "called")[0]
    assert began and called
    Number.objects.create(number=called, account=acme, since=began + timedelta(microseconds=1))

    tried = [assigning.bring_in_assigned() for _ in range(3)]

    assert (tried, set(states())) == ([0, 0, 0], {"unassigned"})
    assert SourceState.objects.get().folded == len(late.bodies)


def test_old_legs_bring_back_the_groups_of_their_own_days_alone(asterisk: Pbx) -> None:
    for each in MASTER:
        deliver(asterisk, list(each.bodies))
    for table in (CallGroup, LegRecord, LegLink):
        table._default_manager.all().delete()
    first = Call.objects.order_by("started_at")[0].started_at
    before, after = (micros(first + timedelta(days=days)) for days in (-100, 15))

    old = [Leg("x", before, before, (), {"f": 1}), Leg("y", after, after, (), {"f": 1})]
    groups.add(asterisk, old, RECORDED + timedelta(days=60))

    assert CallGroup.objects.count() == 0


def test_a_batch_ends_where_it_gets_too_large(
    asterisk: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGEST_BATCH", 1000)
    inbox.receive(asterisk, [body for each in MASTER for body in each.bodies], now=RECORDED)

    sizes = list(pipeline.fold_all_of(asterisk))

    assert (sum(sizes), max(sizes) < 6) == (96, True)
