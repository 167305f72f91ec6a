"""The operator's area: open for staff, not there for anybody else."""

from typing import Any, cast

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from accounts.models import Membership, User

pytestmark = pytest.mark.django_db
PAGES = [
    "/operator/",
    "/operator/quarantine/",
    "/operator/receipts/",
    "/operator/holds/",
    "/operator/erasures/",
]


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("olga@operator.example", "pass", is_staff=True)


@pytest.mark.parametrize("path", PAGES)
def test_staff_come_in(client: Client, staff: User, path: str) -> None:
    client.force_login(staff)

    response = client.get(path)

    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", PAGES)
def test_owners_and_agents_of_firms_find_nothing_there(
    client: Client, owner: Membership, agent: Membership, path: str
) -> None:
    for membership in (owner, agent):
        client.force_login(membership.user)
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_who_is_not_signed_in_is_asked_to(client: Client, path: str) -> None:
    response = client.get(path)

    assert (response.status_code, response["Location"]) == (302, f"/login/?next={path}")


@pytest.mark.parametrize("path", PAGES)
def test_staff_that_was_dismissed_is_out(client: Client, staff: User, path: str) -> None:
    client.force_login(staff)
    User.objects.update(is_active=False)

    assert client.get(path).status_code == 302


def test_the_page_shown_is_marked_in_the_navigation(client: Client, staff: User) -> None:
    client.force_login(staff)

    marked = [client.get(page).content.decode().count('aria-current="page"') for page in PAGES]

    assert marked == [1] * len(PAGES)


def test_the_way_there_is_shown_to_staff_alone(
    client: Client, staff: User, owner: Membership
) -> None:
    shown = []
    for user in (staff, owner.user):
        client.force_login(user)
        shown.append('href="/operator/"' in client.get("/", follow=True).content.decode())

    assert shown == [True, False]


def test_each_page_of_the_area_has_its_door() -> None:
    patterns = [
        each
        for resolver in get_resolver().url_patterns
        for each in getattr(resolver, "url_patterns", [])
        if isinstance(each, URLPattern) and str(each.pattern).startswith("operator/")
    ]

    without = [
        str(each.pattern)
        for each in patterns
        if "OperatorMixin"
        not in {base.__name__ for base in cast(Any, each.callback).view_class.__mro__}
    ]
    assert (len(patterns) >= len(PAGES), without) == (True, [])
