"""The door to an account: who gets in, as what, and what stays unsaid to everybody else."""

import logging
from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from pytest_django import DjangoAssertNumQueries

from accounts.access import accounts_of, membership_of
from accounts.models import Account, Membership, Role, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("olga@operator.example", "pass", is_staff=True)


def test_a_member_comes_in_with_their_own_membership(owner: Membership, agent: Membership) -> None:
    found = [membership_of(each.user, "acme") for each in (owner, agent)]

    assert found == [owner, agent]
    assert [each.account.name for each in found] == ["Acme sp. z o.o."] * 2


def test_the_membership_of_another_account_opens_nothing_here(
    owner: Membership, beta: Account, acme: Account
) -> None:
    Membership.objects.create(account=beta, user=owner.user, role=Role.AGENT)

    assert membership_of(owner.user, "beta").role == Role.AGENT
    assert membership_of(owner.user, "acme").role == Role.OWNER


CLOSED_DOORS: dict[str, Callable[[Membership], tuple[User | AnonymousUser, str]]] = {
    "a stranger": lambda stranger: (stranger.user, "acme"),
    "somebody who is not signed in": lambda stranger: (AnonymousUser(), "acme"),
    "an account that does not exist": lambda stranger: (stranger.user, "nowhere"),
    "another spelling of one's own": lambda stranger: (stranger.user, "BETA"),
}


@pytest.mark.parametrize("who", CLOSED_DOORS.values(), ids=CLOSED_DOORS)
def test_everybody_else_is_told_that_there_is_nothing(
    stranger: Membership, acme: Account, who: Callable[..., tuple[User, str]]
) -> None:
    with pytest.raises(Http404):
        membership_of(*who(stranger))


def test_a_closed_account_is_closed_for_its_members(owner: Membership, acme: Account) -> None:
    Account.objects.update(is_active=False)

    with pytest.raises(Http404):
        membership_of(owner.user, "acme")
    assert accounts_of(owner.user) == []


@pytest.mark.parametrize("is_active", [True, False])
def test_staff_open_any_account_as_its_owner_and_it_is_logged(
    staff: User, acme: Account, is_active: bool, caplog: pytest.LogCaptureFixture
) -> None:
    Account.objects.update(is_active=is_active)

    with caplog.at_level(logging.INFO, logger="callpanel.access"):
        membership = membership_of(staff, "acme")

    assert (membership.account, membership.user, membership.role) == (acme, staff, Role.OWNER)
    assert caplog.messages == [f"staff user {staff.pk} opened account {acme.pk}"]


def test_looking_in_makes_no_member_of_staff(staff: User, acme: Account) -> None:
    membership = membership_of(staff, "acme")

    assert membership.pk is None
    assert not Membership.objects.exists()


def test_staff_find_no_account_that_does_not_exist(staff: User, acme: Account) -> None:
    with pytest.raises(Http404):
        membership_of(staff, "nowhere")


def test_staff_in_an_account_of_their_own_are_what_they_are_there(
    staff: User, acme: Account, caplog: pytest.LogCaptureFixture
) -> None:
    membership = Membership.objects.create(account=acme, user=staff, role=Role.AGENT)

    with caplog.at_level(logging.INFO, logger="callpanel.access"):
        assert membership_of(staff, "acme") == membership
    assert caplog.messages == []


def test_ones_accounts_are_the_active_ones_by_name(
    owner: Membership, acme: Account, beta: Account, staff: User
) -> None:
    closed = Account.objects.create(name="Aaa", slug="closed", is_active=False)
    early = Account.objects.create(name="Abc", slug="early")
    for account in (beta, closed, early):
        Membership.objects.create(account=account, user=owner.user, role=Role.MANAGER)
    other = Account.objects.create(name="Zorro", slug="other")

    assert accounts_of(owner.user) == [early, acme, beta]
    assert accounts_of(staff) == [early, acme, beta, other]


def test_the_door_takes_one_query_for_a_member(
    owner: Membership, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert membership_of(owner.user, "acme").account.slug == "acme"
