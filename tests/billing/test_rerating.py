"""Rating again: counted before anything changes, done once however often, stopped, killed and gone on with."""

import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from accounts.models import Account, Membership
from billing import rerating, tasks
from billing.charging import charge_pending
from billing.models import Bundle, Charge, ChargeChange, PriceList, Rerating
from calls.models import Call, UnpricedCall
from tests.billing.calls_to_charge import (
    GERMAN,
    MOBILE,
    POLISH,
    SECOND,
    costs,
    dial,
    make_list,
    make_rate,
    untouched,
)
from tests.conftest import RECORDED

D = Decimal
DAY = timedelta(days=1)
LATER = RECORDED + timedelta(hours=1)
TABLES = ("billing_charge", "calls_call", "billing_chargechange", "billing_bundleuse")


@pytest.fixture
def price_list(acme: Account) -> PriceList:
    return make_list(acme, {"48": "0.60", "49": "1.20"})


def order(**scope: Any) -> Rerating:
    plain = {
        "start": RECORDED - 30 * DAY,
        "end": RECORDED + DAY,
        "reason": "wrong price",
        "by": None,
    }
    return rerating.request(**{**plain, **scope}, now=RECORDED)


def count(**scope: Any) -> Rerating:
    counted = order(**scope)
    rerating.work(LATER)
    counted.refresh_from_db()
    return counted


def do(counted: Rerating) -> Rerating:
    rerating.start(counted)
    rerating.work(LATER)
    counted.refresh_from_db()
    return counted


def changes() -> list[tuple[Any, ...]]:
    kept = ChargeChange.objects.order_by("answered_at", "charge_id", "id")
    return list(kept.values_list("cause", "rerating_id", "old_amount", "new_amount"))


@pytest.mark.django_db
def test_first_it_is_only_said_what_would_change(acme: Account, price_list: PriceList) -> None:
    calls = [dial(acme), dial(acme, MOBILE, RECORDED + SECOND), dial(acme, GERMAN)]
    charge_pending(RECORDED)
    price_list.rates.filter(prefix="48").update(per_minute=D("0.75"))
    before = [untouched(table) for table in TABLES]

    counted = count()

    assert (counted.state, counted.preview) == (
        "ready",
        {
            "charges": 3,
            "calls": 2,
            "unrated": 0,
            "sums": {"PLN": {"before": "1.200000", "after": "1.5000"}},
        },
    )
    assert [untouched(table) for table in TABLES] == before
    assert costs(calls) == [D("0.6"), D("0.6"), D("1.2")]


@pytest.mark.django_db
def test_then_it_is_done_and_every_charge_keeps_what_it_was_with_who_and_why(
    acme: Account, owner: Membership, price_list: PriceList
) -> None:
    call, german = dial(acme), dial(acme, GERMAN)
    charge_pending(RECORDED)
    price_list.rates.filter(prefix="48").update(per_minute=D("0.75"))

    done = do(count(by=owner.user, reason="typing mistake"))

    assert (done.state, done.finished_at, done.progress) == ("done", LATER, (2, 2))
    assert costs([call, german]) == [D("0.75"), D("1.2")]
    change = ChargeChange.objects.get()
    assert (change.old_amount, change.new_amount, change.changed_at) == (D("0.6"), D("0.75"), LATER)
    why = Rerating.objects.get()
    assert change.rerating_id == why.pk
    assert (why.requested_by, why.reason) == (owner.user, "typing mistake")
    assert Charge.objects.get(call_id=call.id).explanation["per_minute"] == "0.75"
    assert done.totals() == done.preview


@pytest.mark.django_db
def test_prices_that_are_as_they_were_change_not_a_single_row(
    acme: Account, price_list: PriceList
) -> None:
    for number in range(5):
        dial(acme, (POLISH, MOBILE, GERMAN)[number % 3], RECORDED + number * SECOND, 7 * number)
    charge_pending(RECORDED)
    before = [untouched(table) for table in TABLES]

    done = do(count())

    assert [untouched(table) for table in TABLES] == before
    assert done.totals() == {"charges": 5, "calls": 0, "unrated": 0, "sums": {}}


@pytest.mark.django_db
def test_doing_it_twice_is_doing_it_once(acme: Account, price_list: PriceList) -> None:
    dial(acme)
    charge_pending(RECORDED)
    price_list.rates.update(per_minute=D(9))
    do(count())
    before = [untouched(table) for table in TABLES]

    assert do(count()).totals()["calls"] == 0

    assert [untouched(table) for table in TABLES] == before


@pytest.mark.django_db
def test_another_name_or_a_new_row_of_the_same_price_changes_nothing(
    acme: Account, price_list: PriceList
) -> None:
    dial(acme)
    charge_pending(RECORDED)
    before = [untouched(table) for table in TABLES]
    price_list.rates.filter(prefix="48").delete()
    make_rate(price_list, "48", name="Poland, all of it", per_minute=D("0.60"))

    do(count())

    assert [untouched(table) for table in TABLES] == before


