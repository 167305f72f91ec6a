"""A PBX that fell silent: noticed by its own habit, told by mail once, and once when it is over.

What was noticed and what was told is kept: a check that runs twice changes nothing, and a mail server that is away only
delays.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calls.habit import Habit, is_silent
from calls.health import Source, habit_of, sources
from calls.ingest import source_counts
from calls.models import InboxRecord, Pbx, Silence, SourceState

logger = logging.getLogger("callpanel.health")
# A PBX that sent so lately is not silent, whatever its habit.
LATELY = timedelta(minutes=5)


class Event(NamedTuple):
    """What is told of a silence, when it is due, and in which column it is kept that it was told."""

    name: str
    subject: Promise
    due: Q
    told: str


BEGAN = Event("began", _("PBX %(pbx)s has fallen silent"), Q(began_told_at=None), "began_told_at")
ENDED = Event(
    "ended",
    _("PBX %(pbx)s sends again"),
    Q(ended_at__isnull=False, end_told_at=None),
    "end_told_at",
)


def check(now: datetime) -> None:
    """Notice silences that began or ended, and tell of them. Safe to repeat."""
    for source in sources(Pbx.objects.all()):
        if source.silent_since is not None:
            _notice_end(source, source.silent_since, now)
        elif source.pbx.is_active:
            _notice_beginning(source, now)
    tell(now)


def _notice_beginning(source: Source, now: datetime) -> None:
    last = _last_received(source)
    if last is None or now - last < LATELY:
        return
    habit = habit_of(source.pbx, now)
    if habit is None:
        return
    expected = habit.expected(last, now)
    if is_silent(expected, _records_per_call(source.pbx, habit)):
        silence = Silence(pbx=source.pbx, since=last, expected=round(expected))
        # Another worker may have noticed it in the same moment.
        Silence.objects.bulk_create([silence], ignore_conflicts=True)


def _last_received(source: Source) -> datetime | None:
    """The receipt of the latest row, folded or not."""
    waiting = InboxRecord.objects.filter(pbx=source.pbx, state=InboxRecord.State.PENDING)
    latest = (
        source_counts.rows(waiting).order_by("-pk").values_list("received_at", flat=True).first()
    )
    return max((each for each in (source.last_received, latest) if each), default=None)


def _records_per_call(pbx: Pbx, habit: Habit) -> float:
    """As in the weeks of the habit; while they do not tell, as since the beginning, with events: that alarms less."""
    if habit.records_per_call is not None:
        return habit.records_per_call
    state = SourceState.objects.filter(pbx=pbx).first()
    return state.folded / state.calls if state and state.calls else 1.0


def _notice_end(source: Source, since: datetime, now: datetime) -> None:
    silence = Silence.objects.filter(pbx=source.pbx, ended_at=None)
    if not source.pbx.is_active:
        # It was switched off: nobody waits for it any more.
        silence.update(ended_at=now, began_told_at=now, end_told_at=now)
        return
    last = _last_received(source)
    if last is not None and last > since:
        silence.update(ended_at=last)


def tell(now: datetime) -> None:
    """Send the mails that were not sent yet; those that cannot be sent now wait."""
    for pk in (
        Silence.objects.filter(BEGAN.due | ENDED.due).order_by("pk").values_list("pk", flat=True)
    ):
        try:
            _tell_once(pk, BEGAN, now)
            _tell_once(pk, ENDED, now)
        except (SMTPException, OSError) as error:
            logger.warning("cannot tell of silence %s, will try again: %s", pk, error)


def _tell_once(pk: int, event: Event, now: datetime) -> None:
    """Send one mail and mark it as sent while its row is locked, so that no two workers send it."""
    with transaction.atomic():
        due = Silence.objects.filter(event.due, pk=pk).select_related("pbx")
        silence = due.select_for_update(skip_locked=True, of=("self",)).first()
        if silence is not None:
            _send(silence, event)
            Silence.objects.filter(pk=pk).update(**{event.told: now})


def _send(silence: Silence, event: Event) -> None:
    """To the operator; to nobody where no address is set."""
    with translation.override(settings.LANGUAGE_CODE):
        page = settings.PUBLIC_URL + reverse("source", args=[silence.pbx.name])
        text = render_to_string(
            f"mail/silence_{event.name}.txt", {"silence": silence, "page": page}
        )
        # The same however often it is tried, so that a mailbox can tell a repetition.
        host = urlsplit(settings.PUBLIC_URL).hostname
        EmailMessage(
            str(event.subject) % {"pbx": silence.pbx.name},
            text,
            to=settings.OPERATOR_EMAILS,
            headers={"Message-ID": f"<silence-{silence.pk}-{event.name}@{host}>"},
        ).send()
