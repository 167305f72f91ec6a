"""How each PBX is doing, in the words of the pages: last record, complete until, what waits, what is usual."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import Account
from calls.habit import WEEKS, Calendar, Habit
from calls.ingest.source_counts import LATE_COMMITS, hour_of
from calls.models import (
    FollowedFile,
    InboxRecord,
    Number,
    Pbx,
    Silence,
    SourceFinding,
    SourceHour,
    TenantCode,
)

PENDING = InboxRecord.State.PENDING
# What a PBX that was given up does not hold back.
FORGOTTEN = timedelta(days=35)
# A follower looks at its file far more often: what came so much later came another way.
ANOTHER_WAY = timedelta(hours=1)
NEVER = datetime.min.replace(year=1900, tzinfo=UTC)
HOLIDAYS = holidays.country_holidays("PL")


@dataclass(frozen=True, slots=True)
class Source:
    """A PBX and how it is doing; times None: never, or none.

    Last received and ended are rows of calls. ``followed_at``: until when its files were read to their ends; None also
    where its rows come another way by now. ``oldest_waiting``: when the oldest record that still waits to be folded
    came, those left out that are tried again.
    """

    pbx: Pbx
    last_received: datetime | None
    last_ended: datetime | None
    oldest_waiting: datetime | None
    followed_at: datetime | None
    silent_since: datetime | None

    @property
    def complete_until(self) -> datetime | None:
        """Until when all calls that ended are on the lists, as far as can be known.

        A file that is followed tells it itself. A PBX that sends is known to have sent everything until the end of its
        latest call. What still waits here is not on the lists.
        """
        known = self.followed_at
        if known is None and self.last_received and self.last_ended:
            known = min(self.last_received, self.last_ended)
        if known is None or self.oldest_waiting is None:
            return known
        return min(known, self.oldest_waiting)


@dataclass(frozen=True, slots=True)
class Watched:
    """A source with the figures that only the operator sees; ``usual`` None: no habit is known yet."""

    source: Source
    waiting: int
    refused: int
    findings: int
    this_hour: int
    usual: float | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a customer is told: until when the lists are complete, and since when a PBX of theirs is silent."""

    complete_until: datetime | None
    silent_since: datetime | None


def calendar() -> Calendar:
    """That of the operator's country."""
    return Calendar(ZoneInfo(settings.TIME_ZONE), HOLIDAYS.__contains__)


def sources(pbxes: QuerySet[Pbx]) -> list[Source]:
    """These PBXes by name, in one query."""
    waiting = InboxRecord.objects.filter(pbx=OuterRef("pk"), state=PENDING).order_by("pk")
    # Records are folded as they came: what waits from long before the latest folded one is tried again.
    folded = Coalesce(OuterRef("state__last_received_at"), Value(NEVER))
    waiting = waiting.filter(received_at__gt=folded - LATE_COMMITS)
    read = FollowedFile.objects.filter(
        pbx=OuterRef("pk"), holds_rows=True, checked_at__isnull=False
    )
    open_silence = Silence.objects.filter(pbx=OuterRef("pk"), ended_at=None)
    found = pbxes.order_by("name").annotate(
        received=F("state__last_received_at"),
        ended=F("state__last_ended_at"),
        waiting_since=Subquery(waiting.values("received_at")[:1]),
        read_at=ArraySubquery(read.values("checked_at")),
        silent=Subquery(open_silence.values("since")[:1]),
    )
    return [
        Source(
            each,
            each.received,
            each.ended,
            each.waiting_since,
            _followed_at(each.read_at, each.received),
            each.silent,
        )
        for each in found
    ]


def _followed_at(read: Sequence[datetime], received: datetime | None) -> datetime | None:
    """Until when all followed files were read, without those given up long ago; None if all of them were."""
    latest = max(read, default=None)
    if latest is None or (received and received > latest + ANOTHER_WAY):
        return None
    return min(each for each in read if each > latest - FORGOTTEN)


def freshness(account: Account, now: datetime) -> Freshness:
    """How complete the account's lists are; one query."""
    known = [each for each in sources(serving(account)) if _is_alive(each, now)]
    complete = [each.complete_until for each in known if each.complete_until]
    silent = [each.silent_since for each in known if each.silent_since]
    return Freshness(min(complete, default=None), min(silent, default=None))


def _is_alive(source: Source, now: datetime) -> bool:
    return source.last_received is not None and source.last_received > now - FORGOTTEN


def serving(account: Account) -> QuerySet[Pbx]:
    """The active PBXes that may carry calls of the account.

    Those that name it; and those that name nobody, whose calls find their owners by number, if it holds one.
    """
    codes = TenantCode.objects.filter(pbx=OuterRef("pk"))
    holds_number = Exists(Number.objects.filter(account=account))
    shared = Q(account=None) & (
        Exists(codes.filter(account=account)) | (~Exists(codes) & holds_number)
    )
    return Pbx.objects.filter(Q(account=account) | shared, is_active=True)


def watched(now: datetime) -> list[Watched]:
    """All PBXes as the operator sees them, by name; the same number of queries however many there are."""
    hour = hour_of(now)
    waiting = _counts(InboxRecord.objects.filter(state=PENDING))
    refused = _counts(InboxRecord.objects.refused())
    findings = _counts(SourceFinding.objects.all())
    # Of nine weeks only the hours that are compared.
    compared = SourceHour.objects.filter(hour__in=[hour, *calendar().same_hours(hour)])
    habits = _habits(Pbx.objects.all(), compared)
    return [
        Watched(
            source,
            waiting.get(source.pbx.pk, 0),
            refused.get(source.pbx.pk, 0),
            findings.get(source.pbx.pk, 0),
            habits[source.pbx.pk].counts.get(hour, 0) if source.pbx.pk in habits else 0,
            habits[source.pbx.pk].usual(hour) if source.pbx.pk in habits else None,
        )
        for source in sources(Pbx.objects.all())
    ]


def habit_of(pbx: Pbx, now: datetime) -> Habit | None:
    """How many rows this PBX usually sends; None before its first one."""
    since = hour_of(now) - timedelta(weeks=WEEKS + 2)
    hours = SourceHour.objects.filter(pbx=pbx, hour__gte=since)
    return _habits(Pbx.objects.filter(pk=pbx.pk), hours).get(pbx.pk)


def _habits(pbxes: QuerySet[Pbx], hours: QuerySet[SourceHour]) -> dict[int, Habit]:
    counts: dict[int, dict[datetime, int]] = defaultdict(dict)
    calls: dict[int, dict[datetime, int]] = defaultdict(dict)
    rows = F("records") - F("events")
    for pk, hour, count, new in hours.values_list("pbx_id", "hour", rows, "calls"):
        counts[pk][hour], calls[pk][hour] = count, new
    # The first hour of each is found by its key, and not among all hours of all.
    first = SourceHour.objects.filter(pbx=OuterRef("pk"), records__gt=F("events")).order_by("hour")
    began = pbxes.order_by().annotate(began=Subquery(first.values("hour")[:1]))
    return {
        pk: Habit(counts[pk], since, calendar(), calls[pk])
        for pk, since in began.values_list("pk", "began")
        if since is not None
    }


def _counts(rows: QuerySet[Any]) -> dict[int, int]:
    return dict(rows.order_by().values_list("pbx_id").annotate(count=Count("pk")))
