"""From calls that wait to charges: what is charged, what waits on, and that nothing is charged twice."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Account
from billing.charging import charge_pending
from billing.models import AccountPriceList, Charge, PriceList, Rate
from calls.ingest import inbox, pipeline
from calls.models import Call, InboxRecord, Pbx, UnpricedCall
from tests.conftest import LONG_AGO, RECORDED
from tests.records import asterisk_scenarios, freeswitch_scenarios

pytestmark = pytest.mark.django_db
FREESWITCH = {scenario.name: scenario for scenario in freeswitch_scenarios()}
MASTER = {scenario.name: scenario for scenario in asterisk_scenarios("master.csv")}


@pytest.fixture
def price_list(acme: Account) -> PriceList:
    price_list = PriceList.objects.create(name="Base")
    AccountPriceList.objects.create(account=acme, price_list=price_list, since=LONG_AGO)
    return price_list


def rate(price_list: PriceList, prefix: str, per_minute: str, **fields: Any) -> Rate:
    return Rate.objects.create(
        price_list=price_list,
        prefix=prefix,
        name=f"to {prefix}",
        per_minute=Decimal(per_minute),
        **{"valid_from": LONG_AGO, **fields},
    )


def deliver(pbx: Pbx, *bodies: bytes) -> None:
    inbox.receive(pbx, bodies, now=RECORDED)
    pipeline.fold_batch(pbx, RECORDED)


def prices() -> list[tuple[str, Decimal | None]]:
    return [(call.charging, call.cost) for call in Call.objects.order_by("started_at", "id")]


def test_a_call_costs_what_its_paid_leg_costs_and_the_charge_says_why(
    freeswitch: Pbx, price_list: PriceList
) -> None:
    chosen = rate(price_list, "486", "0.12", connection_fee=Decimal("0.05"))
    rate(price_list, "48", "9")
    deliver(freeswitch, *FREESWITCH["out_answered#0"].bodies)

    charge_pending(RECORDED)

    # 0.05 + 5 s × 0.12 / 60
    assert prices() == [("charged", Decimal("0.06"))]
    charge = Charge.objects.get()
    assert (charge.number, charge.seconds, charge.amount) == ("+48601222333", 5, Decimal("0.06"))
    assert charge.explanation["rate_id"] == chosen.pk
    assert not UnpricedCall.objects.exists()


def test_a_forwarded_call_costs_although_it_came_in(freeswitch: Pbx, price_list: PriceList) -> None:
    rate(price_list, "48", "0.60")
    deliver(freeswitch, *FREESWITCH["forward_to_mobile_answered#38"].bodies)

    charge_pending(RECORDED)

    assert prices() == [("charged", Decimal("0.05"))]


def test_no_rate_is_not_nothing_and_is_charged_once_there_is_one(
    freeswitch: Pbx, price_list: PriceList
) -> None:
    deliver(freeswitch, *FREESWITCH["out_answered#0"].bodies)
    charge_pending(RECORDED)
    before = prices()
    again = charge_pending(RECORDED)

    rate(price_list, "48", "0.60")
    charge_pending(RECORDED)

    assert (before, again) == ([("no_rate", None)], 0)
    assert prices() == [("charged", Decimal("0.05"))]


def test_an_account_without_a_price_list_has_no_rate(freeswitch: Pbx) -> None:
    deliver(freeswitch, *FREESWITCH["out_answered#0"].bodies)

    charge_pending(RECORDED)

    assert prices() == [("no_rate", None)]


def test_an_emergency_call_is_free_by_rule(asterisk: Pbx, price_list: PriceList) -> None:
    deliver(asterisk, *MASTER["o-emergency"].bodies)

    charge_pending(RECORDED)

    assert prices() == [("charged", Decimal(0))]
    assert Charge.objects.get().explanation["free"] == "rule"


def test_the_price_of_the_moment_of_answer_holds(freeswitch: Pbx, price_list: PriceList) -> None:
    answered = RECORDED.replace(hour=3, minute=10)
    rate(price_list, "48", "0.60", valid_to=answered)
    rate(price_list, "48", "6.00", valid_from=answered)
    deliver(freeswitch, *FREESWITCH["out_answered#0"].bodies)
    deliver(freeswitch, *FREESWITCH["forward_to_mobile_answered#38"].bodies)

    charge_pending(RECORDED)

    assert prices() == [("charged", Decimal("0.05")), ("charged", Decimal("0.5"))]


def test_an_estimated_time_makes_an_estimated_charge(asterisk: Pbx, price_list: PriceList) -> None:
    rate(price_list, "48", "0.60")
    deliver(asterisk, *MASTER["c2c-answered"].bodies, *MASTER["o-pl-mobile-90"].bodies)

    charge_pending(RECORDED)

    assert dict(Charge.objects.values_list("number", "estimated")) == {
        "+48612000001": True,
        "+48516345678": False,
    }


def test_a_late_leg_changes_the_charge_and_leaves_no_second_one(
    asterisk: Pbx, price_list: PriceList
) -> None:
    rate(price_list, "48", "0.60")
    first, second = MASTER["x-outgoing-refer"].bodies
    deliver(asterisk, first)
    charge_pending(RECORDED)
    before = prices()

    deliver(asterisk, second)
    waiting = prices()
    charge_pending(RECORDED)

    assert (before, waiting) == ([("charged", Decimal("0.05"))], [("pending", None)])
    assert prices() == [("charged", Decimal("0.16"))]
    assert [charge.seconds for charge in Charge.objects.all()] == [16]


def test_a_provisional_call_is_not_charged_before_it_is_settled(
    freeswitch: Pbx, price_list: PriceList
) -> None:
    rate(price_list, "48", "0.60")
    failover = FREESWITCH["out_failover_second_gateway#47"]
    deliver(freeswitch, failover.bodies[0], failover.bodies[2])
    early = charge_pending(RECORDED)

    pipeline.settle(RECORDED + timedelta(minutes=6))
    charge_pending(RECORDED)

    assert early == 0
    assert prices() == [("charged", Decimal("0.04"))]


def test_a_call_that_moves_to_another_account_takes_its_charge_along(
    freeswitch: Pbx, price_list: PriceList, beta: Account
) -> None:
    rate(price_list, "48", "0.60")
    AccountPriceList.objects.create(account=beta, price_list=price_list, since=LONG_AGO)
    deliver(freeswitch, *FREESWITCH["out_answered#0"].bodies)
    charge_pending(RECORDED)
    freeswitch.tenant_codes.update(account=beta)
    InboxRecord.objects.update(state="pending")

    pipeline.fold_batch(freeswitch, RECORDED)
    charge_pending(RECORDED)

    assert [(call.account, call.cost) for call in Call.objects.all()] == [(beta, Decimal("0.05"))]
    assert [(charge.account, charge.amount) for charge in Charge.objects.all()] == [
        (beta, Decimal("0.05"))
    ]
    assert not UnpricedCall.objects.exists()


def test_the_sum_of_the_charges_is_the_sum_on_the_calls(
    asterisk: Pbx, freeswitch: Pbx, acme: Account, price_list: PriceList
) -> None:
    rate(price_list, "48", "0.0333")
    rate(price_list, "49", "0.7")
    deliver(asterisk, *(body for scenario in MASTER.values() for body in scenario.bodies))
    deliver(freeswitch, *(body for scenario in FREESWITCH.values() for body in scenario.bodies))

    charge_pending(RECORDED)

    calls = Call.objects.filter(account=acme)
    charged = sum((charge.amount for charge in Charge.objects.filter(account=acme)), Decimal(0))
    assert calls.totals()["cost"] == charged > 0
    assert calls.exclude(paid=[]).filter(charging="charged").count() == Charge.objects.count()
