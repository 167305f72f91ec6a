"""Channel events, several files and second tries beside the rows of calls: health speaks of the calls."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls import health, silences, source_findings
from calls.habit import FEWEST_CALLS, Habit
from calls.ingest import inbox, pipeline, quarantine, source_counts
from calls.ingest.following import Follower
from calls.ingest.formats import asterisk_cel
from calls.ingest.selection import Selection
from calls.models import FollowedFile, InboxRecord, Pbx, Silence, SourceHour, SourceState
from tests.conftest import RECORDED
from tests.records import asterisk_events, asterisk_scenarios

pytestmark = pytest.mark.django_db
HEADER, EVENTS = asterisk_events()
ROWS = {scenario.name: scenario for scenario in asterisk_scenarios("master.csv")}
HAVE_EVENTS = [each for each in ROWS.values() if each.bodies and EVENTS[each.name]]
FIRST = HAVE_EVENTS[0]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WEEK = 24 * 7


def deliver(pbx: Pbx, layout: str, bodies: Sequence[bytes], at: datetime = RECORDED) -> None:
    inbox.receive(pbx, bodies, now=at, layout=layout)
    while pipeline.fold_batch(pbx, at):
        pass


def source(pbx: Pbx) -> health.Source:
    return health.sources(Pbx.objects.filter(pk=pbx.pk))[0]


def followed(pbx: Pbx, path: str, at: datetime, *, holds_rows: bool = True) -> None:
    FollowedFile.objects.create(
        pbx=pbx,
        path=path,
        inode=1,
        offset=0,
        before=b"",
        checked_at=at,
        holds_rows=holds_rows,
    )


def test_events_alone_do_not_make_lists_complete(asterisk: Pbx) -> None:
    deliver(asterisk, FIRST.layout, FIRST.bodies)
    before = source(asterisk)

    for scenario in HAVE_EVENTS[1:]:
        deliver(asterisk, HEADER, EVENTS[scenario.name], RECORDED + MINUTE)

    after = source(asterisk)
    assert (after.complete_until, after.last_received) == (before.complete_until, RECORDED)


def test_lists_are_complete_until_all_files_of_rows_were_read(asterisk: Pbx) -> None:
    followed(asterisk, "Master.csv", RECORDED - 5 * HOUR)
    followed(asterisk, "second.csv", RECORDED)
    followed(asterisk, "cel.csv", RECORDED - 9 * HOUR, holds_rows=False)
    assert source(asterisk).complete_until == RECORDED - 5 * HOUR

    followed(asterisk, "given up.csv", RECORDED - timedelta(days=90))
    assert source(asterisk).complete_until == RECORDED - 5 * HOUR


@pytest.mark.parametrize("header", [True, False])
def test_a_followed_file_is_known_to_hold_rows_or_events(
    asterisk: Pbx, tmp_path: Path, *, header: bool
) -> None:
    event = (
        b'"CHAN_START","1795403264.300001","PJSIP/a-00000001","1795403264.3","1795403264.3",""\n'
    )
    lines = b"".join(body + b"\n" for body in EVENTS[FIRST.name])
    (tmp_path / "cel.csv").write_bytes(HEADER.encode() + b"\n" + lines if header else event)
    (tmp_path / "Master.csv").write_bytes(b"".join(body + b"\n" for body in FIRST.bodies))

    for name in ("cel.csv", "Master.csv"):
        assert Follower(asterisk, tmp_path / name).step(RECORDED) > 0

    kinds = {Path(each.path).name: each.holds_rows for each in FollowedFile.objects.all()}
    assert kinds == {"cel.csv": False, "Master.csv": True}


def test_a_pbx_that_is_followed_no_longer_is_judged_by_what_it_sends(asterisk: Pbx) -> None:
    followed(asterisk, "Master.csv", RECORDED - timedelta(days=90))

    deliver(asterisk, FIRST.layout, FIRST.bodies)

    now = source(asterisk)
    assert (now.followed_at, now.complete_until) == (None, now.last_ended)


def test_a_follower_that_stopped_is_still_what_tells_until_when_lists_are_complete(
    asterisk: Pbx,
) -> None:
    followed(asterisk, "Master.csv", RECORDED - MINUTE)

    deliver(asterisk, FIRST.layout, FIRST.bodies)

    assert source(asterisk).complete_until == RECORDED - MINUTE


def test_an_old_record_that_is_tried_again_makes_nothing_less_complete(asterisk: Pbx) -> None:
    deliver(asterisk, "", [b"broken"], RECORDED - timedelta(days=100))
    deliver(asterisk, FIRST.layout, FIRST.bodies)
    before = source(asterisk)

    quarantine.decide(quarantine.RETRY, Selection(), by=None, now=RECORDED)

    assert InboxRecord.objects.filter(state="pending").count() == 1
    assert source(asterisk) == before
    assert before.oldest_waiting is None


LINES = [
    (HEADER, b'"CHAN_START","1.1"'),
    ("", b'"CHAN_START","1795403264.300001","PJSIP/\xc5\xbc-1","1795403264.3","1795403264.3",""'),
    ("", b'"HANGUP","x","2026-11-23 12:00:00.5","Jan \xc5\xbb\xc3\xb3\\","501234567"'),
    ("", b' {"a":"\xc5\xbc\\\\","EventType":"HANGUP"}'),
    ("", b'{"a":"b",\n"eventtype":"HANGUP"}'),
    ("", b'{"src":"501234567","dst":"an eventtype"}'),
    ("", b'"","501234567","221234501","from-trunk","""Jan"" <501234567>"'),
    ("accountcode,src", b'"","eventtype"'),
    ("", b""),
]


