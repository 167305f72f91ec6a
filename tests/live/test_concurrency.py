"""Several web processes, workers and chargers at once, each with a database connection of its own."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Account
from billing.charging import charge_pending
from billing.models import AccountPriceList, Charge, PriceList, Rate
from calls.ingest import inbox, pipeline
from calls.models import (
    Call,
    CallGroup,
    InboxRecord,
    LegLink,
    LegRecord,
    MovedCall,
    Pbx,
    UnpricedCall,
)
from tests.conftest import LONG_AGO, RECORDED
from tests.records import asterisk_scenarios, freeswitch_scenarios

pytestmark = pytest.mark.django_db(transaction=True)
BODIES = {
    "freeswitch": [body for each in freeswitch_scenarios() for body in each.bodies],
    "asterisk": [body for each in asterisk_scenarios("master.csv") for body in each.bodies],
}


@pytest.fixture(autouse=True)
def prices(acme: Account) -> None:
    price_list = PriceList.objects.create(name="Base")
    Rate.objects.create(
        price_list=price_list, prefix="", name="World", per_minute="0.6", valid_from=LONG_AGO
    )
    AccountPriceList.objects.create(account=acme, price_list=price_list, since=LONG_AGO)


def receive(pbx: Pbx, bodies: list[bytes]) -> None:
    for body in bodies:
        inbox.receive(pbx, [body], now=RECORDED)


def fold(pbx: Pbx, times: int) -> None:
    for _ in range(times):
        pipeline.fold_batch(pbx, RECORDED, limit=5)


def charge(times: int) -> None:
    for _ in range(times):
        charge_pending(RECORDED)


def at_once(*jobs: Callable[[], Any]) -> None:
    def run(job: Callable[[], Any]) -> None:
        try:
            job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as threads:
        for done in [threads.submit(run, job) for job in jobs]:
            done.result()


def finish(pbxes: list[Pbx]) -> tuple[list[Any], list[Any]]:
    for pbx in pbxes:
        while pipeline.fold_batch(pbx, RECORDED):
            pass
    charge_pending(RECORDED)
    calls = Call.objects.order_by("account", "started_at", "id").values()
    charges = Charge.objects.order_by("account", "answered_at", "id").values()
    return list(calls), list(charges)


def empty() -> None:
    for table in (
        Call,
        Charge,
        CallGroup,
        LegRecord,
        LegLink,
        InboxRecord,
        MovedCall,
        UnpricedCall,
    ):
        table.objects.all().delete()


@pytest.mark.parametrize("seed", range(3))
def test_many_at_once_end_in_the_calls_and_charges_of_one_after_the_other(
    freeswitch: Pbx, asterisk: Pbx, seed: int
) -> None:
    pbxes = {"freeswitch": freeswitch, "asterisk": asterisk}
    for name, pbx in pbxes.items():
        receive(pbx, BODIES[name])
    expected = finish(list(pbxes.values()))
    empty()

    shuffler = random.Random(seed)
    jobs: list[Callable[[], Any]] = [lambda: charge(40), lambda: charge(40)]
    for name, pbx in pbxes.items():
        bodies = shuffler.sample(BODIES[name], len(BODIES[name]))
        half = len(bodies) // 2
        jobs += [
            lambda pbx=pbx, part=part: receive(pbx, part)  # type: ignore[misc]
            for part in (bodies[: half + 5], bodies[half:])
        ]
        jobs += [lambda pbx=pbx: fold(pbx, 40)] * 2  # type: ignore[misc]
    at_once(*jobs)

    assert finish(list(pbxes.values())) == expected


def test_the_same_records_forwards_and_backwards_at_once_wait_for_each_other(asterisk: Pbx) -> None:
    def send(bodies: list[bytes]) -> None:
        with transaction.atomic():
            inbox.receive(asterisk, bodies, now=RECORDED, batch=500)

    for turn in range(5):
        bodies = [b"row %d of %d" % (number, turn) for number in range(2000)]
        at_once(lambda: send(bodies), lambda: send(bodies[::-1]))  # noqa: B023 (both end before the next)

    assert InboxRecord.objects.count() == 10_000


def test_new_records_come_in_while_a_batch_is_being_folded(freeswitch: Pbx) -> None:
    receive(freeswitch, BODIES["freeswitch"][:1])

    with transaction.atomic():
        assert pipeline.fold_batch(freeswitch, RECORDED) == 1
        at_once(lambda: receive(freeswitch, BODIES["freeswitch"][1:3]))
        at_once(lambda: fold(freeswitch, 1))
        waiting = InboxRecord.objects.filter(state="pending").count()

    assert waiting == 2
