"""The quarantine's pages: who sees them, who decides there, and what comes out of a download."""

import io
import json
import logging
import zipfile
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Membership, User
from calls import raw_files
from calls.ingest import inbox, pipeline
from calls.models import Decision, InboxRecord, Pbx
from tests.calls.test_admin import told
from tests.conftest import RECORDED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
QUARANTINE = "/operator/quarantine/"
DECIDE = f"{QUARANTINE}decide/"
PAGES = [
    QUARANTINE,
    f"{QUARANTINE}records/?pbx=freeswitch&state=quarantined&reason=not_json",
    f"{QUARANTINE}records/{{record}}/",
    f"{QUARANTINE}records.zip?reason=not_json",
]
BODIES = [b"{no\xff\x00\r\n", b"{za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87 <b>", b"[1]"]


@pytest.fixture
def refused(freeswitch: Pbx) -> list[InboxRecord]:
    """Three records that cannot be read: two no JSON, one of another shape."""
    inbox.receive(freeswitch, BODIES, now=RECORDED)
    pipeline.fold_batch(freeswitch, RECORDED)
    return list(InboxRecord.objects.order_by("id"))


def staff(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(f"{name}@operator.example", "pass", name=name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def support(db: None) -> Client:
    """Sees, decides nothing."""
    return staff("support")


@pytest.fixture
def admin(db: None) -> Client:
    return staff("admin", "add_decision", "add_number")


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_there_for_staff_alone(
    support: Client,
    owner: Membership,
    agent: Membership,
    client: Client,
    refused: list[InboxRecord],
    path: str,
) -> None:
    path = path.format(record=refused[0].pk)
    assert client.get(path).status_code == 302
    assert support.get(path).status_code == 200
    for membership in (owner, agent):
        client.force_login(membership.user)
        assert client.get(path).status_code == 404


def test_the_groups_lead_to_their_records_with_what_to_do(
    support: Client, refused: list[InboxRecord]
) -> None:
    page = support.get(QUARANTINE).content.decode()

    assert "pbx=freeswitch&amp;state=quarantined&amp;reason=not_json" in page
    listed = support.get(PAGES[1]).context["records"]
    assert [record.pk for record in listed] == [refused[1].pk, refused[0].pk]


def test_a_record_is_shown_as_text_whatever_its_bytes_are(
    support: Client, refused: list[InboxRecord]
) -> None:
    pages = [
        support.get(f"{QUARANTINE}records/{each.pk}/").content.decode() for each in refused[:2]
    ]

    assert "{no�" in pages[0]
    assert "{zażółć &lt;b&gt;" in pages[1]


@pytest.mark.parametrize(
    "path",
    [
        f"{QUARANTINE}records/999999/",
        f"{QUARANTINE}records/?record=x",
        f"{QUARANTINE}records/?dismissal=-1",
        f"{QUARANTINE}records.zip?record=9999999999999999999999",
    ],
)
def test_what_does_not_exist_is_not_found(support: Client, path: str) -> None:
    assert support.get(path).status_code == 404


def test_a_record_that_was_taken_over_is_no_longer_shown_here(
    support: Client, refused: list[InboxRecord]
) -> None:
    InboxRecord.objects.update(state="folded")

    assert support.get(f"{QUARANTINE}records/{refused[0].pk}/").status_code == 404
    assert support.get(PAGES[1]).context["records"] == []


def test_the_pages_of_a_long_list_hold_each_record_once(support: Client, freeswitch: Pbx) -> None:
    inbox.receive(freeswitch, [b"{%d" % number for number in range(120)], now=RECORDED)
    pipeline.fold_batch(freeswitch, RECORDED)

    seen, before = [], ""
    while True:
        page = support.get(PAGES[1] + f"&before={before}")
        seen += [record.pk for record in page.context["records"]]
        before = page.context["older"]
        if before is None:
            break

    assert seen == sorted(InboxRecord.objects.values_list("pk", flat=True), reverse=True)


@pytest.mark.parametrize("groups", [1, 30])
def test_the_overview_asks_the_database_as_often_for_one_group_as_for_thirty(
    admin: Client, acme: Account, groups: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(groups):
        pbx = Pbx.objects.create(name=f"pbx{number}", source="freeswitch-json")
        inbox.receive(pbx, [b"{%d" % number], now=RECORDED)
        pipeline.fold_batch(pbx, RECORDED)
        Decision.objects.create(
            action="dismiss", at=RECORDED, selection={}, until=0, finished_at=RECORDED
        )

    # Session, user, two of permissions, two of groups, their messages, decisions.
    with django_assert_num_queries(8):
        assert len(admin.get(QUARANTINE).context["not_understood"]) == groups


@pytest.mark.parametrize("count", [1, 30])
def test_a_list_asks_the_database_as_often_for_one_record_as_for_thirty(
    admin: Client, freeswitch: Pbx, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    inbox.receive(freeswitch, [b"{%d" % number for number in range(count)], now=RECORDED)
    pipeline.fold_batch(freeswitch, RECORDED)

    # Session, user, two of permissions, records.
    with django_assert_num_queries(5):
        assert len(admin.get(PAGES[1]).context["records"]) == count


def test_the_download_holds_each_chosen_record_byte_for_byte(
    support: Client, refused: list[InboxRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_files, "BATCH", 1)

    response = support.get(f"{QUARANTINE}records.zip?pbx=freeswitch&reason=not_json")

    archive = zipfile.ZipFile(io.BytesIO(content(response)))
    assert archive.testzip() is None
    lines = archive.read("records.ndjson").decode().splitlines()
    assert {name: archive.read(name) for name in archive.namelist() if "/" in name} == {
        f"freeswitch/{each.pk}.json": body
        for each, body in zip(refused[:2], BODIES[:2], strict=True)
    }
    assert [json.loads(line)["file"] for line in lines] == [
        f"freeswitch/{each.pk}.json" for each in (refused[1], refused[0])
    ]
    assert json.loads(lines[0]) == {
        "file": f"freeswitch/{refused[1].pk}.json",
        "received_at": RECORDED.isoformat(),
        "state": "quarantined",
        "reason": "not_json",
        "message": refused[1].message,
        "layout": "",
    }


def test_a_download_is_cut_at_the_most_that_a_file_may_hold(
    support: Client, refused: list[InboxRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw_files, "MOST_RECORDS", 2)

    archive = zipfile.ZipFile(io.BytesIO(content(support.get(f"{QUARANTINE}records.zip"))))

    assert [name for name in archive.namelist() if "/" in name] == [
        f"freeswitch/{each.pk}.json" for each in (refused[2], refused[1])
    ]


def test_a_download_is_logged(
    support: Client, refused: list[InboxRecord], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="callpanel.access"):
        support.get(f"{QUARANTINE}records.zip?reason=not_json")

    user = User.objects.get(name="support")
    assert caplog.messages == [f"staff user {user.pk} downloads records: reason=not_json"]


def test_who_may_decides_about_a_group_and_is_told_what_became_of_it(
    admin: Client, refused: list[InboxRecord]
) -> None:
    form = {"action": "dismiss", "note": "a test of the PBX"}

    response = admin.post(f"{DECIDE}?pbx=freeswitch&reason=not_json", form, follow=True)

    states = list(InboxRecord.objects.order_by("id").values_list("state", flat=True))
    assert states == ["dismissed", "dismissed", "quarantined"]
    decision = Decision.objects.get()
    assert (str(decision.by), decision.note, decision.at) == (
        "admin",
        "a test of the PBX",
        RECORDED,
    )
    assert told(response) == ["Odłożono 2 rekordy."]


def test_nothing_is_dismissed_without_a_reason(admin: Client, refused: list[InboxRecord]) -> None:
    for form in ({"action": "dismiss"}, {"action": "delete", "note": "x"}, {}):
        admin.post(DECIDE, form)

    assert {record.state for record in InboxRecord.objects.all()} == {"quarantined"}
    assert not Decision.objects.exists()


def test_what_was_dismissed_is_reopened_from_its_decision(
    admin: Client, refused: list[InboxRecord]
) -> None:
    admin.post(f"{DECIDE}?reason=not_json", {"action": "dismiss", "note": "so what"})
    dismissal = Decision.objects.get().pk
    listed = admin.get(f"{QUARANTINE}records/?dismissal={dismissal}").context["records"]

    admin.post(f"{DECIDE}?dismissal={dismissal}", {"action": "retry"})

    assert {record.pk for record in listed} == {refused[0].pk, refused[1].pk}
    states = list(InboxRecord.objects.order_by("id").values_list("state", flat=True))
    assert states == ["pending", "pending", "quarantined"]


@pytest.mark.parametrize("action", ["retry", "dismiss"])
def test_support_sees_no_buttons_and_decides_nothing(
    support: Client, admin: Client, refused: list[InboxRecord], action: str
) -> None:
    response = support.post(DECIDE, {"action": action, "note": "x"})

    assert response.status_code == 403
    assert {record.state for record in InboxRecord.objects.all()} == {"quarantined"}
    buttons = f'action="{DECIDE}'
    for page in PAGES[:3]:
        address = page.format(record=refused[0].pk)
        shown = [buttons in each.get(address).content.decode() for each in (support, admin)]
        assert shown == [False, True]


def test_a_customer_or_nobody_decides_nothing(
    client: Client, owner: Membership, refused: list[InboxRecord]
) -> None:
    anonymous = client.post(DECIDE, {"action": "retry"})
    client.force_login(owner.user)
    customer = client.post(DECIDE, {"action": "retry"})

    assert (anonymous.status_code, customer.status_code) == (302, 404)
    assert not Decision.objects.exists()


def test_a_decision_needs_a_form_of_ours(refused: list[InboxRecord]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root@operator.example", "pass"))

    assert client.post(DECIDE, {"action": "retry"}).status_code == 403
    assert client.get(DECIDE).status_code == 405
