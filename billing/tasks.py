from celery import shared_task
from django.utils import timezone

from billing import charging, rerating


@shared_task
def charge_pending() -> None:
    charging.charge_pending(timezone.now())


@shared_task
def retry_unrated() -> None:
    charging.retry_unrated()


@shared_task
def rerate() -> None:
    rerating.work(timezone.now())
