"""Several workers at the same account and the same month: nothing of a bundle is used twice, nothing charged twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from random import Random

import pytest
from django.db import connection, transaction

from accounts.models import Account
from billing import charging, ledger, rerating, usage
from billing.charging import charge_pending
from billing.lines import BusyError, Line
from billing.models import Bundle, BundleUse, Charge, ChargeChange, PriceList
from billing.terms import Terms
from calls.models import Call, UnpricedCall
from tests.billing.calls_to_charge import (
    POLISH,
    SECOND,
    correct,
    costs,
    dial,
    make_list,
    untouched,
)
from tests.conftest import RECORDED

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
WORKERS = 4


@pytest.fixture
def price_list(acme: Account) -> PriceList:
    Bundle.objects.create(
        account=acme, name="F", seconds=100, classes=["domestic"], since=date(2026, 11, 1)
    )
    return make_list(acme, {"48": "0.60"})


def charge_in_turns(_worker: int) -> None:
    try:
        for _ in range(30):
            if not charge_pending(RECORDED) and not UnpricedCall.objects.exists():
                return
    finally:
        connection.close()


def rerate_in_turns(_worker: int) -> None:
    try:
        while rerating.work(RECORDED):
            pass
    finally:
        connection.close()


def test_workers_who_charge_one_account_share_its_bundle(
    acme: Account, price_list: PriceList, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [dial(acme, POLISH, RECORDED + number * SECOND, 15) for number in range(24)]
    for call in Random(3).sample(calls, 8):
        correct(call, 15)
    monkeypatch.setattr(charging, "BATCH", 3)

    with ThreadPoolExecutor(WORKERS) as workers:
        list(workers.map(charge_in_turns, range(WORKERS)))

    # Six whole calls and 10 s of the seventh: 5 s left to pay; then 15 s each, at 0.01 a second.
    assert costs(calls) == [D(0)] * 6 + [D("0.05")] + [D("0.15")] * 17
    assert sum(BundleUse.objects.values_list("seconds", flat=True)) == 100
    assert Charge.objects.count() == 24


def test_charging_and_rating_again_at_the_same_time_end_in_the_new_prices_once(
    acme: Account, price_list: PriceList, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [dial(acme, POLISH, RECORDED + number * SECOND, 60) for number in range(20)]
    charge_pending(RECORDED)
    price_list.rates.update(per_minute=D("1.20"))
    order = rerating.request(
        start=RECORDED, end=RECORDED + 60 * SECOND, reason="", by=None, now=RECORDED
    )
    rerating.work(RECORDED)
    rerating.start(order)
    for call in calls[5:15]:
        correct(call, 60)
    monkeypatch.setattr(charging, "BATCH", 2)

    with ThreadPoolExecutor(WORKERS) as workers:
        jobs = [workers.submit(charge_in_turns, 0), workers.submit(rerate_in_turns, 0)]
        jobs += [workers.submit(charge_in_turns, 1), workers.submit(rerate_in_turns, 1)]
        for job in jobs:
            job.result()
    while rerating.work(RECORDED):
        pass
    charge_in_turns(0)

    order.refresh_from_db()
    charged = Charge.objects.values_list("call_id", "amount")
    assert order.state == "done"
    assert costs(calls) == [D(0), D("0.4"), *[D("1.2")] * 18]
    assert dict(charged) == dict(Call.objects.values_list("id", "cost"))


def test_who_charges_an_account_with_bundles_waits_for_whoever_is_at_it(
    acme: Account, price_list: PriceList
) -> None:
    call = dial(acme, POLISH, RECORDED, 15)

    with ThreadPoolExecutor(1) as workers:
        with transaction.atomic():
            usage.lock(acme.pk)
            second = workers.submit(charge_in_turns, 0)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
            meanwhile = costs([call])
        second.result()

    assert (meanwhile, costs([call])) == ([None], [D(0)])


def test_a_charge_that_changed_since_it_was_read_is_not_overwritten(
    acme: Account, price_list: PriceList
) -> None:
    call = dial(acme, POLISH, RECORDED, 150)
    charge_pending(RECORDED)
    entry = ledger.of_calls(acme.pk, [(call.started_at, call.id)])[0]
    line = Line(entry, Terms(), entry)
    correct(call, 160)
    charge_pending(RECORDED)
    before = untouched("billing_charge")

    with pytest.raises(BusyError), transaction.atomic():
        ledger.write(acme.pk, [line], RECORDED, ChargeChange.Cause.RERATING, costs=True)

    assert untouched("billing_charge") == before
    assert costs([call]) == [D("0.6")]
