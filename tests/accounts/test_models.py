"""People, firms and roles: what they are called, what they may, and what the database refuses."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Membership, Role, User, validate_timezone

pytestmark = pytest.mark.django_db

letters = st.text("abcDEF123", min_size=1, max_size=8)
emails = st.builds("{}.{}@{}.example".format, letters, letters, letters)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(email=emails, data=st.data())
def test_a_person_is_found_by_their_email_in_any_case(
    db: None, email: str, data: st.DataObject
) -> None:
    user = User.objects.create_user(data.draw(st.sampled_from([email, email.upper()])))

    typed = data.draw(st.sampled_from([email.lower(), email.title(), f"  {email.upper()} "]))

    assert User.objects.get_by_natural_key(typed) == user
    assert user.email == email.lower()
    user.delete()


def test_an_email_written_in_a_form_is_kept_in_lower_case_too() -> None:
    user = User(email=" Jan.Kowalski@Firma.PL ")

    user.clean()

    assert user.email == "jan.kowalski@firma.pl"


def test_nobody_is_found_by_nothing() -> None:
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(None)


def test_an_email_belongs_to_one_person() -> None:
    User.objects.create_user("jan@firma.example")

    with pytest.raises(IntegrityError, match="email"):
        User.objects.create_user("JAN@firma.example")


def test_a_user_and_a_superuser_differ_in_what_they_may() -> None:
    plain = User.objects.create_user("jan@firma.example", "pass", name="Jan")
    ruler = User.objects.create_superuser("olga@operator.example", "pass")

    rights = [(user.is_active, user.is_staff, user.is_superuser) for user in (plain, ruler)]
    assert rights == [(True, False, False), (True, True, True)]
    assert [str(plain), str(ruler)] == ["Jan", "olga@operator.example"]


def test_a_password_is_kept_as_its_digest_and_without_one_nobody_signs_in() -> None:
    with_password = User.objects.create_user("jan@firma.example", "pass")
    without = User.objects.create_user("ala@firma.example")

    assert with_password.check_password("pass")
    assert "pass" not in with_password.password
    assert (without.has_usable_password(), without.check_password("")) == (False, False)


@pytest.mark.parametrize("name", ["Europe/Warsaw", "UTC", "America/New_York"])
def test_a_time_zone_is_one_that_python_knows(name: str) -> None:
    validate_timezone(name)

    assert Account(time_zone=name).tz.key == name


@pytest.mark.parametrize(
    "name", ["", "Warsaw", "Europe", "CET+1", "../../etc/passwd", "Eu\x00rope"]
)
def test_anything_else_is_no_time_zone(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_timezone(name)

    assert (caught.value.params or {})["name"] == name


@pytest.mark.parametrize("days", [1, 365])
def test_calls_are_kept_for_at_most_the_promised_time(days: int) -> None:
    account = Account.objects.create(name="Gamma", slug="gamma", retention_days=days)

    account.full_clean()


@pytest.mark.parametrize("days", [0, 366])
def test_no_account_keeps_calls_for_longer_or_not_at_all(days: int) -> None:
    with pytest.raises(IntegrityError, match="account_keeps_calls_for_1_to_365_days"):
        Account.objects.create(name="Gamma", slug="gamma", retention_days=days)


def test_a_new_account_keeps_its_calls_for_a_year_in_polish_time() -> None:
    account = Account.objects.create(name="Gamma", slug="gamma")

    assert (account.retention_days, account.time_zone, account.is_active) == (
        365,
        "Europe/Warsaw",
        True,
    )


@pytest.mark.parametrize(
    ("role", "sees_all_calls", "can_see_costs"),
    [
        (Role.OWNER, True, True),
        (Role.MANAGER, True, True),
        (Role.ACCOUNTANT, True, True),
        (Role.AGENT, False, False),
        ("unheard of", False, False),
    ],
)
def test_a_role_says_what_its_holder_may_see(
    role: str, sees_all_calls: bool, can_see_costs: bool
) -> None:
    membership = Membership(role=role)

    assert (membership.sees_all_calls, membership.can_see_costs) == (sees_all_calls, can_see_costs)


def test_a_person_has_one_place_in_an_account(owner: Membership) -> None:
    with pytest.raises(IntegrityError, match="one_membership_per_account"):
        Membership.objects.create(account=owner.account, user=owner.user, role=Role.AGENT)


def test_a_membership_names_person_account_and_role(owner: Membership, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"

    assert str(owner).startswith("Alicja · Acme sp. z o.o. (")
