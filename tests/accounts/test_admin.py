"""The operator's pages for people and firms."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, AuditEntry, Membership, Role, User

pytestmark = pytest.mark.django_db
NO_MEMBERS = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
ACCOUNT = {
    "name": "Gamma sp.j.",
    "slug": "gamma",
    "time_zone": "Europe/Warsaw",
    "retention_days": 90,
    "is_active": "on",
    **NO_MEMBERS,
}


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("olga@operator.example", "pass"))
    return client


def errors_of(response: Any) -> dict[str, list[str]]:
    """What the form of the page says is wrong, by field."""
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def test_a_person_entered_in_capitals_can_sign_in(operator: Client) -> None:
    passwords = {"password1": "kot na płocie 7", "password2": "kot na płocie 7"}
    person = {"email": "Jan.Kowalski@Firma.PL", "usable_password": "true", **passwords}

    response = operator.post("/admin/accounts/user/add/", person)

    user = User.objects.get(is_superuser=False)
    assert response["Location"] == f"/admin/accounts/user/{user.pk}/change/"
    assert (user.email, user.is_staff) == ("jan.kowalski@firma.pl", False)
    assert Client().login(username="JAN.KOWALSKI@firma.pl", password="kot na płocie 7")


def test_the_same_email_in_another_case_is_the_same_person(
    operator: Client, owner: Membership
) -> None:
    passwords = {"password1": "kot na płocie 7", "password2": "kot na płocie 7"}
    person = {"email": "ALICJA@acme.example", "usable_password": "true", **passwords}

    response = operator.post("/admin/accounts/user/add/", person)

    assert list(errors_of(response)) == ["email"]
    assert User.objects.filter(is_superuser=False).count() == 1


def test_a_persons_page_changes_name_and_email_and_keeps_the_password(
    operator: Client, owner: Membership
) -> None:
    page = f"/admin/accounts/user/{owner.user.pk}/change/"

    operator.post(page, {"email": "Ala@Acme.example", "name": "Ala", "is_active": "on"})

    owner.user.refresh_from_db()
    assert (owner.user.email, owner.user.name) == ("ala@acme.example", "Ala")
    assert owner.user.check_password("pass")


def test_a_firm_is_entered_with_its_first_member(operator: Client, stranger: Membership) -> None:
    member = {
        "memberships-TOTAL_FORMS": 1,
        "memberships-0-user": stranger.user.pk,
        "memberships-0-role": Role.OWNER,
    }

    operator.post("/admin/accounts/account/add/", ACCOUNT | member)

    account = Account.objects.get(slug="gamma")
    assert (account.name, account.time_zone, account.retention_days) == (
        "Gamma sp.j.",
        "Europe/Warsaw",
        90,
    )
    assert [(m.user, m.role) for m in account.memberships.all()] == [(stranger.user, "owner")]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"time_zone": "Warsaw"}, ["time_zone"]),
        ({"retention_days": 366}, ["__all__"]),
        ({"retention_days": 0}, ["__all__"]),
        ({"slug": "no/slug"}, ["slug"]),
        ({"name": ""}, ["name"]),
    ],
)
def test_what_makes_no_sense_is_told_at_its_field(
    operator: Client, change: dict[str, Any], wrong: list[str]
) -> None:
    response = operator.post("/admin/accounts/account/add/", ACCOUNT | change)

    assert list(errors_of(response)) == wrong
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/accounts/account/?q=acme",
        "/admin/accounts/account/add/",
        "/admin/accounts/user/?is_staff__exact=1",
        "/admin/accounts/user/add/",
    ],
)
def test_every_page_opens_for_staff_and_for_nobody_else(
    operator: Client, owner: Membership, path: str
) -> None:
    member = Client()
    member.force_login(owner.user)

    assert operator.get(path).status_code == 200
    assert member.get(path).status_code == 302
    assert Client().get(path)["Location"].startswith("/admin/login/?next=/admin/")


def test_a_firm_that_leaves_is_switched_off_and_never_deleted(
    operator: Client, acme: Account
) -> None:
    # Its calls have no foreign key: deleted, it would leave them behind, for nobody to forget.
    response = operator.post(f"/admin/accounts/account/{acme.pk}/delete/", {"post": "yes"})

    assert response.status_code == 403
    assert Account.objects.get() == acme


def test_keeping_calls_longer_than_promised_takes_a_switch_and_is_written_down(
    operator: Client, acme: Account
) -> None:
    page = f"/admin/accounts/account/{acme.pk}/change/"
    same = {**ACCOUNT, "name": acme.name, "slug": acme.slug, "retention_days": 365}

    refused = operator.post(page, same | {"retention_days": 500})
    operator.post(page, same | {"retention_days": 500, "keeps_longer": "on"})
    operator.post(page, same | {"retention_days": 500, "keeps_longer": "on", "name": "Acme"})

    acme.refresh_from_db()
    assert list(errors_of(refused)) == ["__all__"]
    assert (acme.retention_days, acme.keeps_longer, acme.name) == (500, True, "Acme")
    entries = AuditEntry.objects.values_list("account", "by", "action", "detail")
    longer = "500 days, longer than promised"
    assert list(entries) == [(acme.pk, "olga@operator.example", "retention", longer)]
