"""Charging in all its circumstances: what is set aside, what keeps its terms, what is told of changes, and the sums."""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Account
from billing import charging, waiting
from billing.charging import charge_pending, retry_unrated
from billing.models import Charge, ChargeChange, ChargeTerms, PriceList, Rate
from billing.tariffs import Plan
from calls import exports, periods
from calls.models import Call, UnpricedCall
from tests.billing.calls_to_charge import (
    GERMAN,
    MOBILE,
    POLISH,
    SECOND,
    correct,
    costs,
    dial,
    make_list,
    make_rate,
    put_in_line,
)
from tests.conftest import LONG_AGO, RECORDED

pytestmark = pytest.mark.django_db
D = Decimal
LATER = RECORDED + timedelta(hours=1)
POISON = "+48999999999"


@pytest.fixture
def price_list(acme: Account) -> PriceList:
    return make_list(acme, {"48": "0.60", "49": "1.20"})


def queue() -> list[tuple[int, bool, str]]:
    waiting_calls = UnpricedCall.objects.order_by("account", "started_at", "call_id")
    return list(waiting_calls.values_list("call_id", "no_rate", "reason"))


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """One number on which pricing raises."""
    price = charging._terms

    def fail(key: Any, leg: Any, plan: Plan, *rest: Any) -> Any:
        if leg.to == POISON:
            raise ZeroDivisionError
        return price(key, leg, plan, *rest)

    monkeypatch.setattr(charging, "_terms", fail)


@pytest.mark.usefixtures("poisoned")
def test_a_call_on_which_pricing_fails_is_set_aside_and_all_others_are_charged(
    acme: Account, beta: Account, price_list: PriceList, caplog: pytest.LogCaptureFixture
) -> None:
    make_list(beta, {"48": "0.30"})
    calls = [dial(acme, POLISH, RECORDED + number * SECOND) for number in range(30)]
    bad = dial(acme, POISON, RECORDED + 12 * SECOND)
    other = dial(beta)

    done = charge_pending(RECORDED)

    assert done == 32
    assert costs([*calls, other]) == [D("0.6")] * 30 + [D("0.3")]
    assert queue() == [(bad.id, True, "error")]
    assert Call.objects.get(account=acme, id=bad.id).charging == "pending"
    assert "cannot charge the next 1 calls" in caplog.text


def test_what_was_set_aside_is_charged_once_it_can_be(acme: Account, price_list: PriceList) -> None:
    call = dial(acme)
    waiting.set_aside(acme.pk, {(call.started_at, call.id): waiting.Reason.ERROR})

    early = charge_pending(RECORDED)
    retry_unrated()
    charge_pending(RECORDED)

    assert (early, costs([call]), queue()) == (0, [D("0.6")], [])


def test_an_amount_that_the_table_cannot_hold_stops_nobody_else(
    acme: Account, price_list: PriceList
) -> None:
    make_rate(price_list, "33", per_minute=D("999999"))
    dear, cheap = dial(acme, "+33123456789", seconds=600_000), dial(acme)

    charge_pending(RECORDED)

    assert costs([cheap]) == [D("0.6")]
    assert queue() == [(dear.id, True, "error")]


REASONS: dict[str, tuple[Callable[[Account], Any], str]] = {
    "no list": (lambda account: None, "no_list"),
    "no rate": (lambda account: make_list(account, {"49": "1"}), "no_rate"),
    "blocked": (
        lambda account: make_rate(make_list(account, {}), "48", treatment="blocked"),
        "blocked",
    ),
}


@pytest.mark.parametrize(("prepare", "reason"), REASONS.values(), ids=REASONS)
def test_a_call_without_a_price_waits_with_the_reason(
    acme: Account, prepare: Callable[[Account], Any], reason: str
) -> None:
    prepare(acme)
    call = dial(acme)

    charge_pending(RECORDED)

    assert queue() == [(call.id, True, reason)]
    assert list(Call.objects.values_list("charging", "cost")) == [("no_rate", None)]


def test_an_emergency_call_is_free_even_without_a_price_list(acme: Account) -> None:
    call = dial(acme, "112")

    charge_pending(RECORDED)

    assert (costs([call]), queue()) == ([D(0)], [])


def test_a_price_saved_with_a_date_in_the_past_changes_no_old_charge(
    acme: Account, price_list: PriceList
) -> None:
    call = dial(acme)
    charge_pending(RECORDED)
    make_rate(price_list, "4822", per_minute=D(9))
    retry_unrated()
    put_in_line(call)

    charge_pending(LATER)

    assert costs([call]) == [D("0.6")]
    assert Charge.objects.get().charged_at == RECORDED


