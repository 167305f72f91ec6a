"""Telling the operator that something keeps the purge from its promise: in the log, on a page, and by one mail."""

import logging
from collections.abc import Collection
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from calls.models import PurgeAlarm

logger = logging.getLogger("callpanel.retention")
Kind = PurgeAlarm.Kind
CLOCKS = (Kind.CLOCKS_DIFFER, Kind.CLOCK_AHEAD, Kind.CLOCK_BEHIND)


def sound(kind: Kind, details: dict[str, Any], now: datetime) -> None:
    """Raise the alarm, or keep it up with what is the matter now; the mail is tried until it has gone."""
    alarm = _open(kind, details, now)
    PurgeAlarm.objects.filter(pk=alarm.pk).update(details=details)
    alarm.details = details
    logger.error("%s", alarm.message)
    if alarm.mailed_at is None and _mail(alarm):
        PurgeAlarm.objects.filter(pk=alarm.pk).update(mailed_at=now)


def settle(kinds: Collection[Kind], now: datetime, by: str = "") -> None:
    """All is well again with these; ``by``: the person who says so."""
    PurgeAlarm.objects.filter(kind__in=kinds, settled_at__isnull=True).update(
        settled_at=now, settled_by=by
    )


def confirm_clock(now: datetime, *, by: str) -> None:
    """A person, or a command that a person runs, says that the clock is right, asked or not."""
    settle([Kind.CLOCK_AHEAD], now, by)
    PurgeAlarm.objects.create(
        kind=Kind.CLOCK_AHEAD, details={}, since=now, mailed_at=now, settled_at=now, settled_by=by
    )


def last_confirmed() -> datetime | None:
    """When a person last said that the clock is right."""
    confirmed = PurgeAlarm.objects.filter(kind=Kind.CLOCK_AHEAD).exclude(settled_by="")
    return confirmed.order_by("-settled_at").values_list("settled_at", flat=True).first()


def _open(kind: Kind, details: dict[str, Any], now: datetime) -> PurgeAlarm:
    unsettled = PurgeAlarm.objects.filter(kind=kind, settled_at__isnull=True)
    if found := unsettled.first():
        return found
    try:
        with transaction.atomic():
            return PurgeAlarm.objects.create(kind=kind, details=details, since=now)
    except IntegrityError:
        return unsettled.get()  # Another worker noticed it in the same moment.


def _mail(alarm: PurgeAlarm) -> bool:
    """Whether the mail went, or nobody wants one."""
    if not settings.OPERATOR_EMAILS:
        return True
    text = f"{alarm.message}\n\n{settings.PUBLIC_URL}{reverse('receipts')}\n"
    subject = _("callpanel: deleting old data needs you")
    try:
        send_mail(subject, text, None, settings.OPERATOR_EMAILS)
    except (OSError, SMTPException):
        logger.warning("the mail about the purge did not go; it is tried again", exc_info=True)
        return False
    return True
