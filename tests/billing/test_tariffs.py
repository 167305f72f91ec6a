"""Which tariff an account has at a moment, read out of its price lists."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from billing import rating, tariffs
from billing.bands import Hours
from billing.models import AccountPriceList, PriceList, Rate
from billing.tariffs import NO_TARIFF, Tariffs
from billing.terms import Rounding
from calls.numbers import normalise
from tests.conftest import LONG_AGO, RECORDED

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
POLISH, GERMAN = "+48501234567", "+493012345678"


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


def chosen(tariffs: Tariffs, account: Account, number: str, at: Any = RECORDED) -> str | None:
    """The name of the rate that the account's tariff of this moment has for the number, whenever that is valid."""
    version = tariffs.of(account.pk).at(at).match(normalise(number), RECORDED)
    return version.rate.name if version else None


def test_an_account_without_a_price_list_has_an_empty_tariff(acme: Account, beta: Account) -> None:
    assign(beta, make_list("Base", {"48": "1"}))

    assert Tariffs().of(acme.pk).at(RECORDED) is NO_TARIFF


def test_a_list_holds_from_its_moment_until_the_next_one(acme: Account) -> None:
    assign(acme, make_list("July", {"48": "7"}), RECORDED - DAY)
    assign(acme, make_list("August", {"48": "8"}), RECORDED)
    moments = [RECORDED - DAY - SECOND, RECORDED - DAY, RECORDED - SECOND, RECORDED, RECORDED + DAY]

    current = Tariffs()

    assert [chosen(current, acme, POLISH, at) for at in moments] == [
        *(None, "July 48", "July 48"),
        *("August 48", "August 48"),
    ]


def test_two_accounts_have_each_their_own(acme: Account, beta: Account) -> None:
    assign(acme, make_list("Cheap", {"48": "1"}))
    assign(beta, make_list("Dear", {"48": "2"}))

    current = Tariffs()

    assert [chosen(current, account, POLISH) for account in (acme, beta)] == [
        "Cheap 48",
        "Dear 48",
    ]


def test_the_own_list_wins_a_tie_and_the_base_fills_its_gaps(acme: Account) -> None:
    base = make_list("Base", {"48": "1", "4850": "1", "49": "1"})
    assign(acme, make_list("Own", {"48": "2", "4951": "2"}, base=base))

    current = Tariffs()

    numbers = {"+48221234567", POLISH, GERMAN, "+49511234567", "+33123456789"}
    assert {number: chosen(current, acme, number) for number in numbers} == {
        "+48221234567": "Own 48",
        POLISH: "Base 4850",
        GERMAN: "Base 49",
        "+49511234567": "Own 4951",
        "+33123456789": None,
    }


def test_a_rate_keeps_all_its_terms_and_rounds_as_its_own_list_says(acme: Account) -> None:
    hours = {"day_from": time(8), "day_to": time(18, 30)}
    base = make_list("Base", {}, decimals=2, rounding=ROUND_UP, **hours)
    own = make_list("Own", {"49": "1"}, base=base, decimals=5, currency="EUR", basis="gross")
    terms: dict[str, Any] = {
        "space": "e164",
        "prefix": "48",
        "name": "Poland",
        "per_minute": Decimal("0.123456"),
        "connection_fee": Decimal("0.05"),
        "first_increment": 60,
        "next_increment": 30,
        "evening": Decimal("0.1"),
        "weekend": Decimal("0.000001"),
        "minimum": Decimal("0.3"),
        "treatment": "priced",
        "valid_from": LONG_AGO,
        "valid_to": RECORDED + DAY,
    }
    row = Rate.objects.create(price_list=base, **terms)
    assign(acme, own)

    tariff = Tariffs().of(acme.pk).at(RECORDED)

    polish, german = (tariff.match(normalise(n), RECORDED) for n in (POLISH, GERMAN))
    assert polish is not None and german is not None
    assert polish.rate == rating.Rate(**terms, rate_id=row.pk)
    assert polish.listing == rating.Listing(
        id=base.pk,
        name="Base",
        rounding=Rounding(2, ROUND_UP),
        hours=Hours(time(8), time(18, 30)),
    )
    assert german.listing == rating.Listing(own.pk, "Own", "EUR", "gross", Rounding(5))


def test_each_list_is_read_once_however_many_accounts_and_moments_ask(
    acme: Account, beta: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    shared = make_list("Own", {"48": "1"}, base=make_list("Base", {"49": "1"}))
    for account in (acme, beta):
        assign(account, shared)
    current = Tariffs()

    # The assignments and the zone of each account, the rates of the list and of its base.
    with django_assert_num_queries(6), counted_reads() as reads:
        for account in (acme, beta, acme):
            for days in range(5):
                assert chosen(current, account, POLISH, RECORDED + days * DAY) == "Own 48"
    assert reads == [shared.pk, shared.base_id]


@contextmanager
def counted_reads() -> Iterator[list[int]]:
    """Which lists' rates are read out of the database."""
    read: list[int] = []
    rows = tariffs._rows

    def counting(price_list_id: int) -> Iterator[tuple[str, str, Any]]:
        read.append(price_list_id)
        return rows(price_list_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tariffs, "_rows", counting)
        yield read


def test_a_list_that_is_as_it_was_is_not_read_again_by_the_next_run(acme: Account) -> None:
    assign(acme, make_list("Base", {"48": "1"}))
    chosen(Tariffs(), acme, POLISH)

    with counted_reads() as reads:
        assert chosen(Tariffs(), acme, POLISH) == "Base 48"

    assert reads == []


def new_rate(price_list: PriceList) -> Rate:
    return Rate(price_list=price_list, prefix="49", name="new", per_minute=1, valid_from=LONG_AGO)


CHANGES: dict[str, tuple[Callable[[PriceList], Any], str | None]] = {
    "saved": (lambda each: new_rate(each).save(), "new"),
    "created in bulk": (lambda each: Rate.objects.bulk_create([new_rate(each)]), "new"),
    "updated in bulk": (lambda each: each.rates.update(prefix="49"), "Base 48"),
    "deleted": (lambda each: each.rates.all().delete(), None),
    "touched": (lambda each: copied_past_the_orm(each), "Base 48"),
}


def copied_past_the_orm(price_list: PriceList) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_rate SET prefix = '49'")
    PriceList.touch([price_list.pk])


@pytest.mark.parametrize(("change", "german"), CHANGES.values(), ids=CHANGES)
def test_the_next_run_sees_new_prices_however_they_came(
    acme: Account, change: Callable[[PriceList], Any], german: str | None
) -> None:
    price_list = make_list("Base", {"48": "1"})
    assign(acme, price_list)
    assert chosen(Tariffs(), acme, GERMAN) is None

    change(price_list)

    assert chosen(Tariffs(), acme, GERMAN) == german


def test_the_next_run_sees_another_rounding(acme: Account) -> None:
    price_list = make_list("Base", {"48": "1"})
    assign(acme, price_list)
    chosen(Tariffs(), acme, POLISH)

    PriceList.objects.update(decimals=2)

    version = Tariffs().of(acme.pk).at(RECORDED).match(normalise(POLISH), RECORDED)
    assert version is not None
    assert version.listing.rounding == Rounding(2)
