"""Signing in and out by the pages, and where it leads."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Membership, Role, User

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, **more: str) -> Any:
    return client.post("/login/", {"username": email, "password": "pass", **more})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.parametrize(
    "typed", ["alicja@acme.example", "Alicja@ACME.example", " alicja@acme.example "]
)
def test_an_email_in_any_case_and_its_password_sign_in(
    client: Client, owner: Membership, typed: str
) -> None:
    response = sign_in(client, typed)

    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(owner.user.pk)


WRONG = {
    "wrong password": ("alicja@acme.example", "Pass"),
    "no password": ("alicja@acme.example", ""),
    "nobody's e-mail": ("nobody@acme.example", "pass"),
    "no e-mail": ("", "pass"),
    "text that no database can hold": ("alicja\x00@acme.example", "pass"),
}


@pytest.mark.parametrize(("email", "password"), WRONG.values(), ids=WRONG)
def test_anything_else_is_refused_with_the_same_words(
    client: Client, owner: Membership, email: str, password: str
) -> None:
    response = sign_in(client, email, password=password)

    page = response.content.decode()
    assert response.status_code == 200
    assert "Nieprawidłowy e-mail lub hasło." in page
    assert 'type="password" name="password"' in page
    assert f'value="{password or "never shown"}"' not in page
    assert not is_signed_in(client)


def test_who_was_switched_off_is_refused_and_thrown_out(client: Client, owner: Membership) -> None:
    sign_in(client, "alicja@acme.example")
    User.objects.update(is_active=False)

    thrown_out = client.get("/accounts/acme/calls/")
    refused = sign_in(Client(), "alicja@acme.example")

    assert thrown_out["Location"] == "/login/?next=/accounts/acme/calls/"
    assert "Nieprawidłowy e-mail lub hasło." in refused.content.decode()


def test_one_comes_back_to_the_page_that_one_wanted(client: Client, owner: Membership) -> None:
    wanted = "/accounts/acme/calls/missed/?period=today"
    page = client.get(client.get(wanted)["Location"]).content.decode()

    assert f'name="next" value="{wanted}"' in page
    assert sign_in(client, "alicja@acme.example", next=wanted)["Location"] == wanted


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"],
)
def test_no_link_to_our_sign_in_leads_to_a_foreign_host(
    client: Client, owner: Membership, elsewhere: str
) -> None:
    shown = client.get("/login/", {"next": elsewhere}).content.decode()
    response = sign_in(client, "alicja@acme.example", next=elsewhere)
    again = client.get("/login/", {"next": elsewhere})

    assert 'name="next" value=""' in shown
    assert (response["Location"], again["Location"]) == ("/", "/")


def test_signing_in_takes_the_token_of_the_page(owner: Membership) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert sign_in(strict, "alicja@acme.example").status_code == 403
    assert not is_signed_in(strict)


def test_signing_in_and_out_changes_the_session(client: Client, owner: Membership) -> None:
    client.session.save()
    before = client.session.session_key
    sign_in(client, "alicja@acme.example")
    signed_in = client.session.session_key

    response = client.post("/logout/")

    assert response["Location"] == "/login/"
    assert len({before, signed_in, client.session.session_key}) == 3
    assert not is_signed_in(client)


def test_a_link_alone_signs_nobody_out(client: Client, owner: Membership) -> None:
    client.force_login(owner.user)

    assert client.get("/logout/").status_code == 405
    assert is_signed_in(client)


def test_the_way_home_leads_to_the_calls_of_the_only_account(
    client: Client, owner: Membership, beta: Account
) -> None:
    client.force_login(owner.user)

    assert client.get("/")["Location"] == "/accounts/acme/calls/"
    assert client.get("/login/")["Location"] == "/"


def test_with_several_accounts_one_chooses_by_name(
    client: Client, owner: Membership, beta: Account
) -> None:
    Membership.objects.create(account=beta, user=owner.user, role=Role.AGENT)
    Account.objects.create(name="Not hers", slug="other")
    client.force_login(owner.user)

    page = client.get("/").content.decode()

    assert re.findall(r'<li><a href="([^"]+)">([^<]+)</a>', page) == [
        ("/accounts/acme/calls/", "Acme sp. z o.o."),
        ("/accounts/beta/calls/", "Beta s.c."),
    ]


def test_who_belongs_nowhere_is_told_whom_to_ask(client: Client, owner: Membership) -> None:
    Account.objects.update(is_active=False)
    client.force_login(owner.user)

    response = client.get("/")

    assert response.status_code == 200
    assert "Nie należysz jeszcze do żadnej firmy." in response.content.decode()


def test_home_is_for_those_who_signed_in(client: Client) -> None:
    assert client.get("/")["Location"] == "/login/?next=/"
