"""A legal hold: until its day is over nothing of the account is deleted, whoever else's is."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import Account, AuditEntry
from calls import partitions
from calls.ingest import inbox, pipeline
from calls.models import Call, Pbx, Receipt
from calls.retention import holds, purge
from tests.builders import make_call
from tests.conftest import RECORDED
from tests.records import freeswitch_scenarios

pytestmark = pytest.mark.django_db(transaction=True)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CUTOFF = datetime(2025, 11, 22, 23, 0, tzinfo=UTC)
STAFF = "olga@operator.example"


def run(now: datetime = NOW) -> None:
    purge.run(now, database=now)


def hold(account: Account, last_day: date, now: datetime = NOW - DAY) -> None:
    holds.put_on(account, last_day=last_day, reason="Sąd", by=STAFF, now=now)


def moments() -> list[datetime]:
    return list(Call.objects.order_by("started_at").values_list("started_at", flat=True))


def test_nothing_of_a_held_account_goes_and_all_of_others(acme: Account, beta: Account) -> None:
    kept = [CUTOFF - 100 * DAY, CUTOFF - SECOND]
    for at in kept:
        make_call(acme, at=at)
        make_call(beta, at=at)
    hold(acme, date(2026, 12, 31))

    run()

    assert moments() == kept
    # The month that holds the account's call is not dropped, those before it are.
    assert min(partitions.existing("calls_call")) == date(2025, 8, 1)
    receipts = Receipt.objects.filter(account__isnull=False).order_by("account")
    assert [(each.held, each.deleted) for each in receipts] == [(True, 0), (False, 2)]


def test_the_night_after_its_last_day_deletes_everything(acme: Account) -> None:
    for at in (CUTOFF - 100 * DAY, CUTOFF - SECOND, CUTOFF):
        make_call(acme, at=at)
    hold(acme, date(2026, 11, 23))

    run()
    held = len(moments())
    run(NOW + DAY)

    assert (held, moments()) == (3, [])


def test_a_hold_that_is_lifted_is_over(acme: Account) -> None:
    make_call(acme, at=CUTOFF - SECOND)
    hold(acme, date(2026, 12, 31))
    holds.lift(acme, by=STAFF, now=NOW - SECOND)

    run()

    assert moments() == []
    entries = AuditEntry.objects.order_by("pk").values_list("by", "action", "detail")
    assert list(entries) == [
        (STAFF, "hold", "through 2026-12-31: Sąd"),
        (STAFF, "hold lifted", ""),
    ]


def test_a_longer_hold_still_counts_from_the_first_day(acme: Account) -> None:
    hold(acme, date(2026, 11, 30))
    hold(acme, date(2027, 11, 30), now=NOW + DAY)

    acme.refresh_from_db()

    assert acme.held_since == NOW - DAY
    assert holds.last_day(acme) == date(2027, 11, 30)


def test_a_record_that_comes_again_takes_no_held_call_away(acme: Account, freeswitch: Pbx) -> None:
    bodies = freeswitch_scenarios()[0].bodies
    inbox.receive(freeswitch, bodies, now=RECORDED)
    pipeline.fold_batch(freeswitch, RECORDED)
    before = list(Call.objects.values())
    hold(acme, date(2028, 12, 31), now=RECORDED + DAY)
    later = RECORDED + 366 * DAY

    inbox.receive(freeswitch, [body + b"\n" for body in bodies], now=later)
    pipeline.fold_batch(freeswitch, later)

    assert list(Call.objects.values()) == before
    assert len(before) == 1
