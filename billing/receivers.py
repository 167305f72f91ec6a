"""What makes charging start early. The sweep in beat finds the same work by itself."""

import logging
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from kombu.exceptions import OperationalError

from billing import tasks
from billing.charging import retry_unrated
from billing.models import AccountPriceList, PriceList, Rate
from calls.signals import unpriced_calls_stored

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
