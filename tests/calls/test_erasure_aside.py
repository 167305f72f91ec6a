"""An erased number stands in nothing that was set aside either: dismissed records, decisions, events, the feed."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from accounts.models import Account, User
from calls.erasure import erasing
from calls.ingest import feed, inbox, pipeline, quarantine
from calls.ingest.selection import Selection
from calls.models import CallGroup, Decision, InboxRecord, LegRecord, Pbx
from calls.retention import proof, purge
from tests.calls.test_erasure import everything
from tests.conftest import RECORDED
from tests.records import freeswitch_scenarios

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
NOW = RECORDED + DAY
STAFF = "olga@operator.example"
LINKED = "1795403337.12"


def erase(account: Account, number: str) -> dict[str, int]:
    expected = erasing.preview(account, number)
    asked = erasing.request(account, number, by=STAFF, now=NOW)
    erasing.work_off(NOW)
    asked.refresh_from_db()
    assert asked.counts == expected
    return dict(expected)


def test_a_dismissed_record_its_number_and_the_decision_lose_it(
    acme: Account, freeswitch: Pbx
) -> None:
    unknown = next(each for each in freeswitch_scenarios() if each.name == "in_unknown_did#14")
    inbox.receive(freeswitch, unknown.bodies, now=RECORDED)
    pipeline.fold_batch(freeswitch, RECORDED)
    pipeline.settle(NOW)
    called = InboxRecord.objects.exclude(called="").values_list("called", flat=True)[0]
    staff = User.objects.create_user(STAFF, "pass", is_staff=True)
    quarantine.decide(
        "dismiss",
        Selection(state="unassigned", called=called),
        by=staff,
        note=f"to {called}, a wrong number",
        now=NOW,
    )
    assert InboxRecord.objects.filter(state="dismissed").exists()

    counts = erase(acme, called)

    assert set(counts) == {"calls.InboxRecord", "calls.Decision"}
    assert called.removeprefix("+48") not in everything()
    assert not InboxRecord.objects.exclude(called="", tenants=[], message="").exists()
    assert Decision.objects.get().note.startswith("to +48221xxx")


def event(kind: str, channel: str) -> bytes:
    return f'"{kind}","1795403337.000000","{channel}","{LINKED}","{LINKED}","{{}}"'.encode()


def test_events_of_a_call_of_which_nothing_else_came_lose_it(acme: Account, asterisk: Pbx) -> None:
    asterisk.account = acme
    asterisk.save()
    for kind in ("CHAN_START", "APP_START"):
        inbox.receive(asterisk, [event(kind, "SIP/48601222333-00000001")], now=RECORDED)
    pipeline.fold_batch(asterisk, RECORDED)
    # An event of no use leaves no raw copy in the first place.
    assert sorted(bool(body) for body in InboxRecord.objects.values_list("body", flat=True)) == [
        False,
        True,
    ]
    assert CallGroup.objects.filter(account_id=None).exists()

    assert erase(acme, "+48601222333") == {"calls.InboxRecord": 1}

    assert "601222333" not in everything()
    assert not LegRecord.objects.exists()


def put_into_feed(role: str, src: str, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO feed.cdr (src, dst) VALUES (%s, '101')", [src])
        cursor.execute("ALTER TABLE feed.cdr DISABLE TRIGGER stamp")
        cursor.execute(
            "UPDATE feed.cdr SET feed_role = %s, feed_at = %s WHERE src = %s", [role, at, src]
        )
        cursor.execute("ALTER TABLE feed.cdr ENABLE TRIGGER stamp")


@pytest.mark.usefixtures("emptied_feed", "recorded_time")
def test_rows_that_the_feed_cannot_get_rid_of_lose_it(
    acme: Account, beta: Account, asterisk: Pbx, freeswitch: Pbx
) -> None:
    Pbx.objects.filter(pk=freeswitch.pk).update(account=beta, feed_role="of_beta")
    put_into_feed("nobodys", "48601222333", RECORDED - DAY)
    put_into_feed("of_beta", "+48601222333", RECORDED - DAY)
    put_into_feed("nobodys", "601222333", NOW)  # On its way.
    put_into_feed("nobodys", "48601222334", RECORDED - DAY)

    assert erase(acme, "+48601222333") == {"feed.cdr": 1}

    with connection.cursor() as cursor:
        cursor.execute("SELECT src FROM feed.cdr ORDER BY feed_id")
        assert [src for (src,) in cursor.fetchall()] == ["+48601222333", "601222333", "48601222334"]


@pytest.mark.usefixtures("emptied_feed")
def test_rows_that_the_feed_cannot_get_rid_of_go_after_a_year() -> None:
    put_into_feed("nobodys", "48601222333", RECORDED - 367 * DAY)
    put_into_feed("nobodys", "48601222334", RECORDED - 364 * DAY)
    assert proof.left_of_nobody(RECORDED) == {"feed.cdr": 1}

    purge.run(RECORDED, database=RECORDED)

    assert proof.left_of_nobody(RECORDED) == {}
    assert feed.waiting() == {"nobodys": 1}
