"""The page for Prometheus: who gets it, what it says, and that it stays cheap."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Account, Membership
from calls.ingest import inbox, pipeline, quarantine, source_counts
from calls.ingest.selection import Selection
from calls.metrics import exposition
from calls.models import Pbx, Silence, SourceHour, SourceState, UnpricedCall
from tests.conftest import RECORDED
from tests.records import freeswitch_scenarios

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
SCENARIOS = {scenario.name.partition("#")[0]: scenario for scenario in freeswitch_scenarios()}
TOKEN = "a-token-of-the-operator"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def token(settings: Settings) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


def values() -> dict[tuple[str, ...], float]:
    """What Prometheus itself reads: a name and the values of its labels → figure."""
    families = text_string_to_metric_families(exposition(RECORDED).decode())
    return {
        (sample.name.removeprefix("callpanel_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_without_a_token_set_there_is_no_such_page(client: Client, owner: Membership) -> None:
    client.force_login(owner.user)

    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ź"]
)
def test_who_does_not_show_the_token_is_asked_for_it(
    client: Client, token: str, shown: str
) -> None:
    response = client.get("/metrics", headers={"Authorization": shown})

    assert (response.status_code, response["WWW-Authenticate"], response.content) == (
        401,
        "Bearer",
        b"",
    )


def test_who_shows_the_token_gets_the_metrics_as_prometheus_reads_them(
    client: Client, token: str, freeswitch: Pbx
) -> None:
    response = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.content == exposition(RECORDED)
    assert b"# TYPE callpanel_records_received_total counter\n" in response.content


def test_every_figure_is_that_of_what_happened(freeswitch: Pbx, acme: Account) -> None:
    Pbx.objects.create(name="new", source="asterisk-csv")
    old = SCENARIOS["out_answered"].bodies
    bodies = [*SCENARIOS["in_answered"].bodies, *SCENARIOS["in_unknown_did"].bodies, b"{no", b"[1]"]
    inbox.receive(freeswitch, bodies, now=RECORDED - 9 * MINUTE)
    pipeline.fold_batch(freeswitch, RECORDED)
    inbox.receive(freeswitch, old, now=RECORDED - 9 * MINUTE)
    pipeline.fold_batch(freeswitch, RECORDED + timedelta(days=400))
    quarantine.decide("dismiss", Selection(reason="not_json"), by=None, now=RECORDED)
    inbox.receive(freeswitch, [b"later", b"latest"], now=RECORDED - 5 * MINUTE)
    source_counts.recount_receipts(RECORDED)
    for number in range(3):
        UnpricedCall.objects.create(
            account=acme, started_at=RECORDED, call_id=number, no_rate=number == 0
        )
    Silence.objects.create(pbx=freeswitch, since=RECORDED, expected=1)

    understood = len(bodies) - 2
    assert values() == {
        ("records_received_total", "freeswitch"): len(bodies) + len(old) + 2,
        ("records_received_total", "new"): 0,
        ("records_folded_total", "freeswitch"): understood,
        ("records_folded_total", "new"): 0,
        ("records_quarantined_total", "freeswitch"): 2,
        ("records_quarantined_total", "new"): 0,
        ("records_expired_total", "freeswitch"): len(old),
        ("records_expired_total", "new"): 0,
        ("calls_stored_total", "freeswitch"): 1,
        ("calls_stored_total", "new"): 0,
        ("inbox_pending", "freeswitch"): 2,
        ("inbox_pending", "new"): 0,
        ("records_set_aside", "freeswitch", "quarantined"): 1,
        ("records_set_aside", "freeswitch", "unassigned"): len(SCENARIOS["in_unknown_did"].bodies),
        ("records_set_aside", "freeswitch", "dismissed"): 1,
        ("records_set_aside", "new", "quarantined"): 0,
        ("records_set_aside", "new", "unassigned"): 0,
        ("records_set_aside", "new", "dismissed"): 0,
        ("inbox_oldest_pending_seconds", "freeswitch"): 300,
        ("inbox_oldest_pending_seconds", "new"): 0,
        ("last_record_timestamp_seconds", "freeswitch"): (RECORDED - 9 * MINUTE).timestamp(),
        ("source_silent", "freeswitch"): 1,
        ("source_silent", "new"): 0,
        ("calls_unpriced", "waiting"): 2,
        ("calls_unpriced", "no_rate"): 1,
    }


def test_what_was_received_never_falls_when_old_hours_are_forgotten(freeswitch: Pbx) -> None:
    SourceState.objects.create(pbx=freeswitch)
    hour = RECORDED.replace(minute=0)
    for days in (0, 100):
        SourceHour.objects.create(pbx=freeswitch, hour=hour - timedelta(days=days), records=10)
    before = values()

    source_counts.recount_receipts(RECORDED)

    assert SourceHour.objects.count() == 1
    assert values() == before
    assert before[("records_received_total", "freeswitch")] == 20


@pytest.mark.parametrize("count", [1, 30])
def test_a_scrape_asks_the_database_as_often_for_one_pbx_as_for_thirty(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        pbx = Pbx.objects.create(name=f"pbx{number}", source="freeswitch-json")
        inbox.receive(pbx, [b"1"], now=RECORDED)

    # PBXes, states, hours, pending, set aside, unpriced.
    with django_assert_num_queries(6):
        exposition(RECORDED)


def test_a_scrape_reads_of_the_inbox_only_what_waits_or_was_set_aside(freeswitch: Pbx) -> None:
    with CaptureQueriesContext(connection) as queries:
        exposition(RECORDED)

    of_the_inbox = [query["sql"] for query in queries if '"calls_inboxrecord"' in query["sql"]]
    assert len(of_the_inbox) == 3
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in of_the_inbox:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "inbox_pending" in plan or "inbox_set_aside" in plan
