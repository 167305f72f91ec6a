"""The pages about deleting data: what they say, and to whom."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from accounts.models import Account, AuditEntry, Membership, Role, User
from calls.erasure import erasing
from calls.models import Erasure, PurgeAlarm, Receipt
from calls.retention import alarms, holds, purge
from tests.builders import make_call

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CUTOFF = datetime(2025, 11, 22, 23, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_nine() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("olga@operator.example", "pass", is_staff=True)


@pytest.fixture
def night(acme: Account, beta: Account) -> date:
    """A night that deleted two calls of Acme, with one more to come, and one of Beta."""
    for account, hours in ((acme, 1), (acme, 2), (beta, 1), (acme, -1)):
        make_call(account, at=CUTOFF - timedelta(hours=hours))
    purge.run(NOW, database=NOW)
    return date(2026, 11, 23)


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return " ".join(response.content.decode().split())


def test_the_operator_sees_what_each_night_deleted(
    client: Client, staff: User, night: date
) -> None:
    client.force_login(staff)

    response = client.get("/operator/receipts/")

    (only,) = response.context["nights"]
    assert (only["night"], only["accounts"], only["rows"], only["coming"]) == (night, 2, 3, 1)
    shown = page(client, f"/operator/receipts/{night}/")
    assert [name in shown for name in ("Acme sp. z o.o.", "Beta s.c.", "Bez firmy")] == [True] * 3
    assert "<dt>Połączenia</dt><dd>2</dd>" in shown
    assert "22.11.2025 22:00:00 – 22.11.2025 23:00:00" in shown


@pytest.mark.parametrize("name", ["2026-11-22", "yesterday"])
def test_a_night_that_was_none_is_not_found(
    client: Client, staff: User, night: date, name: str
) -> None:
    client.force_login(staff)

    assert client.get(f"/operator/receipts/{name}/").status_code == 404


def test_a_leap_of_the_clock_is_shown_and_confirmed(client: Client, staff: User) -> None:
    alarms.sound(PurgeAlarm.Kind.CLOCK_AHEAD, {"now": "heute", "last": "gestern"}, NOW)
    client.force_login(staff)
    before = page(client, "/operator/receipts/")

    response = client.post("/operator/receipts/")

    assert (response.status_code, response["Location"]) == (302, "/operator/receipts/")
    assert "Zegar wskazuje heute" in before
    assert "heute" not in page(client, "/operator/receipts/")
    assert alarms.last_confirmed() == NOW
    assert set(PurgeAlarm.objects.values_list("settled_by", flat=True)) == {staff.email}


def test_a_hold_is_put_on_shown_and_lifted(
    client: Client, staff: User, owner: Membership, acme: Account
) -> None:
    client.force_login(staff)
    form = {"account": acme.pk, "last_day": "2026-12-31", "reason": "Sąd Rejonowy"}

    client.post("/operator/holds/", form)
    held = [page(client, path) for path in ("/operator/holds/", "/operator/receipts/")]
    client.force_login(owner.user)
    owners = page(client, "/accounts/acme/privacy/")
    call = make_call(acme, at=NOW)
    calls = page(client, f"/accounts/acme/calls/call/{call.public_id}/")
    client.force_login(staff)
    client.post("/operator/holds/acme/lift/")

    assert "Sąd Rejonowy" in held[0] and "do 01.01.2027 00:00" in held[1]
    assert "do 31 grudnia 2026 włącznie" in owners and "Sąd Rejonowy" not in owners
    assert "wstrzymano z mocy prawa" in calls and "Usuniemy" not in calls
    assert "Niczego nie wstrzymano" in page(client, "/operator/holds/")
    assert list(AuditEntry.objects.order_by("pk").values_list("by", "action")) == [
        (staff.email, "hold"),
        (staff.email, "hold lifted"),
    ]


@pytest.mark.parametrize(
    "change", [{"last_day": "2026-11-22"}, {"last_day": ""}, {"reason": ""}, {"account": "0"}]
)
def test_a_hold_needs_an_account_a_reason_and_a_day_to_come(
    client: Client, staff: User, acme: Account, change: dict[str, str]
) -> None:
    client.force_login(staff)
    form = {"account": acme.pk, "last_day": "2026-11-23", "reason": "Sąd"}

    response = client.post("/operator/holds/", {**form, **change})

    acme.refresh_from_db()
    assert (response.status_code, acme.held_until) == (400, None)


def test_a_number_is_erased_after_its_preview(client: Client, staff: User, acme: Account) -> None:
    make_call(acme, at=NOW, peer="+48601222333")
    client.force_login(staff)
    form = {"account": acme.pk, "number": "601 222 333"}

    preview = client.post("/operator/erasures/", form)
    asked = Erasure.objects.count()
    client.post("/operator/erasures/", {**form, "confirmed": "1"})
    erasing.work_off(NOW)

    assert (preview.context["found"], asked) == ({"calls.Call": 1}, 0)
    shown = page(client, "/operator/erasures/")
    assert "połączenia: 1" in shown and "601" not in shown.replace(str(NOW), "")
    assert Erasure.objects.get().requested_by == staff.email


def test_an_erasure_that_waits_for_a_hold_says_so(
    client: Client, staff: User, owner: Membership, acme: Account
) -> None:
    holds.put_on(acme, last_day=date(2026, 12, 31), reason="Sąd", by=staff.email, now=NOW)
    erasing.request(acme, "+48601222333", by=staff.email, now=NOW)
    erasing.work_off(NOW)
    client.force_login(staff)
    operators = page(client, "/operator/erasures/")
    client.force_login(owner.user)

    assert "czeka na koniec wstrzymania, do 01.01.2027 00:00" in operators
    assert "czeka na koniec wstrzymania" in page(client, "/accounts/acme/privacy/")


@pytest.mark.parametrize("number", ["", "101", "112", "abc", "+48 12"])
def test_what_is_no_number_of_a_person_is_not_erased(
    client: Client, staff: User, acme: Account, number: str
) -> None:
    client.force_login(staff)

    response = client.post(
        "/operator/erasures/", {"account": acme.pk, "number": number, "confirmed": "1"}
    )

    assert (response.status_code, Erasure.objects.count()) == (400, 0)


def test_the_owner_sees_the_firms_own_part(client: Client, owner: Membership, night: date) -> None:
    client.force_login(owner.user)

    response = client.get("/accounts/acme/privacy/")

    shown = " ".join(response.content.decode().split())
    assert [each.account for each in response.context["receipts"]] == [owner.account]
    assert "Połączenia są przechowywane przez 365 dni" in shown
    assert "W nocy 24 listopada 2026 usuniemy połączenia z 23 listopada 2025." in shown
    assert "Jest 1 takie połączenie." in shown
    assert "23 listopada 2026: 2 wiersze" in shown
    assert "Beta" not in shown


def test_the_owner_alone_decides_who_sees_whole_numbers(
    client: Client, owner: Membership, acme: Account
) -> None:
    user = User.objects.create_user("kierownik@acme.example", "pass")
    manager = Membership.objects.create(account=acme, user=user, role=Role.MANAGER)
    answers = []
    for membership in (owner, manager):
        client.force_login(membership.user)
        form = {"masked_roles": [Role.AGENT] if membership == owner else []}
        answers.append(client.post("/accounts/acme/privacy/", form).status_code)

    acme.refresh_from_db()
    assert (answers, acme.masked_roles) == ([302, 404], ["agent"])
    assert [str(each) for each in AuditEntry.objects.all()] == [
        f"2026-11-23 09:00 {owner.user.email}: masking agent"
    ]


@pytest.mark.parametrize("roles", [["owner"], ["nobody"]])
def test_an_owner_cannot_be_masked(
    client: Client, owner: Membership, acme: Account, roles: list[str]
) -> None:
    client.force_login(owner.user)

    response = client.post("/accounts/acme/privacy/", {"masked_roles": roles})

    acme.refresh_from_db()
    assert (response.status_code, acme.masked_roles) == (400, [])


def test_agents_accountants_and_strangers_find_no_page_and_no_link(
    client: Client, agent: Membership, stranger: Membership, acme: Account
) -> None:
    user = User.objects.create_user("dorota@ksiegowa.example", "pass")
    accountant = Membership.objects.create(account=acme, user=user, role=Role.ACCOUNTANT)

    answers = []
    for membership in (agent, accountant, stranger):
        client.force_login(membership.user)
        answers.append(client.get("/accounts/acme/privacy/").status_code)
        home = page(client, f"/accounts/{membership.account.slug}/calls/")
        answers.append("/accounts/acme/privacy/" in home)
    client.logout()
    answers.append(client.get("/accounts/acme/privacy/").status_code)

    assert answers == [404, False, 404, False, 404, False, 302]


def test_a_calls_page_says_when_it_is_deleted(
    client: Client, owner: Membership, acme: Account
) -> None:
    call = make_call(acme, at=datetime(2026, 3, 10, 23, 30, tzinfo=UTC))
    client.force_login(owner.user)

    shown = page(client, f"/accounts/acme/calls/call/{call.public_id}/")

    assert "Usuniemy 12 marca 2027." in shown


def test_it_is_deleted_in_that_very_night(acme: Account) -> None:
    make_call(acme, at=datetime(2026, 3, 10, 23, 30, tzinfo=UTC))
    left = []
    for day in (11, 12):
        now = datetime(2027, 3, day, 9, 0, tzinfo=UTC)
        purge.run(now, database=now)
        left.append(sum(Receipt.objects.values_list("deleted", flat=True)))

    assert left == [0, 1]
