"""«Brak stawki»: what is missing, found by where the calls go, and mended from the page."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Membership, User
from billing.charging import charge_pending
from billing.models import AccountPriceList, PriceList, Rate
from billing.unrated import beginning, gaps
from calls.ingest.records import micros
from calls.models import Call, UnpricedCall
from calls.numbers import normalise
from tests.builders import make_outgoing
from tests.conftest import LONG_AGO, RECORDED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
PAGE = "/operator/unrated/"
HOUR = timedelta(hours=1)


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("olga@operator.example", "pass", is_staff=True)


@pytest.fixture
def price_list(acme: Account) -> PriceList:
    price_list = PriceList.objects.create(name="Cennik")
    AccountPriceList.objects.create(account=acme, price_list=price_list, since=LONG_AGO)
    return price_list


def waiting(
    account: Account, *numbers: str, at: datetime = RECORDED, seconds: int = 60, **fields: Any
) -> Call:
    """A call with paid legs to these numbers, put in line."""
    paid = [
        {
            "key": f"{at} {to}",
            "to": to,
            "answered": micros(at),
            "seconds": seconds,
            "estimated": False,
        }
        for to in numbers
    ]
    call = make_outgoing(account, at=at, peer=numbers[0], paid=paid, charging="pending")
    UnpricedCall.objects.create(account=account, started_at=at, call_id=call.id, **fields)
    return call


def found() -> list[tuple[str, str, str, int, int]]:
    charge_pending(RECORDED)
    return [(g.reason, g.space, g.prefix, g.legs, g.seconds) for g in gaps(RECORDED)]


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("+37126123456", "e164 3712"),
        ("+4930123456", "e164 493"),
        ("+18095550123", "e164 18095"),
        ("703123456", "e164 48703"),
        ("801123456", "e164 48801"),
        ("221234567", "e164 4822"),
        ("501234567", "e164 4850"),
        ("118913", "short 118"),
        ("19491", "short 194"),
        ("hello", " "),
    ],
)
def test_numbers_are_put_together_by_what_one_rate_would_be_for(number: str, prefix: str) -> None:
    assert " ".join(beginning(normalise(number))) == prefix


def test_what_waits_is_counted_by_beginning_and_reason(
    acme: Account, beta: Account, price_list: PriceList
) -> None:
    waiting(acme, "+37126123456")
    waiting(acme, "+37129999999", at=RECORDED - HOUR, seconds=30)
    waiting(acme, "hello", at=RECORDED - 2 * HOUR)
    waiting(beta, "+37126123456", at=RECORDED - 3 * HOUR)

    assert found() == [
        ("no_rate", "e164", "3712", 2, 90),
        ("no_rate", "", "", 1, 60),
        ("no_list", "e164", "3712", 1, 60),
    ]
    first = gaps(RECORDED)[0]
    assert (first.since, first.accounts, first.lists) == (RECORDED - HOUR, [acme], [price_list])


def test_a_leg_that_has_its_charge_is_not_what_its_call_waits_for(
    acme: Account, price_list: PriceList
) -> None:
    Rate.objects.create(
        price_list=price_list,
        prefix="48",
        name="Polska",
        per_minute=Decimal(1),
        valid_from=LONG_AGO,
    )
    waiting(acme, "+48501234567", "+37126123456")

    assert found() == [("no_rate", "e164", "3712", 1, 60)]


def test_blocked_destinations_and_calls_that_failed_are_shown_with_their_reason(
    acme: Account, price_list: PriceList
) -> None:
    Rate.objects.create(
        price_list=price_list, prefix="88", name="Blok", treatment="blocked", valid_from=LONG_AGO
    )
    waiting(acme, "+88213001234")
    waiting(acme, "+4930123456", at=RECORDED - HOUR, no_rate=True, reason="error")

    assert [(reason, prefix) for reason, _, prefix, *_ in found()] == [
        ("error", "493"),
        ("blocked", "8821"),
    ]


def test_a_rate_added_from_the_page_prices_the_calls_by_itself(
    client: Client, staff: User, acme: Account, price_list: PriceList
) -> None:
    call = waiting(acme, "+37126123456", at=RECORDED - HOUR)
    charge_pending(RECORDED)
    client.force_login(staff)
    page = client.get(PAGE).content.decode()
    query = "space=e164&amp;prefix=3712&amp;since=2026-11-23T00%3A00%3A00%2B01%3A00"
    link = f"/operator/prices/{price_list.pk}/rates/new/?{query}"
    assert link in page

    form = client.get(link.replace("&amp;", "&")).context["form"]
    values = {name: form[name].value() for name in form.fields}
    assert (values["prefix"], f"{values['valid_from']:%Y-%m-%d %H:%M}") == (
        "3712",
        "2026-11-23 00:00",
    )
    typed = {name: "" if value is None else value for name, value in values.items()}
    typed |= {"name": "Łotwa", "per_minute": "0,60", "valid_from": "2026-11-23T00:00"}
    answer = client.post(link.partition("?")[0], typed, follow=True)
    charge_pending(RECORDED)

    assert "Stawka jest zapisana" in answer.content.decode()
    assert Call.objects.get(id=call.id).cost == Decimal("0.6")
    assert "Każde połączenie ma cenę." in client.get(PAGE).content.decode()


def test_a_rate_that_is_there_already_is_not_added_twice(
    client: Client, staff: User, price_list: PriceList
) -> None:
    client.force_login(staff)
    values = {
        **{"space": "e164", "prefix": "371", "name": "Łotwa", "treatment": "priced"},
        **{"per_minute": "0,6", "connection_fee": "0", "minimum": "0"},
        **{"first_increment": "1", "next_increment": "1", "valid_from": "2026-11-23T00:00"},
    }
    path = f"/operator/prices/{price_list.pk}/rates/new/"

    answers = [client.post(path, values).status_code for _ in range(2)]
    both = client.post(path, {**values, "prefix": "372", "per_call": "1"})

    assert answers == [302, 200]
    assert "per_minute" in both.context["form"].data
    assert Rate.objects.count() == 1


def test_the_page_is_for_staff_alone(
    client: Client, staff: User, owner: Membership, agent: Membership, price_list: PriceList
) -> None:
    for path in (PAGE, f"/operator/prices/{price_list.pk}/rates/new/"):
        answers = []
        for user in (staff, owner.user, agent.user):
            client.force_login(user)
            answers.append(client.get(path).status_code)
        client.logout()
        assert [*answers, client.get(path).status_code] == [200, 404, 404, 302]


def test_the_page_takes_as_many_queries_for_one_gap_as_for_thirty(
    client: Client,
    staff: User,
    acme: Account,
    price_list: PriceList,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(staff)
    for count in (1, 30):
        for number in range(UnpricedCall.objects.count(), count):
            waiting(acme, f"+{370 + number}12345678", at=RECORDED - number * HOUR)
        charge_pending(RECORDED)
        with django_assert_num_queries(5):
            client.get(PAGE)
