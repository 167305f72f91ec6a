"""What billing keeps beside the calls is forgotten with them, and says nothing of an erased number."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Account
from billing.models import Bundle, BundleUse, Charge, ChargeChange, Notice, NoticeMail
from calls import partitions
from calls.erasure import erasing
from calls.models import Call
from calls.retention import proof, purge
from calls.retention.cutoffs import cutoff_on
from tests.billing.paid import paid_call
from tests.conftest import RECORDED

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
# Kept for 30 days: after the night of 23 November the first call that stays is of 24 October.
NIGHT = date(2026, 11, 23)


@pytest.fixture
def brief(acme: Account) -> Account:
    acme.retention_days = 30
    acme.save()
    return acme


def notice(account: Account, at: datetime) -> Notice:
    made = Notice.objects.create(
        account=account, key=f"first:{at}", kind="first_call", facts={"calls": []}, created_at=at
    )
    NoticeMail.objects.create(notice=made, address="biuro@acme.example", next_try_at=at)
    return made


def change(account: Account, at: datetime) -> None:
    partitions.ensure(ChargeChange._meta.db_table, [partitions.month_of(at)])
    ChargeChange.objects.create(
        account=account,
        answered_at=at,
        charge_id=1,
        id=1,
        changed_at=at,
        cause="rerating",
        old_amount=Decimal(1),
        old_terms_id=1,
        old_seconds=60,
        old_bundle_seconds=0,
    )


def use(bundle: Bundle, month: date) -> None:
    at = datetime(month.year, month.month, 2, tzinfo=RECORDED.tzinfo)
    partitions.ensure(BundleUse._meta.db_table, [month])
    BundleUse.objects.create(
        account=bundle.account, month=month, answered_at=at, charge_id=1, bundle=bundle, seconds=60
    )


def test_charges_their_changes_and_notices_go_to_the_day_and_bundles_to_the_month(
    brief: Account,
) -> None:
    cutoff = cutoff_on(NIGHT, 30, brief.tz)
    bundle = Bundle.objects.create(
        account=brief, name="100", seconds=6000, classes=["mobile"], since=date(2026, 1, 1)
    )
    for at in (cutoff - DAY / 24, cutoff):
        paid_call(brief, at=at)
        change(brief, at)
        notice(brief, at)
    for month in (date(2026, 9, 1), date(2026, 10, 1)):
        use(bundle, month)

    assert set(proof.left_of(brief, cutoff)) == {
        *("calls.Call", "billing.Charge", "billing.ChargeChange", "billing.Notice"),
        "billing.BundleUse",
    }
    purge.run(RECORDED, database=RECORDED)

    assert list(Call.objects.values_list("started_at", flat=True)) == [cutoff]
    assert list(Charge.objects.values_list("call_started_at", flat=True)) == [cutoff]
    assert list(ChargeChange.objects.values_list("answered_at", flat=True)) == [cutoff]
    assert list(NoticeMail.objects.values_list("notice__created_at", flat=True)) == [cutoff]
    # The use of October is still needed for what is left of it.
    assert list(BundleUse.objects.values_list("month", flat=True)) == [date(2026, 10, 1)]
    assert proof.left_of(brief, cutoff) == {}
    receipt = brief.receipts.get(night=NIGHT)
    assert receipt.counts == {
        "calls.Call": 1,
        "billing.Charge": 1,
        "billing.ChargeChange": 1,
        "billing.Notice": 1,
        "billing.BundleUse": 1,
    }
    assert receipt.left == {}


def test_an_erased_number_is_masked_in_its_charges_and_their_sums_stay(acme: Account) -> None:
    for number in ("+48501234567", "+48501234568"):
        paid_call(acme, "2.5", number=number, at=RECORDED - DAY)
    change(acme, RECORDED - DAY)
    made = notice(acme, RECORDED - DAY)

    erasing.request(acme, "+48501234567", by="olga@operator.example", now=RECORDED)
    erasing.work_off(RECORDED)

    charges = Charge.objects.order_by("id").values_list("number", "amount")
    assert sorted(charges) == [
        ("+48501234568", Decimal("2.5")),
        ("+48501xxxxxx", Decimal("2.5")),
    ]
    assert erasing.preview(acme, "+48501234567") == {}
    told = [repr(row) for model in (ChargeChange, Notice) for row in model.objects.values()]
    assert len(told) == 2 and not any("234567" in each for each in told)
    assert Notice.objects.get().pk == made.pk
