"""Which tariff an account has at a moment, read out of its price lists."""

from datetime import timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from billing import rating
from billing.models import AccountPriceList, PriceList, Rate
from billing.tariffs import Tariffs
from tests.conftest import LONG_AGO, RECORDED

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def make_list(name: str, rates: dict[str, str], **fields: Any) -> PriceList:
    price_list = PriceList.objects.create(name=name, **fields)
    for prefix, per_minute in rates.items():
        Rate.objects.create(
            price_list=price_list,
            prefix=prefix,
            name=f"{name} {prefix}",
            per_minute=per_minute,
            valid_from=LONG_AGO,
        )
    return price_list


def assign(account: Account, price_list: PriceList, since: Any = LONG_AGO) -> None:
    AccountPriceList.objects.create(account=account, price_list=price_list, since=since)


def chosen(tariff: rating.Tariff | None, digits: str) -> str | None:
    """The name of the rate for these digits."""
    rate = tariff.match("e164", digits, RECORDED) if tariff else None
    return rate.name if rate else None


def test_an_account_without_a_price_list_has_no_tariff(acme: Account, beta: Account) -> None:
    assign(beta, make_list("Base", {"48": "1"}))

    assert Tariffs().of(acme.pk, RECORDED) is None


def test_a_list_holds_from_its_moment_until_the_next_one(acme: Account) -> None:
    assign(acme, make_list("July", {"48": "7"}), RECORDED - DAY)
    assign(acme, make_list("August", {"48": "8"}), RECORDED)
    moments = [RECORDED - DAY - SECOND, RECORDED - DAY, RECORDED - SECOND, RECORDED, RECORDED + DAY]

    tariffs = Tariffs()

    assert [chosen(tariffs.of(acme.pk, at), "48501234567") for at in moments] == [
        *(None, "July 48", "July 48"),
        *("August 48", "August 48"),
    ]


def test_two_accounts_have_each_their_own(acme: Account, beta: Account) -> None:
    assign(acme, make_list("Cheap", {"48": "1"}))
    assign(beta, make_list("Dear", {"48": "2"}))

    tariffs = Tariffs()

    assert [chosen(tariffs.of(account.pk, RECORDED), "48") for account in (acme, beta)] == [
        "Cheap 48",
        "Dear 48",
    ]


def test_the_own_list_wins_a_tie_and_the_base_fills_its_gaps(acme: Account) -> None:
    base = make_list("Base", {"48": "1", "4850": "1", "49": "1"})
    assign(acme, make_list("Own", {"48": "2", "4951": "2"}, base=base))

    tariff = Tariffs().of(acme.pk, RECORDED)

    numbers = {"48221234567", "48501234567", "49301234567", "49511234567", "33123456789"}
    assert {number: chosen(tariff, number) for number in numbers} == {
        "48221234567": "Own 48",
        "48501234567": "Base 4850",
        "49301234567": "Base 49",
        "49511234567": "Own 4951",
        "33123456789": None,
    }


def test_a_rate_keeps_all_its_terms_and_rounds_as_its_own_list_says(acme: Account) -> None:
    base = make_list("Base", {}, decimals=2, rounding=ROUND_UP)
    own = make_list("Own", {"49": "1"}, base=base, decimals=5, currency="EUR")
    terms: dict[str, Any] = {
        "space": "e164",
        "prefix": "48",
        "name": "Poland",
        "per_minute": Decimal("0.123456"),
        "connection_fee": Decimal("0.05"),
        "first_increment": 60,
        "next_increment": 30,
        "valid_from": LONG_AGO,
        "valid_to": RECORDED + DAY,
    }
    row = Rate.objects.create(price_list=base, **terms)
    assign(acme, own)

    tariff = Tariffs().of(acme.pk, RECORDED)

    assert tariff is not None
    polish, german = (tariff.match("e164", digits, RECORDED) for digits in ("48", "49"))
    assert polish == rating.Rate(**terms, price_list="Base", price_list_id=base.pk, rate_id=row.pk)
    assert german is not None
    assert tariff.rounding(polish) == rating.Rounding(2, ROUND_UP)
    assert tariff.rounding(german) == rating.Rounding(5)
    assert tariff.currency == "EUR"


def test_each_list_is_read_once_however_many_accounts_and_moments_ask(
    acme: Account, beta: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    shared = make_list("Own", {"48": "1"}, base=make_list("Base", {"49": "1"}))
    for account in (acme, beta):
        assign(account, shared)
    tariffs = Tariffs()

    # The assignments of each account, the rates of the list and of its base.
    with django_assert_num_queries(4):
        for account in (acme, beta, acme):
            for days in range(5):
                assert chosen(tariffs.of(account.pk, RECORDED + days * DAY), "48") == "Own 48"


def test_a_new_reader_sees_new_prices(acme: Account) -> None:
    price_list = make_list("Base", {"48": "1"})
    assign(acme, price_list)
    before = Tariffs()
    assert chosen(before.of(acme.pk, RECORDED), "49") is None

    Rate.objects.create(
        price_list=price_list, prefix="49", name="new", per_minute="1", valid_from=LONG_AGO
    )

    assert chosen(Tariffs().of(acme.pk, RECORDED), "49") == "new"
