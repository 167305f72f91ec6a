"""Price lists as the operator enters them: what is refused, and what waits no longer after a change."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.test import Client
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Account, Membership, User
from billing import tasks
from billing.models import AccountPriceList, PriceList, Rate
from calls.models import UnpricedCall
from calls.signals import unpriced_calls_stored
from tests.conftest import LONG_AGO, RECORDED

pytestmark = pytest.mark.django_db
PAGES = [
    *("/admin/billing/pricelist/", "/admin/billing/pricelist/add/"),
    *("/admin/billing/rate/?q=48&space__exact=e164", "/admin/billing/rate/add/"),
    *("/admin/billing/accountpricelist/", "/admin/billing/accountpricelist/add/"),
    *("/admin/billing/vatrate/", "/admin/billing/vatrate/add/"),
    *("/admin/billing/bundle/", "/admin/billing/bundle/add/"),
]


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was handed to the broker: nothing here depends on one."""
    sent: list[Any] = []
    monkeypatch.setattr(tasks.charge_pending, "apply_async", lambda **options: sent.append(options))
    return sent


@pytest.fixture
def base() -> PriceList:
    return PriceList.objects.create(name="Base")


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("olga@operator.example", "pass"))
    return client


def make_rate(price_list: PriceList, **fields: Any) -> Rate:
    plain = {"prefix": "48", "name": "Poland", "per_minute": "0.10", "valid_from": LONG_AGO}
    return Rate(price_list=price_list, **{**plain, **fields})


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_staff_and_for_nobody_else(
    operator: Client, owner: Membership, base: PriceList, path: str
) -> None:
    make_rate(base).save()
    AccountPriceList.objects.create(account=owner.account, price_list=base)
    member = Client()
    member.force_login(owner.user)

    assert operator.get(path).status_code == 200
    assert member.get(path).status_code == 302


def test_a_price_list_is_entered_with_rates_and_given_to_an_account(
    operator: Client, acme: Account
) -> None:
    terms = {"currency": "PLN", "basis": "net", "decimals": 2, "rounding": "ROUND_UP"}
    operator.post("/admin/billing/pricelist/add/", {"name": "Own", **terms})
    price_list = PriceList.objects.get()
    rate = {
        **{"price_list": price_list.pk, "space": "e164", "prefix": "4850", "name": "Orange"},
        **{"treatment": "priced", "per_minute": "0.12", "connection_fee": "0", "minimum": "0"},
        **{"first_increment": 60, "evening": "0.06"},
        **{"next_increment": 1, "valid_from_0": "2026-01-01", "valid_from_1": "00:00"},
    }
    operator.post("/admin/billing/rate/add/", rate)
    since = {"since_0": "2026-02-01", "since_1": "00:00"}
    operator.post(
        "/admin/billing/accountpricelist/add/",
        {"account": acme.pk, "price_list": price_list.pk, **since},
    )

    assert [str(each) for each in (price_list, Rate.objects.get())] == ["Own", "4850 Orange"]
    assert (price_list.decimals, price_list.rounding, price_list.basis) == (2, "ROUND_UP", "net")
    entered = Rate.objects.get()
    assert (entered.per_minute, entered.evening, entered.weekend) == (
        *(Decimal("0.12"), Decimal("0.06")),
        None,
    )
    assert str(AccountPriceList.objects.get()) == "Acme sp. z o.o. · Own"


def test_a_new_price_list_rounds_each_charge_half_up_to_four_decimals(base: PriceList) -> None:
    assert (base.currency, base.basis, base.decimals, base.rounding) == (
        *("PLN", "net"),
        *(4, "ROUND_HALF_UP"),
    )


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"per_minute": "-0.000001"}, "rate_is_not_negative"),
        ({"connection_fee": "-1"}, "rate_is_not_negative"),
        ({"first_increment": 0}, "rate_increments_are_positive"),
        ({"next_increment": 0}, "rate_increments_are_positive"),
        ({"minimum": "-1"}, "rate_is_not_negative"),
        ({"per_minute": 0, "per_call": "-1"}, "rate_is_not_negative"),
        ({"evening": "-1"}, "rate_is_not_negative"),
        ({"weekend": "-1"}, "rate_is_not_negative"),
        ({"per_call": "1"}, "rate_is_by_minute_or_by_call"),
        ({"valid_to": LONG_AGO}, "rate_period_is_ordered"),
        ({"valid_to": LONG_AGO - timedelta(seconds=1)}, "rate_period_is_ordered"),
        ({"prefix": "49"}, "one_rate_from_a_moment"),
    ],
)
def test_the_database_itself_refuses_rates_that_make_no_sense(
    base: PriceList, fields: dict[str, Any], name: str
) -> None:
    make_rate(base, prefix="49").save()

    with pytest.raises(IntegrityError, match=name):
        make_rate(base, **fields).save()


def test_one_prefix_may_have_a_rate_in_each_list_each_space_and_from_each_moment(
    base: PriceList,
) -> None:
    other = PriceList.objects.create(name="Other")
    for rate in (
        make_rate(base),
        make_rate(other),
        make_rate(base, space="short"),
        make_rate(base, valid_from=RECORDED),
    ):
        rate.full_clean()
        rate.save()

    assert Rate.objects.count() == 4


@pytest.mark.parametrize("prefix", ["", "4", "48", "4850", "19491"])
def test_a_prefix_is_digits_or_nothing(base: PriceList, prefix: str) -> None:
    make_rate(base, prefix=prefix).full_clean()


