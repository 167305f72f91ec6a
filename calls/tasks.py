from celery import shared_task
from django.utils import timezone

from calls import retention, silences, source_findings
from calls.ingest import assigning, pipeline, quarantine, source_counts


@shared_task
def fold_inbox() -> None:
    pipeline.fold_inbox()


@shared_task
def settle() -> None:
    pipeline.settle(timezone.now())


@shared_task
def purge() -> None:
    retention.purge(timezone.now())


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
