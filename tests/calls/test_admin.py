"""The operator's pages for PBXes and received records, and who is kept out of them."""

import hashlib
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Membership, User
from calls.models import Decision, Extension, InboxRecord, Number, Pbx, TenantCode
from tests.conftest import RECORDED

pytestmark = pytest.mark.django_db
NO_CODES = {"tenant_codes-TOTAL_FORMS": 0, "tenant_codes-INITIAL_FORMS": 0}
PBX = {
    "name": "warsaw",
    "source": "freeswitch-json",
    "time_zone": "UTC",
    "trunks": "external",
    "extension_pattern": r"(\d+)$",
    "is_active": "on",
    **NO_CODES,
}
PAGES = [
    "/admin/calls/pbx/",
    "/admin/calls/pbx/add/",
    "/admin/calls/number/?q=22",
    "/admin/calls/number/add/",
    "/admin/calls/extension/?q=101",
    "/admin/calls/extension/add/",
    "/admin/calls/inboxrecord/?state__exact=quarantined",
]


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("olga@operator.example", "pass"))
    return client


def clerk(*permissions: str) -> Client:
    """Somebody of the staff who may do only this."""
    user = User.objects.create_user("jan@operator.example", "pass", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def told(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def errors_of(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def record(pbx: Pbx, state: str, body: bytes = b"{}", **fields: Any) -> InboxRecord:
    digest = hashlib.sha256(f"{state} {fields}".encode() + body).digest()
    return InboxRecord.objects.create(
        pbx=pbx, received_at=RECORDED, body=body, digest=digest, state=state, **fields
    )


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_staff_and_for_nobody_else(
    operator: Client, owner: Membership, freeswitch: Pbx, path: str
) -> None:
    record(freeswitch, "quarantined", reason="not_json")
    Number.objects.create(number="+48221234567", account=owner.account)
    Extension.objects.create(number="101", account=owner.account)
    member = Client()
    member.force_login(owner.user)

    assert operator.get(path).status_code == 200
    assert member.get(path).status_code == 302
    assert clerk().get(path).status_code == 403


def test_a_new_pbx_tells_its_address_once_and_keeps_only_a_digest(operator: Client) -> None:
    response = operator.post("/admin/calls/pbx/add/", PBX, follow=True)

    (text, *_more) = told(response)
    found = re.search(r"http://testserver/in/warsaw/([\w-]{22})/", text)
    assert found is not None
    pbx = Pbx.objects.get()
    assert pbx.secret_digest == hashlib.sha256(found[1].encode()).hexdigest()
    assert found[1] not in operator.get(f"/admin/calls/pbx/{pbx.pk}/change/").content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(pbx)::text FROM calls_pbx pbx")
        assert found[1] not in cursor.fetchone()[0]


def test_changing_a_pbx_leaves_its_secret_alone(operator: Client, freeswitch: Pbx) -> None:
    secret = freeswitch.renew_secret()
    freeswitch.save()
    change = PBX | {"name": "freeswitch", "trunks": "operator"}

    response = operator.post(f"/admin/calls/pbx/{freeswitch.pk}/change/", change, follow=True)

    freeswitch.refresh_from_db()
    assert freeswitch.trunks == "operator"
    assert freeswitch.has_secret(secret)
    assert [text for text in told(response) if "/in/" in text] == []


def test_renewing_makes_a_new_secret_for_each_chosen_pbx_and_the_old_ones_stop_working(
    operator: Client, freeswitch: Pbx, asterisk: Pbx
) -> None:
    old = {pbx.name: pbx.renew_secret() for pbx in (freeswitch, asterisk)}
    for pbx in (freeswitch, asterisk):
        pbx.save()

    response = operator.post(
        "/admin/calls/pbx/",
        {"action": "renew_secret", "_selected_action": [freeswitch.pk, asterisk.pk]},
        follow=True,
    )

    new = dict(re.findall(r"/in/([\w-]+)/([\w-]+)/", " ".join(told(response))))
    assert set(new) == {"freeswitch", "asterisk"}
    assert [Pbx.authenticated(name, old[name]) for name in old] == [None, None]
    assert [Pbx.authenticated(name, new[name]) for name in old] == [freeswitch, asterisk]


def test_who_may_only_look_at_a_pbx_cannot_renew_its_secret(freeswitch: Pbx) -> None:
    secret = freeswitch.renew_secret()
    freeswitch.save()
    action = {"action": "renew_secret", "_selected_action": [freeswitch.pk]}

    clerk("view_pbx").post("/admin/calls/pbx/", action)

    assert Pbx.authenticated("freeswitch", secret) == freeswitch


def test_a_pbx_is_never_deleted_and_keeps_its_kind_once_it_has_sent_records(
    operator: Client, freeswitch: Pbx
) -> None:
    Pbx.objects.update(record_ids="uuid")
    page = f"/admin/calls/pbx/{freeswitch.pk}/change/"

    operator.post(page, PBX | {"source": "asterisk-csv", "time_zone": "Europe/Warsaw"})
    deleted = operator.post(f"/admin/calls/pbx/{freeswitch.pk}/delete/", {"post": "yes"})

    pbx = Pbx.objects.get()
    assert (pbx.source, pbx.time_zone) == ("freeswitch-json", "Europe/Warsaw")
    assert deleted.status_code == 403


def test_a_pbx_is_entered_with_its_tenant_codes(operator: Client, acme: Account) -> None:
    code = {
        "tenant_codes-TOTAL_FORMS": 1,
        "tenant_codes-0-code": "firma.example",
        "tenant_codes-0-account": acme.pk,
    }

    operator.post("/admin/calls/pbx/add/", PBX | code)

    assert [str(code) for code in TenantCode.objects.all()] == ["firma.example → Acme sp. z o.o."]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"time_zone": "Poland/Warsaw"}, "time_zone"),
        ({"extension_pattern": "(\\d+"}, "extension_pattern"),
        ({"extension_pattern": "\\d+"}, "extension_pattern"),
        ({"extension_pattern": "(\\d)(\\d)"}, "extension_pattern"),
        ({"source": "cisco"}, "source"),
        ({"name": "a/b"}, "name"),
        ({"name": "freeswitch"}, "name"),
    ],
)
def test_what_makes_no_sense_is_told_at_its_field(
    operator: Client, freeswitch: Pbx, change: dict[str, str], wrong: str
) -> None:
    response = operator.post("/admin/calls/pbx/add/", PBX | change)

    assert list(errors_of(response)) == [wrong]
    assert Pbx.objects.count() == 1


