"""Imports of prices worked off by the worker. What is to be done is in the database; doing it twice changes nothing."""

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from billing.models import PriceList, PriceListImport
from billing.pricefiles import stored, touched
from billing.pricefiles.comparing import Comparison, compare
from billing.pricefiles.reading import FileContent, Progress, Reader, RefusedError, read
from billing.pricefiles.report import report

logger = logging.getLogger("callpanel.billing")
State = PriceListImport.State
# A worker that says nothing for so long is gone, and another one begins anew.
LEASE = timedelta(minutes=2)


def operator_zone() -> ZoneInfo:
    """In which the dates of price lists are meant."""
    return ZoneInfo(settings.TIME_ZONE)


def work(now: datetime) -> int:
    """Compare what waits, apply what was ordered; returns the number of imports worked off."""
    done = 0
    while (pk := _claim()) is not None:
        _work_one(pk, now)
        done += 1
    return done


def _claim() -> int | None:
    """The oldest import that nobody is at, which is ours from now on."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=Now() - LEASE)
    waiting = PriceListImport.objects.filter(free, state__in=[State.WAITING, State.ORDERED])
    for pk in waiting.order_by("id").values_list("pk", flat=True):
        if waiting.filter(pk=pk).update(claimed_at=Now()):
            return int(pk)
    return None


def _work_one(pk: int, now: datetime) -> None:
    order = PriceListImport.objects.select_related("price_list").get(pk=pk)
    try:
        if order.state == State.ORDERED:
            _apply(order, now)
        else:
            _compare(order, now)
    except RefusedError as error:
        _finish(
            order,
            State.REFUSED,
            now,
            report={"refusal": error.refusal.value, "detail": error.detail},
        )
    except (OperationalError, InterfaceError):
        raise  # The database is away: the file is taken up again.
    except Exception:
        # Nobody gains from trying a file again and again on which our own code fails.
        logger.exception("import of prices %d", pk)
        _finish(order, State.REFUSED, now, report={"refusal": "error", "detail": ""})


def _compare(order: PriceListImport, now: datetime) -> None:
    revision = order.price_list.revision
    file, comparison = _found(order, order.price_list, _progress(order))
    count = touched.charged_calls(order.price_list, comparison, now)
    PriceListImport.objects.filter(pk=order.pk, state=State.WAITING).update(
        state=State.READY,
        report=report(comparison, file.unused, count) | {"again": order.report.get("again", False)},
        revision=revision,
        claimed_at=None,
    )


def _found(
    order: PriceListImport, price_list: PriceList, progress: Progress
) -> tuple[FileContent, Comparison]:
    reader = Reader(operator_zone(), price_list.currency, price_list.basis)
    file = read(bytes(order.content), reader, progress)
    versions = stored.versions(price_list)
    return file, compare(file, versions, order.effective, complete=order.is_complete)


def _progress(order: PriceListImport) -> Progress:
    def note(done: int, total: int) -> None:
        PriceListImport.objects.filter(pk=order.pk).update(done=done, total=total, claimed_at=Now())

    return note


def _apply(order: PriceListImport, now: datetime) -> None:
    """Change the list, or show the operator what is different from what they said yes to."""
    with transaction.atomic():
        price_list = PriceList.objects.select_for_update().get(pk=order.price_list_id)
        if not PriceListImport.objects.select_for_update().filter(pk=order.pk, state=State.ORDERED):
            return
        _file, comparison = _found(order, price_list, lambda done, total: None)
        if not _is_surprise(order, price_list, comparison, now):
            stored.write(price_list, comparison.changes)
            _finish(order, State.DONE, now)
            return
    PriceListImport.objects.filter(pk=order.pk).update(
        state=State.WAITING,
        claimed_at=None,
        accepts_findings=False,
        accepts_past=False,
        report={"again": True},
    )


def _is_surprise(
    order: PriceListImport, price_list: PriceList, comparison: Comparison, now: datetime
) -> bool:
    """Whether the operator would now do something else than what they saw and said yes to."""
    earliest = comparison.earliest()
    return (
        price_list.revision != order.revision
        or (bool(comparison.findings) and not order.accepts_findings)
        or (earliest is not None and earliest < now and not order.accepts_past)
    )


def _finish(
    order: PriceListImport, state: PriceListImport.State, now: datetime, **more: object
) -> None:
    PriceListImport.objects.filter(pk=order.pk).update(
        state=state, finished_at=now, claimed_at=None, **more
    )
