"""The address to which FreeSWITCH posts: who may, what is refused, and what is kept."""

import base64
import threading
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kombu.exceptions import OperationalError

from calls import tasks
from calls.ingest import nudging, pipeline
from calls.models import Call, InboxRecord, Pbx
from tests.records import freeswitch_scenarios

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
RECORD = freeswitch_scenarios()[0].bodies[0]


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was handed to the broker: nothing here depends on one."""
    sent: list[Any] = []
    monkeypatch.setattr(tasks.fold_inbox, "apply_async", lambda **options: sent.append(options))
    return sent


@pytest.fixture
def secret(freeswitch: Pbx) -> str:
    secret = freeswitch.renew_secret()
    freeswitch.save()
    return secret


def post(client: Client, path: str, body: bytes, **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def nudged() -> None:
    """Wait until what was to be told to the workers was told."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join()


def test_a_record_is_stored_byte_by_byte_and_then_acknowledged(
    client: Client, secret: str, nudges: list[Any]
) -> None:
    response = post(client, f"/in/freeswitch/{secret}/?uuid=polluted", RECORD)

    assert response.status_code == 200
    assert [bytes(record.body) for record in InboxRecord.objects.all()] == [RECORD]
    nudged()
    assert nudges == [{"retry": False}]


def test_of_many_records_at_once_the_workers_hear_once_and_of_a_later_one_again(
    client: Client, secret: str, nudges: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nudging, "GATHER", 0.5)
    for number in range(3):
        post(client, f"/in/freeswitch/{secret}/", RECORD + b" " * number)
    nudged()
    post(client, f"/in/freeswitch/{secret}/", RECORD + b"    ")
    nudged()

    assert nudges == [{"retry": False}] * 2


def test_basic_auth_with_the_name_of_the_pbx_is_as_good_as_the_address(
    client: Client, secret: str
) -> None:
    response = post(client, "/in/freeswitch/", RECORD, Authorization=basic("freeswitch", secret))

    assert response.status_code == 200
    assert InboxRecord.objects.count() == 1


def test_a_repeated_record_is_acknowledged_and_kept_once(client: Client, secret: str) -> None:
    answers = [post(client, f"/in/freeswitch/{secret}/", RECORD).status_code for _ in range(3)]

    assert answers == [200] * 3
    assert InboxRecord.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "authorization"),
    [
        ("/in/freeswitch/wrong/", ""),
        ("/in/freeswitch/", ""),
        ("/in/freeswitch/", basic("freeswitch", "wrong")),
        ("/in/freeswitch/", "Basic no-base64-at-all!"),
        ("/in/freeswitch/", "Basic zażółć"),
        ("/in/freeswitch/", "Bearer token"),
        ("/in/nobody/{secret}/", ""),
    ],
)
def test_who_does_not_know_the_secret_is_refused_alike(
    client: Client, secret: str, path: str, authorization: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}

    response = post(client, path.format(secret=secret), RECORD, **headers)

    assert (response.status_code, response.content) == (
        401,
        b"Unknown PBX or wrong secret. Take both from the PBX entry.\n",
    )
    assert not InboxRecord.objects.exists()


def test_the_secret_of_another_user_name_does_not_count(client: Client, secret: str) -> None:
    response = post(client, "/in/freeswitch/", RECORD, Authorization=basic("other", secret))

    assert response.status_code == 401


def test_a_pbx_that_was_switched_off_or_has_no_secret_yet_is_refused(
    client: Client, freeswitch: Pbx, secret: str
) -> None:
    Pbx.objects.update(is_active=False)
    switched_off = post(client, f"/in/freeswitch/{secret}/", RECORD).status_code
    Pbx.objects.update(is_active=True, secret_digest="")

    assert [switched_off, post(client, "/in/freeswitch/", RECORD).status_code] == [401, 401]


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"  \n", 400), (b"{" + b" " * (1024 * 1024), 413)]
)
def test_what_is_no_record_at_all_is_refused_with_what_to_do(
    client: Client, secret: str, body: bytes, status: int
) -> None:
    response = post(client, f"/in/freeswitch/{secret}/", body)

    assert response.status_code == status
    assert response.content.strip()
    assert not InboxRecord.objects.exists()


def test_ten_megabytes_are_refused_without_being_read(client: Client, secret: str) -> None:
    response = client.generic("POST", f"/in/freeswitch/{secret}/", b"x" * (10 * 1024 * 1024))

    assert response.status_code == 413


def test_only_post_is_an_answer(client: Client, secret: str) -> None:
    assert client.get(f"/in/freeswitch/{secret}/").status_code == 405


def test_a_csv_pbx_takes_no_json(client: Client, asterisk: Pbx) -> None:
    secret = asterisk.renew_secret()
    asterisk.save()

    response = post(client, f"/in/asterisk/{secret}/", RECORD)

    assert response.status_code == 409
    assert "asterisk is set up for asterisk-csv" in response.content.decode()


def test_a_record_is_taken_while_the_broker_is_away(
    client: Client, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**options: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.fold_inbox, "apply_async", away)

    assert post(client, f"/in/freeswitch/{secret}/", RECORD).status_code == 200
    nudged()
    assert pipeline.fold_inbox() == 1


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_damaged_record_is_never_an_error_and_never_lost(
    client: Client, secret: str, data: st.DataObject
) -> None:
    Call.objects.all().delete()
    InboxRecord.objects.all().delete()
    damaged = bytearray(RECORD)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(damaged)))
        damaged[start : start + data.draw(st.integers(0, 300))] = data.draw(st.binary(max_size=8))

    response = post(client, f"/in/freeswitch/{secret}/", bytes(damaged))
    pipeline.fold_inbox()

    if damaged.strip():
        assert response.status_code == 200
        record = InboxRecord.objects.get()
        assert bytes(record.body) == bytes(damaged)
        assert record.state in {"folded", "quarantined", "unassigned"}
        assert (record.state == "folded") == (record.reason == "")
    else:
        assert response.status_code == 400
