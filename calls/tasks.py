from celery import shared_task
from django.utils import timezone

from calls import retention
from calls.ingest import feed, pipeline


@shared_task
def fold_inbox() -> None:
    pipeline.fold_inbox()


@shared_task
def take_feed() -> None:
    if feed.take(timezone.now()):
        pipeline.fold_inbox()


@shared_task
def settle() -> None:
    pipeline.settle(timezone.now())


@shared_task
def purge() -> None:
    retention.purge(timezone.now())