def test_the_database_tells_events_from_rows_as_the_reader_does(asterisk: Pbx) -> None:
    every = [*LINES, *((s.layout, body) for s in ROWS.values() for body in s.bodies)]
    for layout, body in every:
        inbox.receive(asterisk, [body], now=RECORDED, layout=layout)

    rows = source_counts.rows(InboxRecord.objects.all()).values_list("layout", "body")

    assert {(layout, bytes(body)) for layout, body in rows} == {
        (layout, body) for layout, body in every if not asterisk_cel.is_event(body, layout)
    }
    assert [asterisk_cel.is_event(body, layout) for layout, body in LINES] == [True] * 5 + [
        False
    ] * 4


def test_events_and_calls_are_counted_beside_the_records_of_their_hour(asterisk: Pbx) -> None:
    deliver(asterisk, FIRST.layout, FIRST.bodies)
    deliver(asterisk, HEADER, EVENTS[FIRST.name])

    for _ in range(2):
        source_counts.recount_receipts(RECORDED)

    rows, events = len(FIRST.bodies), len(set(EVENTS[FIRST.name]))
    assert SourceHour.objects.values_list("records", "events", "calls").get() == (
        rows + events,
        events,
        1,
    )
    habit = health.habit_of(asterisk, RECORDED)
    assert habit and list(habit.counts.values()) == [rows]


def quiet(pbx: Pbx, *, events_since: int) -> None:
    """Ten weeks of two calls of three rows an hour; in the latest hours with sixty events."""
    hour = source_counts.hour_of(RECORDED)
    SourceHour.objects.bulk_create(
        SourceHour(
            pbx=pbx,
            hour=hour - back * HOUR,
            records=66 if back < events_since else 6,
            events=60 if back < events_since else 0,
            calls=2,
        )
        for back in range(WEEK * 10)
    )
    SourceState.objects.create(pbx=pbx, folded=10**6, calls=10**4, last_received_at=RECORDED)


@pytest.mark.parametrize("weeks", [0, 1, 5, 10])
def test_events_make_no_silence_of_chance_and_hide_none(asterisk: Pbx, weeks: int) -> None:
    quiet(asterisk, events_since=weeks * WEEK)

    silences.check(RECORDED + 4 * HOUR)
    assert not Silence.objects.exists()

    # Rows stopped, events did not.
    inbox.receive(asterisk, EVENTS[FIRST.name], now=RECORDED + 5 * HOUR, layout=HEADER)
    silences.check(RECORDED + 5 * HOUR)
    assert Silence.objects.values_list("since", "expected").get() == (RECORDED, 30)

    silences.check(RECORDED + 6 * HOUR)
    assert Silence.objects.get().ended_at is None


def test_a_call_brings_as_many_records_as_in_the_hours_whose_calls_were_counted() -> None:
    hours = [RECORDED + back * HOUR for back in range(3)]
    counts = dict(zip(hours, (900, 200, 100), strict=True))
    calls = dict(zip(hours, (0, 50, 50), strict=True))

    assert Habit(counts, RECORDED, health.calendar(), calls).records_per_call == 3
    calls[hours[1]] = FEWEST_CALLS - 51
    assert Habit(counts, RECORDED, health.calendar(), calls).records_per_call is None


def test_nothing_is_read_of_other_pbxes_to_judge_one(asterisk: Pbx, freeswitch: Pbx) -> None:
    quiet(asterisk, events_since=0)

    with CaptureQueriesContext(connection) as queries:
        assert health.habit_of(freeswitch, RECORDED) is None
        assert health.habit_of(asterisk, RECORDED) is not None

    asked = [pbx.pk for pbx in (freeswitch, asterisk) for _ in range(2)]
    assert all(f"= {pk}" in each["sql"] for pk, each in zip(asked, queries, strict=True))


def test_nothing_is_said_of_events_that_is_meant_of_rows(asterisk: Pbx) -> None:
    for scenario in ROWS.values():
        deliver(asterisk, scenario.layout, scenario.bodies)
        deliver(asterisk, HEADER, EVENTS[scenario.name])

    source_findings.examine(asterisk, RECORDED)

    assert list(asterisk.findings.values_list("code", flat=True)) == []
