"""The queue of unpriced calls: each entry by itself, and none is forgotten."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Account
from billing import charging, tasks
from billing.charging import charge_pending
from billing.models import AccountPriceList, Charge, PriceList, Rate
from calls.ingest.records import micros
from calls.models import Call, UnpricedCall
from tests.builders import make_outgoing
from tests.conftest import LONG_AGO, RECORDED

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
POLISH, GERMAN = "+48501234567", "+493012345678"


@pytest.fixture(autouse=True)
def poland_only(acme: Account) -> PriceList:
    price_list = PriceList.objects.create(name="Base")
    Rate.objects.create(
        price_list=price_list, prefix="48", name="Poland", per_minute="0.6", valid_from=LONG_AGO
    )
    AccountPriceList.objects.create(account=acme, price_list=price_list, since=LONG_AGO)
    return price_list


def make_unpriced(account: Account, to: str = POLISH, at: datetime = RECORDED) -> Call:
    """A minute's call that waits to be priced."""
    leg = {"to": to, "answered": micros(at), "seconds": 60, "estimated": False}
    paid = [{"key": f"{at} {to}", **leg}]
    call = make_outgoing(account, at=at, peer=to, paid=paid, charging="pending")
    wait(call)
    return call


def wait(call: Call, **changes: Any) -> None:
    place = {"account": call.account, "started_at": call.started_at, "call_id": call.id}
    UnpricedCall.objects.create(**{**place, **changes})


def queue() -> list[Any]:
    return list(UnpricedCall.objects.order_by("pk").values_list("started_at", "call_id", "no_rate"))


def prices() -> list[Any]:
    return list(Call.objects.order_by("pk").values_list("charging", "cost"))


def test_calls_are_worked_off_and_those_without_a_rate_wait_on(acme: Account) -> None:
    make_unpriced(acme)
    abroad = make_unpriced(acme, GERMAN, RECORDED + SECOND)

    done = charge_pending(RECORDED)

    assert done == 2
    assert prices() == [("charged", Decimal("0.6")), ("no_rate", None)]
    assert queue() == [(abroad.started_at, abroad.id, True)]


def test_a_call_that_moved_takes_no_other_call_out_of_the_queue(acme: Account) -> None:
    # Its old place and another call of its second stand in the queue beside it.
    abroad = make_unpriced(acme, GERMAN)
    wait(abroad, started_at=RECORDED - SECOND)
    make_unpriced(acme)

    charge_pending(RECORDED)

    assert queue() == [(abroad.started_at, abroad.id, True)]


def test_a_call_that_does_not_wait_keeps_the_price_that_it_has(acme: Account) -> None:
    charged = make_unpriced(acme)
    charge_pending(RECORDED)
    before = list(Charge.objects.values())
    wait(charged, started_at=RECORDED - SECOND)
    make_unpriced(acme, POLISH.replace("7", "8"))
    Rate.objects.update(per_minute=6)

    charge_pending(RECORDED + SECOND)

    assert list(Charge.objects.filter(call_id=charged.id).values()) == before
    assert queue() == []


def test_more_calls_than_a_batch_are_all_worked_off(
    acme: Account, beta: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charging, "BATCH", 2)
    for second in range(5):
        make_unpriced(acme, at=RECORDED + second * SECOND)
        make_unpriced(beta, at=RECORDED + second * SECOND)

    assert charge_pending(RECORDED) == 10

    assert [status for status, _ in prices()] == ["charged"] * 5 + ["no_rate"] * 5
    assert {no_rate for *_, no_rate in queue()} == {True}


def test_a_call_gone_for_good_leaves_the_queue_with_its_charge(acme: Account) -> None:
    call = make_unpriced(acme)
    charge_pending(RECORDED)
    Call.objects.filter(account=acme, started_at=call.started_at, id=call.id).delete()
    wait(call)

    assert charge_pending(RECORDED) == 1

    assert (queue(), Charge.objects.count()) == ([], 0)


def test_a_provisional_call_leaves_the_queue_until_it_is_stored_again(acme: Account) -> None:
    call = make_unpriced(acme)
    call.provisional = True
    call.save()

    charge_pending(RECORDED)

    assert (queue(), prices(), Charge.objects.count()) == ([], [("pending", None)], 0)


def test_a_call_with_one_leg_without_a_rate_has_no_price_yet_and_then_the_sum(
    acme: Account, poland_only: PriceList
) -> None:
    call = make_unpriced(acme)
    call.paid.append({**call.paid[0], "key": "abroad", "to": GERMAN})
    call.save()
    charge_pending(RECORDED)
    before = (prices(), Charge.objects.count())

    Rate.objects.create(
        price_list=poland_only, prefix="49", name="D", per_minute="1", valid_from=LONG_AGO
    )
    charge_pending(RECORDED)

    assert before == ([("no_rate", None)], 1)
    assert prices() == [("charged", Decimal("1.6"))]


def test_a_rate_that_no_signal_told_of_is_found_by_the_sweep(
    acme: Account, poland_only: PriceList
) -> None:
    make_unpriced(acme, GERMAN)
    charge_pending(RECORDED)
    # So does a price list that is imported at once, or saved while a charge run holds the old one.
    Rate.objects.filter(price_list=poland_only).update(prefix="49")

    tasks.charge_pending()
    unseen = prices()
    tasks.retry_unrated()
    tasks.charge_pending()

    assert unseen == [("no_rate", None)]
    assert prices() == [("charged", Decimal("0.6"))]