def test_nor_does_it_change_a_call_whose_seconds_are_corrected_later(
    acme: Account, price_list: PriceList
) -> None:
    call = dial(acme)
    charge_pending(RECORDED)
    price_list.rates.update(per_minute=D(9))

    correct(call, 90)
    charge_pending(LATER)

    assert costs([call]) == [D("0.9")]
    change = ChargeChange.objects.get()
    assert (change.cause, change.changed_at, change.rerating_id) == ("record", LATER, None)
    assert (change.old_seconds, change.new_seconds) == (60, 90)
    assert (change.old_amount, change.new_amount) == (D("0.6"), D("0.9"))
    assert change.old_terms_id == change.new_terms_id == ChargeTerms.objects.get().pk


def test_a_leg_that_goes_to_another_number_is_charged_by_what_holds_for_that(
    acme: Account, price_list: PriceList
) -> None:
    call = dial(acme)
    charge_pending(RECORDED)

    call.paid = [{**call.paid[0], "to": GERMAN}]
    call.charging, call.cost = Call.Charging.PENDING, None
    call.save()
    put_in_line(call)
    charge_pending(LATER)

    assert costs([call]) == [D("1.2")]


def test_a_leg_that_is_paid_for_no_more_leaves_a_trace(
    acme: Account, price_list: PriceList
) -> None:
    call = dial(acme)
    charge_pending(RECORDED)

    call.paid, call.charging, call.cost = [], Call.Charging.PENDING, None
    call.save()
    put_in_line(call)
    charge_pending(LATER)

    change = ChargeChange.objects.get()
    assert (change.old_amount, change.new_amount, change.new_seconds) == (D("0.6"), None, None)
    assert (Charge.objects.count(), Call.objects.get().charging) == (0, "free")


def test_a_charge_explains_itself_after_its_rate_and_its_list_are_gone(
    acme: Account, price_list: PriceList
) -> None:
    dial(acme)
    charge_pending(RECORDED)
    before = Charge.objects.get().explanation

    acme.price_lists.all().delete()
    price_list.delete()

    assert Rate.objects.count() == 0
    assert Charge.objects.get().explanation == before
    assert (before["price_list"], before["per_minute"]) == ("Cennik acme", "0.6")


def test_equal_terms_are_kept_once(acme: Account, price_list: PriceList) -> None:
    for number in range(5):
        dial(acme, (POLISH, MOBILE)[number % 2], RECORDED + number * SECOND, number)

    charge_pending(RECORDED)

    assert (Charge.objects.count(), ChargeTerms.objects.count()) == (5, 1)


def a_year_of_calls(account: Account, seed: int) -> list[Call]:
    chance = random.Random(seed)
    numbers = (POLISH, MOBILE, GERMAN, "112", "19491", "+972501234567")
    return [
        dial(
            account,
            chance.choice(numbers),
            RECORDED - timedelta(minutes=chance.randrange(60 * 24 * 90)),
            chance.randrange(400),
        )
        for _ in range(40)
    ]


def charges() -> list[tuple[Any, ...]]:
    columns = ("answered_at", "number", "seconds", "amount", "terms_id", "call_id")
    return sorted(Charge.objects.values_list(*columns))


@pytest.mark.parametrize("seed", range(3))
def test_cutting_a_batch_otherwise_changes_nothing(
    acme: Account, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    make_list(acme, {"48": "0.0333", "4850": "0.1", "49": "0.7"})
    calls = a_year_of_calls(acme, seed)
    charge_pending(RECORDED)
    at_once = (charges(), costs(calls))
    Charge.objects.all().delete()
    Call.objects.update(charging="pending", cost=None)
    for call in random.Random(seed).sample(calls, len(calls)):
        put_in_line(call)

    monkeypatch.setattr(charging, "BATCH", 3)
    charge_pending(RECORDED)

    assert (charges(), costs(calls)) == at_once


@pytest.mark.parametrize("seed", range(3))
def test_the_sum_of_the_charges_is_the_sum_on_the_list_and_that_of_the_months_file(
    acme: Account, seed: int
) -> None:
    make_list(acme, {"48": "0.0333", "4850": "0.1", "49": "0.7"})
    a_year_of_calls(acme, seed)
    charge_pending(RECORDED)
    warsaw = ZoneInfo("Europe/Warsaw")

    for month in periods.latest_months(RECORDED, 4, warsaw):
        period = periods.month(month.year, month.month, warsaw)
        calls = Call.objects.filter(account=acme).between(period)
        of_month = Charge.objects.filter(
            call_started_at__gte=period.start, call_started_at__lt=period.end
        )
        complete = of_month.filter(call_id__in=calls.filter(charging="charged").values("id"))
        charged = sum(complete.values_list("amount", flat=True), D(0))
        columns = ("started_at", "cost")
        file = b"".join(exports.lines(calls, columns, exports.PLAIN, warsaw)).decode()
        # The cost is the last but one of a line's cells.
        cells = [line.split(",")[-2] for line in file.splitlines()[1:]]
        assert calls.totals()["cost"] == charged == sum(map(D, filter(None, cells)), D(0))
    assert LONG_AGO < RECORDED
