"""Erasing a number: nowhere in the database does it stand any more, nothing brings it back, and the totals stay."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import Account
from billing.charging import charge_pending, retry_unrated
from billing.models import AccountPriceList, Charge, PriceList, Rate
from calls.erasure import blanking, erasing
from calls.erasure.suppression import digest_of
from calls.ingest import groups, inbox, pipeline
from calls.masking import erased
from calls.models import (
    Call,
    CallGroup,
    Erasure,
    InboxRecord,
    LegRecord,
    Number,
    Pbx,
    Suppression,
    UnpricedCall,
)
from calls.retention import holds, purge
from tests.conftest import LONG_AGO, RECORDED
from tests.records import asterisk_scenarios, freeswitch_scenarios

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
NOW = RECORDED + DAY
STAFF = "olga@operator.example"
FREESWITCH = [body for each in freeswitch_scenarios() for body in each.bodies]
MASTER = [body for each in asterisk_scenarios("master.csv") for body in each.bodies]
# A caller whom nobody answered, and who was answered by a forward too.
CALLER = "+48601222333"
MASKED = ("peer", "peer_name", "people", "paid", "legs")


@pytest.fixture(autouse=True)
def prices(acme: Account) -> None:
    price_list = PriceList.objects.create(name="Base")
    for prefix, price in (("48", "0.6"), ("485", "0.9"), ("", "3")):
        Rate.objects.create(
            price_list=price_list,
            prefix=prefix,
            name=prefix,
            per_minute=price,
            valid_from=LONG_AGO,
        )
    AccountPriceList.objects.create(account=acme, price_list=price_list, since=LONG_AGO)


def deliver(pbx: Pbx, bodies: Sequence[bytes], now: datetime = RECORDED) -> None:
    inbox.receive(pbx, bodies, now=now)
    while pipeline.fold_batch(pbx, now):
        pass
    pipeline.settle(now + DAY)
    charge_pending(now)


def erase(account: Account, number: str, now: datetime = NOW) -> Erasure:
    asked = erasing.request(account, number, by=STAFF, now=now)
    erasing.work_off(now)
    asked.refresh_from_db()
    return asked


def everything() -> str:
    """All that the database holds, raw records as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            with cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
                found.append(b"".join(map(bytes, copy)))
    bodies = [bytes(body) for body in InboxRecord.objects.values_list("body", flat=True)]
    return b"\n".join([*found, *bodies]).decode("utf-8", errors="replace")


def calls(*without: str) -> list[dict[str, Any]]:
    rows = Call.objects.order_by("account", "started_at", "id").values()
    for row in rows:
        # The order of the legs, and of their names, means nothing.
        row["legs"].sort(key=itemgetter("key"))
        for leg in row["legs"]:
            leg["links"] = sorted(map(str, leg["links"]))
    return [{name: row[name] for name in row if name not in without} for row in rows]  # type: ignore[literal-required]


def charges(*without: str) -> list[dict[str, Any]]:
    rows = Charge.objects.order_by("account", "answered_at", "id").values()
    return [{name: row[name] for name in row if name not in without} for row in rows]  # type: ignore[literal-required]


def numbers_of(account: Account) -> list[str]:
    """Everybody outside with whom the account spoke, in full."""
    mine = Call.objects.filter(account=account)
    spoken = set(mine.values_list("peer", flat=True))
    spoken |= {person for people in mine.values_list("people", flat=True) for person in people}
    return sorted(number for number in spoken if number.startswith("+"))


def test_an_erased_number_stands_nowhere_and_everything_else_is_as_it_was(
    acme: Account, freeswitch: Pbx
) -> None:
    deliver(freeswitch, FREESWITCH)
    before, paid = calls(*MASKED), charges("number")
    assert "601222333" in everything()

    receipt = erase(acme, CALLER)

    assert "601222333" not in everything()
    assert (calls(*MASKED), charges("number")) == (before, paid)
    assert receipt.number == ""
    assert receipt.digest == digest_of(CALLER) != CALLER
    assert Call.objects.filter(peer=erased(CALLER)).count() == receipt.counts["calls.Call"] > 0
    assert set(Call.objects.filter(peer=erased(CALLER)).values_list("peer_name")) == {("",)}