@pytest.mark.django_db
def test_a_call_that_has_no_rate_any_more_is_found_and_waits_for_one(
    acme: Account, price_list: PriceList
) -> None:
    call = dial(acme)
    charge_pending(RECORDED)
    price_list.rates.filter(prefix="48").delete()

    counted = count()
    do(counted)
    waiting = list(Call.objects.values_list("charging", "cost"))
    charge_pending(LATER)

    assert counted.totals()["unrated"] == 1
    assert (waiting, Charge.objects.count()) == ([("pending", None)], 0)
    assert changes() == [("rerating", counted.pk, D("0.6"), None)]
    assert list(UnpricedCall.objects.values_list("call_id", "no_rate", "reason")) == [
        (call.id, True, "no_rate")
    ]


SCOPES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "everything": ({}, ["9", "9", "9"]),
    "a period": ({"start": RECORDED, "end": RECORDED + SECOND}, ["1", "9", "9"]),
    "half-open": ({"start": RECORDED - DAY, "end": RECORDED}, ["9", "1", "1"]),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("scope", "after"), SCOPES.values(), ids=SCOPES)
def test_only_calls_of_the_period_are_rated_again(
    acme: Account, beta: Account, scope: dict[str, Any], after: list[str]
) -> None:
    lists = [make_list(account, {"48": "1"}) for account in (acme, beta)]
    calls = [dial(acme, at=RECORDED - DAY), dial(acme), dial(beta)]
    charge_pending(RECORDED)
    for price_list in lists:
        price_list.rates.update(per_minute=D(9))

    do(count(**scope))

    assert costs(calls) == [D(each) for each in after]


@pytest.mark.django_db
def test_only_charges_of_the_account_or_of_the_list_are_rated_again(
    acme: Account, beta: Account
) -> None:
    base = PriceList.objects.create(name="Base")
    make_rate(base, "49", per_minute=D(1))
    own = make_list(acme, {"48": "1"}, base=base)
    other = make_list(beta, {"48": "1"}, base=base)
    calls = [dial(acme), dial(acme, GERMAN), dial(beta), dial(beta, GERMAN)]
    charge_pending(RECORDED)
    for price_list in (base, own, other):
        price_list.rates.update(per_minute=D(9))

    do(count(account=beta))
    of_beta = costs(calls)
    do(count(price_list=base))
    of_base = costs(calls)

    assert of_beta == [D(1), D(1), D(9), D(9)]
    assert of_base == [D(1), D(9), D(9), D(9)]


@pytest.mark.django_db
def test_a_call_of_several_legs_costs_the_sum_of_them_again(
    acme: Account, price_list: PriceList
) -> None:
    call = dial(acme)
    call.paid.append({**call.paid[0], "key": "second", "to": GERMAN})
    call.save()
    charge_pending(RECORDED)
    price_list.rates.update(per_minute=D("0.1"))

    counted = do(count())

    assert costs([call]) == [D("0.2")]
    assert counted.totals()["calls"] == 1
    assert sorted(change[2:] for change in changes()) == [
        *((D("0.6"), D("0.1")), (D("1.2"), D("0.1"))),
    ]


@pytest.mark.django_db
def test_bundles_are_shared_out_anew_where_another_price_frees_them(acme: Account) -> None:
    price_list = make_list(acme, {"48": "0.60"})
    Bundle.objects.create(
        account=acme, name="F", seconds=60, prefixes=["48"], since=date(2026, 11, 1)
    )
    first, second = dial(acme, POLISH), dial(acme, MOBILE, RECORDED + SECOND)
    charge_pending(RECORDED)
    before = costs([first, second])
    # By the call: no bundle is of use to it.
    make_rate(price_list, "4822", per_call=D("0.10"))

    counted = count()
    promised = costs([first, second])
    do(counted)

    assert (before, promised) == ([D(0), D("0.6")], [D(0), D("0.6")])
    assert costs([first, second]) == [D("0.1"), D(0)]
    assert counted.totals()["sums"] == {"PLN": {"before": "0.600000", "after": "0.1000"}}
    assert Charge.objects.get(call_id=second.id).bundle_seconds == 60