@pytest.mark.parametrize("prefix", ["+48", "0048", "048", "48 50", "48x", "٤٨", "-1", "48\n"])
def test_a_prefix_that_no_number_begins_with_is_refused(base: PriceList, prefix: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make_rate(base, prefix=prefix).full_clean()

    assert list(caught.value.message_dict) == ["prefix"]


BASES: dict[str, Callable[[PriceList, PriceList, PriceList], tuple[PriceList, PriceList]]] = {
    "itself": lambda bottom, middle, other: (bottom, bottom),
    "a list with a base": lambda bottom, middle, other: (other, middle),
    "a list, while it is a base": lambda bottom, middle, other: (bottom, other),
}


@pytest.mark.parametrize("choose", BASES.values(), ids=BASES)
def test_a_base_list_has_no_base_of_its_own(base: PriceList, choose: Callable[..., Any]) -> None:
    middle = PriceList.objects.create(name="Middle", base=base)
    price_list, price_list.base = choose(base, middle, PriceList.objects.create(name="Other"))

    with pytest.raises(ValidationError) as caught:
        price_list.full_clean()

    assert list(caught.value.message_dict) == ["base"]


def test_several_lists_may_have_the_same_base(base: PriceList) -> None:
    PriceList.objects.create(name="One", base=base)

    PriceList(name="Two", base=base).full_clean()
    base.full_clean()


def test_a_list_that_is_in_use_is_not_deleted(base: PriceList, acme: Account) -> None:
    own = PriceList.objects.create(name="Own", base=base)
    AccountPriceList.objects.create(account=acme, price_list=own)

    for in_use in (base, own):
        with pytest.raises(ProtectedError):
            in_use.delete()


def test_an_account_changes_to_one_list_at_a_time(base: PriceList, acme: Account) -> None:
    AccountPriceList.objects.create(account=acme, price_list=base, since=RECORDED)

    with pytest.raises(IntegrityError, match="one_price_list_from_a_moment"):
        AccountPriceList.objects.create(account=acme, price_list=base, since=RECORDED)


EUROS, GROSS = {"currency": "EUR"}, {"basis": "gross"}


@pytest.mark.parametrize("other", [EUROS, GROSS], ids=["currency", "basis"])
def test_whatever_an_account_pays_by_is_in_one_currency_and_net_or_gross_alike(
    base: PriceList, acme: Account, other: dict[str, str]
) -> None:
    own = PriceList(name="Own", base=base, **other)
    with pytest.raises(ValidationError) as over_base:
        own.full_clean()
    own.base = None
    own.save()
    AccountPriceList.objects.create(account=acme, price_list=base, since=LONG_AGO)

    with pytest.raises(ValidationError) as beside:
        AccountPriceList(account=acme, price_list=own).full_clean()
    for name, value in other.items():
        setattr(base, name, value)
    with pytest.raises(ValidationError) as changed:
        base.full_clean()

    assert [list(each.value.message_dict) for each in (over_base, beside, changed)] == [
        *(["base"], ["price_list"]),
        ["__all__"],
    ]


def test_a_list_that_nobody_uses_may_become_another(base: PriceList) -> None:
    base.currency, base.basis = "EUR", "gross"
    base.full_clean()


@pytest.mark.parametrize(
    ("hours", "wrong"),
    [
        ({"day_from": time(8)}, ["day_to"]),
        ({"day_to": time(18)}, ["day_to"]),
        ({"day_from": time(18), "day_to": time(8)}, ["__all__"]),
    ],
)
def test_a_day_has_a_beginning_before_its_end(
    base: PriceList, hours: dict[str, time], wrong: list[str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        PriceList(name="Hours", **hours).full_clean()

    assert list(caught.value.message_dict) == wrong


def wait_in_vain(account: Account, at: datetime = RECORDED) -> None:
    UnpricedCall.objects.create(account=account, started_at=at, call_id=1, no_rate=True)


CHANGES: dict[str, Callable[[Account, PriceList], Any]] = {
    "a new rate": lambda account, base: make_rate(base).save(),
    "a changed list": lambda account, base: base.save(),
    "a list for the account": lambda account, base: AccountPriceList.objects.create(
        account=account, price_list=base
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_had_no_rate_is_back_in_line_when_prices_change(
    acme: Account,
    base: PriceList,
    change: Callable[..., Any],
    nudges: list[Any],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    wait_in_vain(acme)

    with django_capture_on_commit_callbacks(execute=True):
        change(acme, base)

    assert list(UnpricedCall.objects.values_list("no_rate", flat=True)) == [False]
    assert nudges == [{"retry": False}]


def test_a_change_that_nobody_waited_for_wakes_nobody(
    acme: Account,
    base: PriceList,
    nudges: list[Any],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        make_rate(base).save()

    assert nudges == []


def test_prices_change_while_the_broker_is_away(
    acme: Account,
    base: PriceList,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def away(**options: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.charge_pending, "apply_async", away)
    wait_in_vain(acme)

    with django_capture_on_commit_callbacks(execute=True):
        make_rate(base).save()

    assert caplog.messages == ["the broker is away; the sweep will charge the calls"]
    assert UnpricedCall.objects.filter(no_rate=False).count() == 1


def test_stored_calls_wake_charging(nudges: list[Any]) -> None:
    unpriced_calls_stored.send(sender=None)

    assert nudges == [{"retry": False}]
