import logging
from typing import Any

from celery import Task, shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from billing import charging, mailing, rerating, watching
from billing.pricefiles import imports

logger = logging.getLogger("callpanel.billing")


def soon(task: "Task[Any, Any]") -> None:
    """Start a task now. Where the broker is away, beat starts it a little later: each finds its own work."""
    try:
        task.apply_async(retry=False)
    except OperationalError:
        logger.warning("the broker is away; beat will start %s", task.name)


@shared_task
def charge_pending() -> None:
    charging.charge_pending(timezone.now())


@shared_task
def retry_unrated() -> None:
    charging.retry_unrated()


@shared_task
def rerate() -> None:
    rerating.work(timezone.now())


@shared_task
def work_price_imports() -> None:
    imports.work(timezone.now())


@shared_task
def watch_costs() -> None:
    watching.watch(timezone.now())


@shared_task
def send_cost_mails() -> None:
    mailing.send_waiting(timezone.now())
