"""The PostgreSQL feed: what Asterisk's own drivers write into the tables of the schema feed becomes calls."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Account
from calls import tasks
from calls.ingest import feed
from calls.metrics import exposition
from calls.models import Call, CallGroup, InboxRecord, LegLink, LegRecord, Pbx
from tests.calls.asterisk_drivers import Driver, connect, recorded_rows
from tests.conftest import RECORDED
from tests.records import HERE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("recorded_time")]
FIELDS = (
    "account",
    "started_at",
    "id",
    "kind",
    "outcome",
    "people",
    "peer",
    "own_number",
    "wait_s",
    "talk_s",
    "paid",
)


def waiting(table: str = "cdr") -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM feed.{table}")  # noqa: S608
        return int(cursor.fetchone()[0])


def calls() -> list[Any]:
    return list(Call.objects.order_by("account", "started_at", "id").values(*FIELDS))


def test_the_recorded_rows_become_the_same_calls_as_master_csv(
    asterisk: Pbx, acme: Account, driver: Driver
) -> None:
    call_command("import_cdr", str(HERE / "asterisk/master.csv"), pbx="asterisk", stdout=StringIO())
    by_master = calls()
    for table in (Call, CallGroup, LegRecord, LegLink, InboxRecord):
        table.objects.all().delete()
    for row in recorded_rows():
        driver.write_cdr(row)

    tasks.take_feed()

    assert calls() == by_master
    assert Call.objects.filter(account=acme).count() == 49
    assert (waiting(), InboxRecord.objects.count()) == (0, 96)


def test_a_row_is_stored_as_json_with_its_columns_in_order(asterisk: Pbx, driver: Driver) -> None:
    row = recorded_rows()[0]
    driver.write_cdr(row)

    assert feed.take(RECORDED) == 1

    body = bytes(InboxRecord.objects.get().body).decode()
    stored = json.loads(body)
    assert body == json.dumps(stored, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert stored["clid"] == '"Łukasz Żółć" <103>'
    assert {name for name, value in stored.items() if value} == {
        name for name, value in row.items() if value
    }


def test_a_row_that_the_driver_wrote_twice_is_one_record(driver: Driver) -> None:
    for _ in range(2):
        driver.write_cdr(recorded_rows()[0])

    assert (feed.take(RECORDED), InboxRecord.objects.count()) == (2, 1)


@pytest.mark.parametrize("encoding", ["LATIN1", "LATIN9"])
def test_a_name_cut_in_the_middle_of_a_letter_costs_no_record(
    asterisk: Pbx, driver: Driver, encoding: str
) -> None:
    cut = '"Żółć'.encode()[:-1]
    driver.execute(f"SET client_encoding = '{encoding}'".encode())

    driver.write_cdr({**recorded_rows()[0], "clid": cut})
    tasks.take_feed()

    assert [leg.leg.facts["name"] for leg in LegRecord.objects.all()] == ["Żół�"]


def test_the_same_name_sent_as_utf8_is_refused_by_the_database(driver: Driver) -> None:
    driver.execute(b"SET client_encoding = 'UTF8'")

    with pytest.raises(RuntimeError, match="invalid byte sequence"):
        driver.write_cdr({**recorded_rows()[0], "clid": "Żółć".encode()[:-1]})


def test_every_byte_comes_through(driver: Driver) -> None:
    every = bytes(range(1, 256)).replace(b"'", b"")
    driver.write_cdr({**recorded_rows()[0], "userfield": every})

    feed.take(RECORDED)

    stored = json.loads(bytes(InboxRecord.objects.get().body))
    assert stored["userfield"] == every.decode("utf-8", errors="replace")


def test_the_oldest_driver_with_its_fixed_columns_is_enough_to_tell_who_answered(
    asterisk: Pbx, driver: Driver
) -> None:
    """It writes calldate, and neither start nor answer nor end, linkedid or sequence."""
    for row in recorded_rows():
        for name in (
            "start",
            "answer",
            "end",
            "peeraccount",
            "linkedid",
            "sequence",
            "did",
            "tenant",
        ):
            row.pop(name)
        driver.write_cdr(row)

    tasks.take_feed()

    ring_group = Call.objects.get(account__slug="acme", peer="+48603000001")
    assert (ring_group.people, ring_group.extensions) == (["102"], ["101", "102", "103"])


def test_channel_events_are_taken_over_with_their_exact_times(driver: Driver) -> None:
    driver.write_cel(
        {
            "eventtype": b"CHAN_START",
            "eventtime": b"1795403264.407886",
            "cid_name": "Łukasz".encode(),
            "channame": b"PJSIP/acme-103-00000003",
            "uniqueid": b"1795403264.3",
            "linkedid": b"1795403264.3",
        }
    )

    assert (feed.take(RECORDED), waiting("cel")) == (1, 0)

    stored = json.loads(bytes(InboxRecord.objects.get().body))
    assert (stored["eventtype"], stored["eventtime"]) == ("CHAN_START", "1795403264.407886")
    assert stored["cid_name"] == "Łukasz"


def test_what_waits_in_the_feed_is_told_to_prometheus(asterisk: Pbx, driver: Driver) -> None:
    for row in recorded_rows()[:3]:
        driver.write_cdr(row)

    assert feed.waiting() == {Pbx.objects.get().feed_role: 3}
    assert 'callpanel_feed_rows_waiting{pbx="asterisk"} 3.0' in exposition(RECORDED).decode()

    feed.take(RECORDED)
    assert 'callpanel_feed_rows_waiting{pbx="asterisk"} 0.0' in exposition(RECORDED).decode()


def test_rows_of_a_pbx_that_was_switched_off_wait_until_it_is_on_again(
    asterisk: Pbx, driver: Driver
) -> None:
    driver.write_cdr(recorded_rows()[0])
    Pbx.objects.update(is_active=False)

    assert (feed.take(RECORDED), waiting()) == (0, 1)

    Pbx.objects.update(is_active=True)
    assert (feed.take(RECORDED), waiting()) == (1, 0)


def test_rows_that_another_feed_sends_already_stay_and_the_log_says_why(
    asterisk: Pbx, driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    driver.write_cdr(recorded_rows()[0])
    Pbx.objects.update(record_ids="content")

    assert (feed.take(RECORDED), waiting(), InboxRecord.objects.count()) == (0, 1, 0)
    assert "the same calls would be counted twice" in caplog.text


def test_a_transaction_that_fails_takes_nothing(
    asterisk: Pbx, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.write_cdr(recorded_rows()[0])
    monkeypatch.setattr("calls.ingest.inbox.receive", lambda *args, **options: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        feed.take(RECORDED)

    assert waiting() == 1


def test_two_workers_at_once_share_the_rows(
    asterisk: Pbx, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for row in recorded_rows():
        driver.write_cdr(row)
    with (
        connect(**app()) as other,
        other.transaction(),
    ):
        other.execute("SELECT feed_id FROM feed.cdr ORDER BY feed_id LIMIT 10 FOR UPDATE")

        assert feed.take(RECORDED) == 86
    assert feed.take(RECORDED) == 10
    assert InboxRecord.objects.count() == 96


def app() -> dict[str, str]:
    settings = connection.settings_dict
    return {"user": settings["USER"], "password": settings["PASSWORD"]}