@pytest.mark.django_db
def test_small_chunks_end_as_a_large_one(
    acme: Account, price_list: PriceList, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [dial(acme, POLISH, RECORDED + number * SECOND, number) for number in range(9)]
    calls[3].paid.append({**calls[3].paid[0], "key": "second"})
    calls[3].save()
    charge_pending(RECORDED)
    price_list.rates.update(per_minute=D("1.20"))
    monkeypatch.setattr(rerating, "CHUNK", 2)

    done = do(count())

    assert costs(calls) == [D("0.02") * n * (2 if n == 3 else 1) for n in range(9)]
    assert done.totals()["charges"] == 10
    assert done.totals()["calls"] == 8  # 0 s cost nothing by either price


@pytest.mark.django_db
def test_what_is_stopped_changes_nothing_more_until_it_is_gone_on_with(
    acme: Account, price_list: PriceList, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [dial(acme, POLISH, RECORDED + number * SECOND) for number in range(4)]
    charge_pending(RECORDED)
    price_list.rates.update(per_minute=D(1))
    counted = count()
    monkeypatch.setattr(rerating, "CHUNK", 2)
    rerating.start(counted)
    ticks = iter(range(100))
    rerating.work(LATER, seconds=1.5, clock=lambda: next(ticks))
    rerating.stop(counted)

    rerating.work(LATER)
    stopped = costs(calls)
    counted.refresh_from_db()
    state = counted.state
    do(counted)

    assert (state, stopped) == ("stopped", [D(1), D("0.6"), D("0.6"), D("0.6")])
    assert costs(calls) == [D(1)] * 4
    assert len(changes()) == 4


@pytest.mark.django_db
def test_what_runs_or_is_done_is_not_started(acme: Account, price_list: PriceList) -> None:
    counted = count()
    rerating.start(counted)

    with pytest.raises(ValueError, match="running"):
        rerating.start(counted)
    rerating.work(LATER)
    with pytest.raises(ValueError, match="done"):
        rerating.start(counted)


@pytest.mark.django_db
def test_an_order_on_which_our_code_fails_is_stopped_and_the_next_one_is_done(
    acme: Account, beta: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in (acme, beta):
        make_list(account, {"48": "1"})
        dial(account)
    charge_pending(RECORDED)
    failing, sound = order(account=acme), order(account=beta)
    note = rerating._note

    def fail_for_acme(part: Any, *rest: Any) -> None:
        if part.account == acme:
            raise ZeroDivisionError
        note(part, *rest)

    monkeypatch.setattr(rerating, "_note", fail_for_acme)
    tasks.rerate()

    for each in (failing, sound):
        each.refresh_from_db()
    assert (failing.state, sound.state) == ("stopped", "ready")


@pytest.mark.django_db
def test_the_command_counts_then_does_and_says_what(
    acme: Account, owner: Membership, price_list: PriceList, capsys: pytest.CaptureFixture[str]
) -> None:
    call = dial(acme)
    charge_pending(RECORDED)
    price_list.rates.update(per_minute=D(1))
    days = ("--first", "2026-11-01", "--last", "2026-11-30", "--account", "acme")

    call_command("rerate", *days, "--reason", "typo", "--by", owner.user.email)
    counted = capsys.readouterr().out
    pk = Rerating.objects.get().pk
    call_command("rerate", "--start", str(pk))

    assert f"{pk} ready" in counted and "'calls': 1" in counted
    assert f"{pk} done" in capsys.readouterr().out
    assert costs([call]) == [D(1)]
    assert Rerating.objects.get().requested_by == owner.user


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ["--first", "2026-11-01"],
        ["--first", "2026-11-01", "--last", "2026-11-30", "--reason", "x", "--account", "nobody"],
        ["--start", "1"],
    ],
)
def test_the_command_refuses_what_it_cannot_do(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("rerate", *arguments)


WORKER = """
import django; django.setup()
from django.utils import timezone
from django.db import connection
from billing import rerating
connection.settings_dict["NAME"] = {name!r}
rerating.CHUNK = 2
note = rerating._note
def slowly(*arguments):
    note(*arguments)
    print("chunk", flush=True)
    input()
rerating._note = slowly
rerating.work(timezone.now())
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_of_a_chunk_loses_that_chunk_only_and_nothing_is_done_twice(
    acme: Account, price_list: PriceList
) -> None:
    calls = [dial(acme, POLISH, RECORDED + number * SECOND) for number in range(6)]
    charge_pending(RECORDED)
    price_list.rates.update(per_minute=D(1))
    counted = count()
    rerating.start(counted)

    kill_in_its_third_chunk()
    killed = costs(calls)
    rerating.work(LATER)
    counted.refresh_from_db()

    assert killed == [D(1), D(1), *[D("0.6")] * 4]
    assert costs(calls) == [D(1)] * 6
    assert (counted.state, len(changes())) == ("done", 6)
    assert counted.totals() == counted.preview


def kill_in_its_third_chunk() -> None:
    """kill -9 while the changes of the third chunk are made, but not committed."""
    script = WORKER.format(name=connection.settings_dict["NAME"])
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "callpanel.settings"}
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as worker:
        assert worker.stdin is not None and worker.stdout is not None
        for _ in range(2):
            assert worker.stdout.readline() == "chunk\n"
            worker.stdin.write("\n")
            worker.stdin.flush()
        assert worker.stdout.readline() == "chunk\n"
        worker.send_signal(signal.SIGKILL)