@pytest.mark.parametrize("source", ["freeswitch", "asterisk"])
def test_every_number_that_an_account_ever_spoke_with_can_be_erased(
    acme: Account, freeswitch: Pbx, asterisk: Pbx, source: str
) -> None:
    if source == "freeswitch":
        deliver(freeswitch, FREESWITCH)
    else:
        deliver(asterisk, MASTER)
        # The same people may have spoken with Beta, whose calls stay as they are.
        Call.objects.exclude(account=acme).delete()
        others = CallGroup.objects.exclude(account_id=acme.pk)
        groups.forget(asterisk, list(others.values_list("pk", flat=True)))
        known = LegRecord.objects.values("key")
        InboxRecord.objects.exclude(leg_key__in=known).delete()
    before, paid = calls(*MASKED), charges("number")
    numbers = numbers_of(acme)

    for number in numbers:
        erasing.request(acme, number, by=STAFF, now=NOW)
    erasing.work_off(NOW)

    dump = everything()
    assert [number for number in numbers if number.removeprefix("+48") in dump] == []
    assert (calls(*MASKED), charges("number")) == (before, paid)
    assert numbers_of(acme) == sorted(set(map(erased, numbers)))
    assert len(numbers) > 10


def test_folding_again_changes_nothing(acme: Account, freeswitch: Pbx) -> None:
    deliver(freeswitch, FREESWITCH)
    erase(acme, CALLER)
    after, paid = calls(), charges("charged_at")

    with transaction.atomic():
        pipeline.refold(freeswitch, groups.load(CallGroup.objects.all()), NOW, settled=True)
    charge_pending(NOW)

    assert (calls(), charges("charged_at")) == (after, paid)


@pytest.mark.parametrize("remembered", [True, False], ids=["known records", "forgotten records"])
def test_the_same_records_imported_again_do_not_bring_it_back(
    acme: Account, freeswitch: Pbx, remembered: bool
) -> None:
    deliver(freeswitch, FREESWITCH)
    erase(acme, CALLER)
    after, paid = calls(), charges("charged_at")
    if not remembered:
        groups.forget(freeswitch, list(CallGroup.objects.values_list("pk", flat=True)))
    InboxRecord.objects.all().delete()

    deliver(freeswitch, FREESWITCH, NOW + 40 * DAY)

    assert (calls(), charges("charged_at")) == (after, paid)
    assert "601222333" not in everything()


def test_records_that_come_for_the_first_time_after_it_are_stored_without_the_number(
    acme: Account, freeswitch: Pbx
) -> None:
    deliver(freeswitch, FREESWITCH)
    erase(acme, CALLER)
    expected = calls()
    for table in (Call, Charge, InboxRecord):
        table.objects.all().delete()
    groups.forget(freeswitch, list(CallGroup.objects.values_list("pk", flat=True)))

    deliver(freeswitch, FREESWITCH, NOW)

    assert calls("cost", "charging") == [
        {name: row[name] for name in row if name not in {"cost", "charging"}} for row in expected
    ]
    assert "601222333" not in everything()


def test_a_call_after_the_erasure_is_a_new_one_and_has_its_number(
    acme: Account, freeswitch: Pbx
) -> None:
    erase(acme, CALLER, RECORDED - 2 * DAY)

    deliver(freeswitch, FREESWITCH)

    assert Call.objects.filter(peer=CALLER).exists()
    assert not Call.objects.filter(peer=erased(CALLER)).exists()


def test_another_account_keeps_its_calls_with_the_same_person(
    acme: Account, beta: Account, freeswitch: Pbx
) -> None:
    deliver(freeswitch, FREESWITCH)
    before = calls()

    erase(beta, CALLER)

    assert calls() == before


def test_what_was_not_priced_yet_costs_afterwards_what_it_would_have(
    acme: Account, freeswitch: Pbx
) -> None:
    deliver(freeswitch, FREESWITCH)
    cost = Call.objects.aggregate(Sum("cost"))
    dialled = next(iter(Call.objects.filter(kind="outgoing", cost__gt=0).values_list("peer")))[0]
    Charge.objects.all().delete()
    Call.objects.exclude(paid=[]).update(charging="pending", cost=None)
    for call in Call.objects.exclude(paid=[]):
        UnpricedCall.objects.create(account=acme, started_at=call.started_at, call_id=call.id)

    erase(acme, dialled)
    retry_unrated()
    charge_pending(NOW)

    assert Call.objects.aggregate(Sum("cost")) == cost


