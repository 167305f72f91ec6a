"""What charging keeps goes with its calls; what bundles were used for stays until the whole month is too old."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Account
from billing import rerating
from billing.charging import charge_pending
from billing.models import Bundle, BundleUse, Charge, ChargeChange
from calls import partitions
from calls.retention import purge
from tests.billing.calls_to_charge import POLISH, SECOND, dial, make_list

# Dropping a partition cannot run inside a transaction.
pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CUTOFF = datetime(2025, 11, 22, 23, 0, tzinfo=UTC)


def test_changes_go_with_their_calls_and_uses_with_their_month(acme: Account) -> None:
    price_list = make_list(acme, {"48": "0.60"})
    Bundle.objects.create(
        account=acme, name="F", seconds=10, classes=["domestic"], since=date(2025, 1, 1)
    )
    october = datetime(2025, 10, 31, 22, 0, tzinfo=UTC)
    for at in (october, CUTOFF - SECOND, CUTOFF):
        dial(acme, POLISH, at)
    charge_pending(NOW)
    price_list.rates.update(per_minute=Decimal(1))
    order = rerating.request(
        start=NOW - timedelta(days=400), end=NOW, by=None, reason="typo", now=NOW
    )
    rerating.work(NOW)
    rerating.start(order)
    rerating.work(NOW)
    before = (Charge.objects.count(), ChargeChange.objects.count(), BundleUse.objects.count())

    purge.run(NOW, database=NOW)

    kept = [
        set(model.objects.values_list("answered_at", flat=True)) for model in (Charge, ChargeChange)
    ]
    months = set(BundleUse.objects.values_list("month", flat=True))
    assert before == (3, 3, 2)
    assert (kept, months) == ([{CUTOFF}, {CUTOFF}], {date(2025, 11, 1)})


def test_whole_months_are_dropped_and_the_next_ones_are_there() -> None:
    tables = [model._meta.db_table for model in (Charge, ChargeChange, BundleUse)]
    Account.objects.create(name="A", slug="a")
    for table in tables:
        partitions.ensure(table, [date(2025, 10, 1), date(2025, 11, 1)])

    purge.run(NOW, database=NOW)

    for table in tables:
        months = list(partitions.existing(table))
        assert months[0] == date(2025, 11, 1)
        assert {date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)} <= set(months)