def test_one_code_of_a_pbx_names_one_account(freeswitch: Pbx, beta: Account) -> None:
    with pytest.raises(IntegrityError, match="one_account_per_tenant_code"):
        TenantCode.objects.create(pbx=freeswitch, code="firma.example", account=beta)


def test_a_received_record_is_shown_with_its_text_and_cannot_be_changed(
    operator: Client, freeswitch: Pbx
) -> None:
    refused = record(freeswitch, "quarantined", b"za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87 \xff <b>")
    page = f"/admin/calls/inboxrecord/{refused.pk}/change/"
    before = InboxRecord.objects.values().get()

    shown = operator.get(page).content.decode()
    changed = operator.post(page, {"state": "folded", "message": "all is well"})
    deleted = operator.post(f"/admin/calls/inboxrecord/{refused.pk}/delete/", {"post": "yes"})
    added = operator.post("/admin/calls/inboxrecord/add/", {"pbx": freeswitch.pk})

    assert "zażółć \ufffd &lt;b&gt;" in shown
    assert 'name="_save"' not in shown
    assert [response.status_code for response in (changed, deleted, added)] == [403] * 3
    assert InboxRecord.objects.values().get() == before


@pytest.mark.parametrize(
    ("change", "retried"),
    [
        ({"time_zone": "Europe/Warsaw"}, True),
        ({"trunks": "operator"}, True),
        ({"extension_pattern": r"-(\d+)$"}, True),
        ({"is_active": ""}, False),
        ({}, False),
    ],
)
def test_what_a_pbx_was_refused_is_tried_again_when_its_records_are_read_otherwise(
    operator: Client, freeswitch: Pbx, asterisk: Pbx, change: dict[str, str], retried: bool
) -> None:
    for pbx in (freeswitch, asterisk):
        for state in ("quarantined", "unassigned", "dismissed"):
            record(pbx, state)
    form = PBX | {"name": "freeswitch", "extension_pattern": freeswitch.extension_pattern}

    operator.post(f"/admin/calls/pbx/{freeswitch.pk}/change/", form | change)

    states = InboxRecord.objects.order_by("id").values_list("state", flat=True)
    waiting = ["pending"] * 2 if retried else ["quarantined", "unassigned"]
    assert list(states) == [*waiting, "dismissed", "quarantined", "unassigned", "dismissed"]
    assert [decision.by for decision in Decision.objects.all()] == (
        [User.objects.get()] if retried else []
    )


def test_a_list_of_records_reads_none_of_their_bodies(operator: Client, freeswitch: Pbx) -> None:
    for number in range(3):
        record(freeswitch, "folded", b"%d" % number)

    with CaptureQueriesContext(connection) as queries:
        operator.get("/admin/calls/inboxrecord/")

    assert [query["sql"] for query in queries if '"body"' in query["sql"]] == []