def test_the_preview_counts_what_the_erasure_then_erases(acme: Account, freeswitch: Pbx) -> None:
    deliver(freeswitch, FREESWITCH)
    called = next(iter(Call.objects.filter(kind="outgoing", cost__gt=0).values_list("peer")))[0]
    for number in (CALLER, called):
        expected = erasing.preview(acme, number)

        assert erase(acme, number).counts == expected
        assert set(expected) >= {"calls.Call", "calls.LegRecord", "calls.InboxRecord"}
        assert erasing.preview(acme, number) == {}


def test_records_of_nobody_and_unreadable_ones_lose_it_too(acme: Account, freeswitch: Pbx) -> None:
    unknown = next(each for each in freeswitch_scenarios() if each.name == "in_unknown_did#14")
    deliver(freeswitch, [*unknown.bodies, b'{"broken": "48601222333"'])
    caller = "+48" + next(
        run for run in ("609000114", "604555669", "601222333") if run in everything()
    )
    before = InboxRecord.objects.count()

    found = [erasing.preview(acme, number) for number in {caller, CALLER}]
    for number in {caller, CALLER}:
        erase(acme, number)

    assert sum(each["calls.InboxRecord"] for each in found) >= 1
    assert "601222333" not in everything() and caller[3:] not in everything()
    assert InboxRecord.objects.count() == before
    assert set(InboxRecord.objects.filter(reason="erased").values_list("state", "body")) == {
        ("expired", b"")
    }


def test_a_record_of_nobody_that_finds_its_owner_later_comes_in_without_the_number(
    acme: Account, freeswitch: Pbx
) -> None:
    unknown = next(each for each in freeswitch_scenarios() if each.name == "in_unknown_did#14")
    Number.objects.create(number="+48221000999", account=acme, since=LONG_AGO)
    deliver(freeswitch, unknown.bodies)
    caller = Call.objects.get().peer
    for table in (Call, InboxRecord):
        table.objects.all().delete()
    groups.forget(freeswitch, list(CallGroup.objects.values_list("pk", flat=True)))
    Number.objects.all().delete()
    erase(acme, caller)

    deliver(freeswitch, unknown.bodies, NOW)
    Number.objects.create(number="+48221000999", account=acme, since=LONG_AGO)
    InboxRecord.objects.update(state="pending")
    pipeline.fold_batch(freeswitch, NOW)

    assert Call.objects.get().peer == erased(caller)
    assert caller[3:] not in everything()


def test_under_a_legal_hold_it_waits_and_is_done_afterwards(acme: Account, freeswitch: Pbx) -> None:
    deliver(freeswitch, FREESWITCH)
    before = calls()
    holds.put_on(acme, last_day=NOW.date(), reason="Sąd", by=STAFF, now=RECORDED)

    waiting = erase(acme, CALLER)
    held = calls()
    done = erasing.work_off(NOW + 2 * DAY)

    assert (waiting.done_at, waiting.number, held) == (None, CALLER, before)
    assert done == 1
    assert "601222333" not in everything()


def test_cut_off_and_begun_again_it_ends_the_same_and_counts_each_row_once(
    acme: Account, freeswitch: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(freeswitch, FREESWITCH)
    expected = erasing.preview(acme, CALLER)
    real = erasing._erase_call
    calls_done: list[Any] = []

    def dying(*arguments: Any) -> None:
        if len(calls_done) == 2:
            raise KeyboardInterrupt
        real(*arguments)
        calls_done.append(arguments)

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "_erase_call", dying)
        with pytest.raises(KeyboardInterrupt):
            erase(acme, CALLER)
    erasing.work_off(NOW)

    assert Erasure.objects.get().counts == expected
    assert "601222333" not in everything()


def test_what_suppresses_a_number_goes_once_nothing_so_old_is_taken_any_more(
    acme: Account,
) -> None:
    erase(acme, CALLER, NOW)

    left = []
    for days in (365, 366):
        later = NOW + days * DAY
        purge.run(later, database=later)
        left.append(Suppression.objects.count())

    assert left == [1, 0]


def test_where_a_caller_is_named_is_known_of_every_kind_of_pbx() -> None:
    kinds = {source.partition("-")[0] for source in Pbx.Source.values}

    assert blanking.NAMES.keys() == kinds
