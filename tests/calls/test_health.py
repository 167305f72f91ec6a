"""How a source is doing: what is counted, until when its calls are complete, and what a customer is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Membership
from calls import health, source_findings
from calls.ingest import inbox, pipeline, source_counts
from calls.ingest.following import Follower
from calls.models import (
    InboxRecord,
    Number,
    Pbx,
    Silence,
    SourceFinding,
    SourceHour,
    SourceState,
    TenantCode,
)
from tests.calls.asterisk_rows import Rows
from tests.conftest import LONG_AGO, RECORDED
from tests.records import HERE, freeswitch_scenarios

pytestmark = pytest.mark.django_db
SCENARIOS = {scenario.name.partition("#")[0]: scenario for scenario in freeswitch_scenarios()}
ANSWERED = SCENARIOS["in_answered"]
UNKNOWN = SCENARIOS["in_unknown_did"]
MINUTE = timedelta(minutes=1)


def deliver(pbx: Pbx, *bodies: bytes, at: datetime = RECORDED) -> None:
    inbox.receive(pbx, bodies, now=at)
    while pipeline.fold_batch(pbx, at):
        pass


def source(pbx: Pbx) -> health.Source:
    return health.sources(Pbx.objects.filter(pk=pbx.pk))[0]


def ended(*bodies: bytes) -> datetime:
    """When the latest of these FreeSWITCH legs ended."""
    legs = [leg for scenario in SCENARIOS.values() for leg in scenario.legs]
    keys = [leg.ended for leg in legs if any(leg.key.encode() in body for body in bodies)]
    return datetime.fromtimestamp(max(keys) / 1_000_000, UTC)


def test_folding_counts_what_became_of_each_record(freeswitch: Pbx) -> None:
    old = SCENARIOS["out_answered"].bodies
    deliver(freeswitch, *ANSWERED.bodies, *UNKNOWN.bodies, b"{no")
    deliver(freeswitch, *old, at=RECORDED + timedelta(days=400))

    state = SourceState.objects.get()
    understood = len(ANSWERED.bodies) + len(UNKNOWN.bodies)
    assert (state.folded, state.quarantined, state.expired, state.calls) == (
        understood,
        1,
        len(old),
        1,
    )
    assert state.last_received_at == RECORDED + timedelta(days=400)


def test_a_record_that_comes_again_is_no_new_record_and_no_new_call(freeswitch: Pbx) -> None:
    deliver(freeswitch, *ANSWERED.bodies)
    deliver(freeswitch, *ANSWERED.bodies, at=RECORDED + MINUTE)
    InboxRecord.objects.all().delete()
    deliver(freeswitch, *ANSWERED.bodies, at=RECORDED + 2 * MINUTE)

    assert SourceState.objects.get().calls == 1


def test_receipts_are_counted_by_the_hour_and_counting_again_changes_nothing(
    freeswitch: Pbx, asterisk: Pbx
) -> None:
    hour = RECORDED.replace(minute=0)
    inbox.receive(freeswitch, [b"1", b"2"], now=hour)
    inbox.receive(freeswitch, [b"3"], now=hour + 59 * MINUTE)
    inbox.receive(freeswitch, [b"4"], now=hour + 60 * MINUTE)
    inbox.receive(asterisk, [b"5"], now=hour)

    for _ in range(2):
        source_counts.recount_receipts(hour + 61 * MINUTE)
        counted = SourceHour.objects.values_list("pbx__name", "hour", "records")
        assert sorted(counted) == [
            ("asterisk", hour, 1),
            ("freeswitch", hour, 3),
            ("freeswitch", hour + 60 * MINUTE, 1),
        ]


def test_a_late_commit_is_still_counted_and_what_was_purged_stays_counted(freeswitch: Pbx) -> None:
    hour = RECORDED.replace(minute=0)
    inbox.receive(freeswitch, [b"1"], now=hour - timedelta(hours=50))
    inbox.receive(freeswitch, [b"2"], now=hour)
    source_counts.recount_receipts(hour)
    InboxRecord.objects.filter(received_at__lt=hour).delete()
    inbox.receive(freeswitch, [b"3"], now=hour - timedelta(hours=2))

    source_counts.recount_receipts(hour + MINUTE)

    assert sorted(SourceHour.objects.values_list("hour", "records")) == [
        (hour - timedelta(hours=50), 1),
        (hour - timedelta(hours=2), 1),
        (hour, 1),
    ]


def test_hours_are_forgotten_after_90_days_but_not_their_sum(freeswitch: Pbx) -> None:
    deliver(freeswitch, *ANSWERED.bodies)
    hour = RECORDED.replace(minute=0)
    for days in (0, 89, 91, 92):
        SourceHour.objects.update_or_create(
            pbx=freeswitch, hour=hour - timedelta(days=days), defaults={"records": 10}
        )

    for _ in range(2):
        source_counts.recount_receipts(RECORDED)

    kept = [hour for hour, _ in SourceHour.objects.order_by("hour").values_list("hour", "records")]
    assert kept == [hour - timedelta(days=89), hour]
    assert SourceState.objects.get().forgotten_records == 20


def test_a_pbx_that_sends_is_complete_until_the_end_of_its_latest_call(freeswitch: Pbx) -> None:
    assert source(freeswitch).complete_until is None

    deliver(freeswitch, *ANSWERED.bodies)

    assert source(freeswitch).complete_until == ended(*ANSWERED.bodies)


def test_what_still_waits_holds_back_what_is_complete(freeswitch: Pbx) -> None:
    deliver(freeswitch, *ANSWERED.bodies, at=ended(*ANSWERED.bodies) + MINUTE)
    early = ended(*ANSWERED.bodies) - MINUTE
    inbox.receive(freeswitch, SCENARIOS["out_answered"].bodies, now=early)

    waiting = source(freeswitch)
    assert (waiting.oldest_waiting, waiting.complete_until) == (early, early)

    pipeline.fold_batch(freeswitch, RECORDED)
    assert source(freeswitch).complete_until == ended(*ANSWERED.bodies)


def test_an_old_file_imported_now_does_not_make_the_calls_complete_until_now(
    freeswitch: Pbx,
) -> None:
    deliver(freeswitch, *ANSWERED.bodies, at=RECORDED + timedelta(days=20))

    assert source(freeswitch).complete_until == ended(*ANSWERED.bodies)


def test_a_clock_ahead_makes_nothing_complete_before_it_came(freeswitch: Pbx) -> None:
    at = ended(*ANSWERED.bodies) - timedelta(hours=1)

    deliver(freeswitch, *ANSWERED.bodies, at=at)

    assert source(freeswitch).complete_until == at


def test_a_followed_file_is_complete_until_it_was_last_read_to_its_end(
    asterisk: Pbx, tmp_path: Path
) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes((HERE / "asterisk/master.csv").read_bytes())
    follower = Follower(asterisk, path)
    follower.step(RECORDED)
    while pipeline.fold_batch(asterisk, RECORDED):
        pass

    seen = []
    for seconds in (0, 5, 11, 3600):
        follower.step(RECORDED + timedelta(seconds=seconds))
        seen.append(source(asterisk).complete_until)

    # Not written more often than every ten seconds.
    assert [(each - RECORDED).total_seconds() for each in seen if each] == [0, 0, 11, 3600]


def test_a_repeated_post_is_counted(client: Client, freeswitch: Pbx) -> None:
    secret = freeswitch.renew_secret()
    freeswitch.save()
    with time_machine.travel(RECORDED, tick=False):
        for body in (ANSWERED.bodies[0], ANSWERED.bodies[0], ANSWERED.bodies[1]):
            client.post(f"/in/freeswitch/{secret}/", body, content_type="application/json")

    assert list(SourceHour.objects.values_list("records", "repeated")) == [(0, 1)]
    source_counts.recount_receipts(RECORDED)
    assert list(SourceHour.objects.values_list("records", "repeated")) == [(2, 1)]


SERVING: dict[str, tuple[dict[str, Any], bool]] = {
    "given to the account": ({"only": "acme"}, True),
    "given to another": ({"only": "beta", "codes": ["acme"], "number": True}, False),
    "names it": ({"codes": ["acme", "beta"]}, True),
    "names others": ({"codes": ["beta"], "number": True}, False),
    "names nobody, and it holds a number": ({"number": True}, True),
    "names nobody, and it holds no number": ({}, False),
    "switched off": ({"only": "acme", "is_active": False}, False),
}


@pytest.mark.parametrize(("how", "serves"), SERVING.values(), ids=SERVING)
def test_whose_lists_depend_on_a_pbx(
    acme: Account, beta: Account, how: dict[str, Any], serves: bool
) -> None:
    accounts = {"acme": acme, "beta": beta}
    pbx = Pbx.objects.create(
        name="shared",
        source="freeswitch-json",
        account=accounts.get(how.get("only", "")),
        is_active=how.get("is_active", True),
    )
    for code in how.get("codes", ()):
        TenantCode.objects.create(pbx=pbx, code=code, account=accounts[code])
    if how.get("number"):
        Number.objects.create(number="+48221234567", account=acme, since=LONG_AGO)

    assert list(health.serving(acme)) == [pbx] * serves


def shown(client: Client, membership: Membership) -> str:
    client.force_login(membership.user)
    with time_machine.travel(RECORDED, tick=False):
        page = client.get("/accounts/acme/calls/").content.decode()
    return " ".join(page.split())


def test_a_customer_reads_until_when_the_list_is_complete_in_their_own_zone(
    client: Client, owner: Membership, freeswitch: Pbx
) -> None:
    assert "Dane kompletne" not in shown(client, owner)

    deliver(freeswitch, *ANSWERED.bodies)
    local = ended(*ANSWERED.bodies).astimezone(owner.account.tz)
    assert f"Dane kompletne do {local:%H:%M}<" in shown(client, owner)

    SourceState.objects.update(last_ended_at=datetime(2026, 11, 21, 23, 30, tzinfo=UTC))
    assert "Dane kompletne do 22.11. 00:30<" in shown(client, owner)


def test_a_customer_of_two_pbxes_reads_of_the_one_that_knows_less(
    client: Client, owner: Membership, agent: Membership, freeswitch: Pbx, asterisk: Pbx
) -> None:
    for pbx, hours in ((freeswitch, 1), (asterisk, 3)):
        moment = RECORDED - timedelta(hours=hours)
        SourceState.objects.create(pbx=pbx, last_received_at=moment, last_ended_at=moment)

    for membership in (owner, agent):
        assert "Dane kompletne do 10:00<" in shown(client, membership)
    SourceState.objects.filter(pbx=asterisk).update(last_received_at=LONG_AGO)
    assert "Dane kompletne do 12:00<" in shown(client, owner)


def test_a_customer_is_told_calmly_that_their_pbx_is_silent_and_a_stranger_is_not(
    client: Client, owner: Membership, stranger: Membership, freeswitch: Pbx
) -> None:
    deliver(freeswitch, *ANSWERED.bodies)
    since = RECORDED - timedelta(hours=2)
    silence = Silence.objects.create(pbx=freeswitch, since=since, expected=40)

    notice = "Od 11:00 centrala niczego nie przysłała"
    assert notice in shown(client, owner)
    client.force_login(stranger.user)
    assert notice not in client.get("/accounts/beta/calls/").content.decode()
    Silence.objects.filter(pk=silence.pk).update(ended_at=RECORDED)
    assert notice not in shown(client, owner)


def test_freshness_takes_one_query_however_many_pbxes_there_are(
    acme: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        Pbx.objects.create(name=f"pbx{number}", source="freeswitch-json", account=acme)
        with django_assert_num_queries(1):
            health.freshness(acme, RECORDED)


def hidden_far_ends(asterisk: Pbx, count: int) -> None:
    """Answered calls whose rows do not say who answered."""
    lines = []
    for number in range(count):
        call = Rows().row("carrier-1", "", "Dial PJSIP/acme-101,20", (number, number, number + 9))
        lines += call.lines()
    deliver(asterisk, *lines)


def test_what_a_pbx_keeps_from_us_is_kept_since_when_until_it_is_mended(asterisk: Pbx) -> None:
    def found(now: datetime) -> list[tuple[str, int, datetime]]:
        source_findings.examine_all(now)
        return list(SourceFinding.objects.values_list("code", "count", "since"))

    hidden_far_ends(asterisk, 19)
    assert found(RECORDED) == []
    hidden_far_ends(asterisk, 25)
    assert found(RECORDED + MINUTE) == [("no_dstchannel", 25, RECORDED + MINUTE)]
    hidden_far_ends(asterisk, 30)
    assert found(RECORDED + 2 * MINUTE) == [("no_dstchannel", 30, RECORDED + MINUTE)]
    assert found(RECORDED + timedelta(days=8)) == []


def test_calls_that_are_nobodys_are_looked_at_too(asterisk: Pbx) -> None:
    TenantCode.objects.all().delete()
    hidden_far_ends(asterisk, 25)

    source_findings.examine(asterisk, RECORDED)

    assert SourceFinding.objects.get().code == "no_dstchannel"


def test_a_pbx_is_judged_by_its_own_records_alone(asterisk: Pbx, freeswitch: Pbx) -> None:
    other = Pbx.objects.create(name="other", source="asterisk-csv", trunks="carrier*")
    hidden_far_ends(asterisk, 25)

    source_findings.examine_all(RECORDED)

    assert [str(finding.pbx) for finding in SourceFinding.objects.all()] == ["asterisk"]
    assert not other.findings.exists()
