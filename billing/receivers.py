"""What makes charging start early. The sweep in beat finds the same work by itself."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from kombu.exceptions import OperationalError

from accounts.models import Account
from billing import tasks
from billing.charging import retry_unrated
from billing.models import (
    AccountPriceList,
    BundleUse,
    Charge,
    ChargeChange,
    Notice,
    PriceList,
    Rate,
)
from calls import partitions
from calls.retention import delete_in_batches
from calls.signals import partitions_due, purging, unpriced_calls_stored

logger = logging.getLogger("callpanel.billing")


@receiver(unpriced_calls_stored)
def charge_soon(**kwargs: Any) -> None:
    try:
        tasks.charge_pending.apply_async(retry=False)
    except OperationalError:
        logger.warning("the broker is away; the sweep will charge the calls")


@receiver(post_save, sender=Rate)
@receiver(post_delete, sender=Rate)
def renew_list(instance: Rate, **kwargs: Any) -> None:
    PriceList.touch([instance.price_list_id])


@receiver(post_save, sender=Rate)
@receiver(post_save, sender=PriceList)
@receiver(post_save, sender=AccountPriceList)
def retry_when_prices_change(**kwargs: Any) -> None:
    if retry_unrated():
        transaction.on_commit(charge_soon, robust=True)


@receiver(purging)
def purge_charges(account: Account, cutoff: datetime, **kwargs: Any) -> None:
    delete_in_batches(lambda: Charge.objects.filter(account=account, call_started_at__lt=cutoff))
    delete_in_batches(lambda: ChargeChange.objects.filter(account=account, answered_at__lt=cutoff))
    delete_in_batches(lambda: Notice.objects.filter(account=account, created_at__lt=cutoff))
    month = cutoff.astimezone(account.tz).date().replace(day=1)
    delete_in_batches(lambda: BundleUse.objects.filter(account=account, month__lt=month))


@receiver(partitions_due)
def keep_charge_partitions(
    months: Sequence[date] = (), drop_before: date | None = None, **kwargs: Any
) -> None:
    for model in (Charge, ChargeChange, BundleUse):
        partitions.ensure(model._meta.db_table, months)
        if drop_before is not None:
            partitions.drop_before(model._meta.db_table, drop_before)
