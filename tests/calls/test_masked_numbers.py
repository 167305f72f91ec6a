"""A role that sees no last digits finds them nowhere: not in lists, details, charges or exports, nor by searching."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account, Membership, Role, User
from calls.masking import erased, masked
from calls.models import Call, Extension
from calls.numbers import normalise, pretty
from tests.billing.paid import charge
from tests.builders import make_call, make_missed, make_outgoing
from tests.conftest import RECORDED
from tests.records import freeswitch_scenarios

NUMBERS = ["+48501234567", "+48221234567", "+493023125500", "+12125550123"]
DIGITS = {"+48501234567": "567", "+493023125500": "500"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def accountant(acme: Account) -> Membership:
    """Dorota keeps the books of Acme, and its owner shows her no last digits."""
    acme.masked_roles = [Role.ACCOUNTANT]
    acme.save()
    user = User.objects.create_user("dorota@ksiegowa.example", "pass", name="Dorota")
    return Membership.objects.create(account=acme, user=user, role=Role.ACCOUNTANT)


@pytest.fixture
def calls(acme: Account) -> list[Call]:
    Extension.objects.create(account=acme, number="101", name="Jan")
    return [
        make_call(acme, peer="+48501234567", peer_name="JAN 501 234 567"),
        make_missed(acme, peer="+48501234567", at=RECORDED - timedelta(hours=1)),
        make_outgoing(acme, peer="+493023125500", at=RECORDED - timedelta(hours=2)),
        make_call(acme, people=["101", "+48600700800"], at=RECORDED - timedelta(hours=3)),
        make_call(acme, peer="19491", at=RECORDED - timedelta(hours=4)),
    ]


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    content = b"".join(response) if response.streaming else response.content
    return content.decode().replace("\xa0", "").replace(" ", "")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+48501234567", "501 234 xxx"),
        ("+48221234567", "22 123 4x xx"),
        ("+493023125500", "+49 3023125xxx"),
        ("19491", "19491"),
        ("112", "112"),
        ("101", "101"),
        ("", ""),
        ("jan.kowalski", "jan.kowalski"),
    ],
)
def test_a_masked_number_reads_as_a_number(number: str, shown: str) -> None:
    assert pretty(masked(number)) == shown


@given(st.from_regex(r"\+48[1-9][0-9]{8}|\+49[1-9][0-9]{6,11}", fullmatch=True))
def test_masked_and_erased_numbers_keep_their_class_and_hide_for_good(number: str) -> None:
    whole = normalise(number)
    for hidden in (masked(number), erased(number)):
        read = normalise(hidden)
        assert (read.text, read.is_e164, read.space) == (hidden, whole.is_e164, whole.space)
        assert number.startswith(hidden.rstrip("x"))
    assert masked(masked(number)) == masked(number)
    assert erased(erased(number)) == erased(number)
    assert normalise(masked(number)).kind == whole.kind
    assert erased(number).count("x") >= 6


def test_nothing_but_a_number_with_its_country_can_be_erased() -> None:
    for text in ("112", "101", "", "jan"):
        with pytest.raises(ValueError, match="country"):
            erased(text)


@pytest.mark.parametrize("page", ["", "outgoing/", "incoming/", "missed/"])
def test_no_list_tells_the_last_digits(
    client: Client, accountant: Membership, calls: list[Call], recorded_time: object, page: str
) -> None:
    client.force_login(accountant.user)

    shown = text(client, f"/accounts/acme/calls/{page}")

    assert [number for number in ("501234567", "3023125500", "600700800") if number in shown] == []
    assert "tel:" not in shown
    assert "234xxx" in shown or "3023125xxx" in shown


def test_the_owner_sees_whole_numbers(
    client: Client,
    owner: Membership,
    accountant: Membership,
    calls: list[Call],
    recorded_time: object,
) -> None:
    client.force_login(owner.user)

    shown = text(client, "/accounts/acme/calls/")

    assert [number in shown for number in ("501234567", "3023125500", "xxx")] == [True, True, False]


def test_a_calls_page_and_its_charges_do_not_tell_them(
    client: Client, accountant: Membership, acme: Account, recorded_time: object
) -> None:
    legs = [leg.to_json() for leg in freeswitch_scenarios()[0].legs]
    call = make_outgoing(
        acme,
        peer="+48601222333",
        people=["+48601222333"],
        legs=legs,
        charging="charged",
        cost=Decimal(1),
    )
    charge(call, "1", "+48601222333", RECORDED, "Plus")
    client.force_login(accountant.user)

    shown = text(client, f"/accounts/acme/calls/call/{call.public_id}/")

    assert "601222333" not in shown
    # The heading, who answered, the step, and the charge.
    assert shown.count("601222xxx") == 4


@pytest.mark.parametrize("path", ["all/export.csv", "all/export.csv?plain=1", "month/2026-11.csv"])
def test_no_export_tells_them(
    client: Client, accountant: Membership, calls: list[Call], recorded_time: object, path: str
) -> None:
    client.force_login(accountant.user)

    exported = text(client, f"/accounts/acme/calls/{path}")

    assert [each for each in ("501234567", "3023125500", "600700800") if each in exported] == []
    assert [exported.count(each) for each in ("48501234xxx", "48600700xxx", "19491")] == [3, 1, 1]


SEARCHES = {
    "567": 0,
    "4567": 0,
    "501 234 567": 0,
    "+48501234567": 0,
    "+485012345": 0,
    "501 234": 3,
    "+48501": 3,
    "+4930": 1,
    "312": 1,
    "500": 0,
    "19491": 1,
    "491": 1,
}


@pytest.mark.parametrize(("typed", "count"), SEARCHES.items())
def test_searching_tells_them_neither(
    client: Client,
    accountant: Membership,
    calls: list[Call],
    recorded_time: object,
    typed: str,
    count: int,
) -> None:
    client.force_login(accountant.user)

    response = client.get("/accounts/acme/calls/", {"number": typed})

    assert len(response.context["page"].calls) == response.context["totals"]["calls"] == count


def test_the_door_masks_whatever_way_the_calls_are_read(
    accountant: Membership, calls: list[Call]
) -> None:
    visible = Call.objects.visible_to(accountant)

    read = [
        *visible,
        *visible.for_list(),
        *visible.select_related("pbx").iterator(),
        visible.filter(peer="+48501234567").first(),
        visible.reverse().for_list()[0],
    ]

    told = [call for call in read if call is None or call.peer in DIGITS]
    assert (told, visible.masks_numbers) == ([], True)


def test_each_role_sees_what_the_owner_chose_for_it(acme: Account) -> None:
    acme.masked_roles = [Role.ACCOUNTANT, Role.AGENT]
    sees = {role: Membership(account=acme, role=role).sees_full_numbers for role in Role}

    assert sees == {"owner": True, "manager": True, "accountant": False, "agent": False}


def test_an_accountant_sees_all_calls_and_their_costs(accountant: Membership) -> None:
    rights = (accountant.sees_all_calls, accountant.can_see_costs, accountant.sees_retention)

    assert rights == (True, True, False)
