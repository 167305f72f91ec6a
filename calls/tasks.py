from contextlib import suppress

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from calls import silences, source_findings
from calls.erasure import erasing
from calls.ingest import assigning, feed, pipeline, quarantine, source_counts
from calls.retention import clock
from calls.retention import purge as purging


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
    """A minute's worth of what is due, then the next task: a long one would be given to a second worker."""
    if purging.run_slice(timezone.now(), database=clock.of_database()):
        with suppress(OperationalError):  # The broker is away; beat asks again soon.
            purge.apply_async(retry=False)


@shared_task
def erase_numbers() -> None:
    erasing.work_off(timezone.now())


@shared_task
def bring_in_assigned() -> None:
    if assigning.bring_in_assigned():
        pipeline.fold_inbox()


@shared_task
def carry_out_decisions() -> None:
    if quarantine.carry_out(timezone.now()):
        pipeline.fold_inbox()


@shared_task
def count_receipts() -> None:
    source_counts.recount_receipts(timezone.now())


@shared_task
def check_silences() -> None:
    silences.check(timezone.now())


@shared_task
def examine_sources() -> None:
    source_findings.examine_all(timezone.now())
