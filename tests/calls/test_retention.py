"""Forgetting: to the day in the account's zone, everywhere, with partitions made ahead and dropped behind."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Account
from billing.models import Charge
from calls import partitions
from calls.models import Call, InboxRecord, MovedCall, Pbx, UnpricedCall
from calls.retention.purge import run
from tests.builders import make_call

NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
# 365 local days before 23 November 2026, in Warsaw and in New York, where it is still the 22nd.
WARSAW_CUTOFF = datetime(2025, 11, 22, 23, 0, tzinfo=UTC)
NEW_YORK_CUTOFF = datetime(2025, 11, 22, 5, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

# Dropping a partition cannot run inside a transaction, so neither can these tests.
pytestmark = pytest.mark.django_db(transaction=True)


def purge(now: datetime = NOW) -> None:
    run(now, database=now)


def charge(call: Call, answered_at: datetime) -> Charge:
    partitions.ensure(Charge._meta.db_table, [partitions.month_of(answered_at)])
    return Charge.objects.create(
        account=call.account,
        answered_at=answered_at,
        id=call.id,
        call_started_at=call.started_at,
        call_id=call.id,
        number="+48501234567",
        seconds=1,
        estimated=False,
        amount=Decimal(1),
        currency="PLN",
        terms_id=1,
        charged_at=NOW,
    )


def test_a_call_is_kept_for_its_accounts_days_to_the_second_and_not_one_longer(
    acme: Account, beta: Account
) -> None:
    Account.objects.filter(pk=beta.pk).update(time_zone="America/New_York")
    kept = [make_call(acme, at=WARSAW_CUTOFF), make_call(beta, at=NEW_YORK_CUTOFF)]
    make_call(acme, at=WARSAW_CUTOFF - SECOND)
    make_call(beta, at=NEW_YORK_CUTOFF - SECOND)

    purge()

    assert set(Call.objects.values_list("account", "id")) == {
        (call.account_id, call.id) for call in kept
    }


def test_what_belongs_to_an_old_call_goes_with_it(acme: Account) -> None:
    old = make_call(acme, at=WARSAW_CUTOFF - SECOND)
    young = make_call(acme, at=WARSAW_CUTOFF)
    charge(old, WARSAW_CUTOFF + SECOND)
    kept = charge(young, WARSAW_CUTOFF + SECOND)
    for call in (old, young):
        where = {"account": acme, "started_at": call.started_at, "call_id": call.id}
        MovedCall.objects.create(**where)
        UnpricedCall.objects.create(**where)

    purge()

    assert [each.id for each in Charge.objects.all()] == [kept.id]
    assert [each.call_id for each in MovedCall.objects.all()] == [young.id]
    assert [each.call_id for each in UnpricedCall.objects.all()] == [young.id]


def test_an_account_may_keep_its_calls_for_less_time(acme: Account, beta: Account) -> None:
    Account.objects.filter(pk=beta.pk).update(retention_days=30)
    day = timedelta(days=1)
    kept = make_call(beta, at=NOW - 30 * day)
    make_call(beta, at=NOW - 32 * day)
    other = make_call(acme, at=NOW - 32 * day)

    purge()

    assert {call.id for call in Call.objects.all()} == {kept.id, other.id}


def test_raw_records_go_sooner_and_refused_ones_with_the_calls(freeswitch: Pbx) -> None:
    ages = {"folded": [13, 15], "expired": [13, 15], "quarantined": [15, 364, 366]}
    for state, days in ages.items():
        for age in days:
            InboxRecord.objects.create(
                pbx=freeswitch,
                received_at=NOW - timedelta(days=age),
                body=b"",
                digest=f"{state} {age}".encode(),
                state=state,
            )

    purge()

    left = InboxRecord.objects.order_by("id").values_list("digest", flat=True)
    assert [bytes(digest).decode() for digest in left] == [
        "folded 13",
        "expired 13",
        "quarantined 15",
        "quarantined 364",
    ]


def test_whole_months_behind_are_dropped_and_the_next_ones_are_there(acme: Account) -> None:
    for table in (Call._meta.db_table, Charge._meta.db_table):
        partitions.ensure(table, [date(2025, 9, 1), date(2025, 10, 1), date(2025, 11, 1)])

    purge()

    for table in (Call._meta.db_table, Charge._meta.db_table):
        months = list(partitions.existing(table))
        assert min(months) == date(2025, 11, 1)
        assert {date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)} <= set(months)
