"""Who holds a number or an extension, and when, as the operator enters it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Membership, Role, User
from calls.models import Extension, ExtensionHolding, Number
from tests.conftest import LONG_AGO, RECORDED

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("olga@operator.example", "pass"))
    return client


@pytest.mark.parametrize("written", ["22 123 45 67", "0221234567", "+48 22 123-45-67"])
def test_a_number_is_kept_with_its_country_however_it_is_written(
    operator: Client, acme: Account, written: str
) -> None:
    since = {"since_0": "2026-01-01", "since_1": "00:00"}

    operator.post("/admin/calls/number/add/", {"number": written, "account": acme.pk, **since})

    assert list(Number.objects.values_list("number", "since")) == [
        ("+48221234567", datetime(2025, 12, 31, 23, 0, tzinfo=UTC))
    ]


@pytest.mark.parametrize("written", ["", "101", "112", "no number", "+48 22"])
def test_what_is_no_whole_number_is_not_kept(acme: Account, written: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Number(number=written, account=acme).full_clean()

    assert list(caught.value.message_dict) == ["number"]


DAY = timedelta(days=1)
HELD = (RECORDED, RECORDED + 10 * DAY)


@pytest.mark.parametrize(
    ("since", "until", "is_free"),
    [
        (-5, 0, True),
        (10, 12, True),
        (10, None, True),
        (-5, 1, False),
        (9, None, False),
        (2, 3, False),
        (-5, 20, False),
        (-5, None, False),
        (0, 10, False),
    ],
)
def test_a_number_is_held_by_one_account_at_a_time(
    acme: Account, beta: Account, since: int, until: int | None, is_free: bool
) -> None:
    Number.objects.create(number="+48221234567", account=acme, since=HELD[0], until=HELD[1])
    end = None if until is None else RECORDED + until * DAY
    other = Number(number="221234567", account=beta, since=RECORDED + since * DAY, until=end)

    if is_free:
        other.clean()
    else:
        with pytest.raises(ValidationError):
            other.clean()


def test_two_numbers_never_clash_and_an_entry_not_with_itself(acme: Account) -> None:
    number = Number.objects.create(number="+48221234567", account=acme, since=LONG_AGO)

    number.full_clean()
    Number(number="+48221234568", account=acme).full_clean()
    with pytest.raises(IntegrityError, match="number_held_by_one"):
        Number.objects.create(number="+48221234567", account=acme)


def holding(membership: Membership | str, **fields: Any) -> dict[str, Any]:
    member = membership if isinstance(membership, str) else membership.pk
    return {
        "number": "101",
        "account": Account.objects.get(slug="acme").pk,
        "holdings-TOTAL_FORMS": 1,
        "holdings-INITIAL_FORMS": 0,
        "holdings-0-membership": member,
        "holdings-0-since_0": "2026-01-01",
        "holdings-0-since_1": "00:00",
        **fields,
    }


def test_an_extension_is_entered_with_its_holder(operator: Client, owner: Membership) -> None:
    operator.post("/admin/calls/extension/add/", holding(owner))

    assert [str(each) for each in ExtensionHolding.objects.all()] == ["101 · Alicja"]


@pytest.mark.parametrize("who", ["a stranger", "nobody"])
def test_an_extension_is_held_by_somebody_of_its_account(
    operator: Client, owner: Membership, stranger: Membership, who: str
) -> None:
    response = operator.post(
        "/admin/calls/extension/add/", holding(stranger if who == "a stranger" else "")
    )

    assert response.status_code == 200
    assert len(response.context["errors"]) == 1
    assert not ExtensionHolding.objects.exists()


def test_an_extension_is_unique_within_its_account_only(acme: Account, beta: Account) -> None:
    for account, name in ((acme, "Anna"), (acme, ""), (beta, "Beata")):
        Extension.objects.create(account=account, number=f"10{len(name)}", name=name)

    assert Extension.names_in(acme) == {"104": "Anna", "100": ""}
    assert [str(each) for each in Extension.objects.filter(account=acme)] == ["100", "104 Anna"]
    with pytest.raises(IntegrityError, match="extension_is_unique_in_its_account"):
        Extension.objects.create(account=acme, number="104")


@pytest.mark.parametrize("until", [RECORDED, RECORDED - DAY])
def test_a_holding_ends_after_it_began(agent: Membership, acme: Account, until: datetime) -> None:
    desk = Extension.objects.get()
    period = {"since": RECORDED, "until": until}

    for entry, name in (
        (Number(number="+48221234567", account=acme, **period), "number_period_is_ordered"),
        (ExtensionHolding(extension=desk, membership=agent, **period), "holding_period_is_ordered"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            entry.save()


def test_the_choice_of_holders_takes_the_same_queries_for_one_member_and_for_many(
    operator: Client, agent: Membership
) -> None:
    page = f"/admin/calls/extension/{Extension.objects.get().pk}/change/"
    with CaptureQueriesContext(connection) as for_one:
        operator.get(page)
    for number in range(5):
        user = User.objects.create_user(f"{number}@acme.example")
        Membership.objects.create(account=agent.account, user=user, role=Role.AGENT)

    with CaptureQueriesContext(connection) as for_many:
        shown = operator.get(page).content.decode()

    assert "4@acme.example" in shown
    assert len(for_many) == len(for_one)
