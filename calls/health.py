"""How each PBX is doing, in the words of the pages: last record, complete until, what waits, what is usual."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from django.conf import settings
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery

from accounts.models import Account
from calls.habit import WEEKS, Calendar, Habit
from calls.ingest.source_counts import hour_of
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
HOLIDAYS = holidays.country_holidays("PL")


@dataclass(frozen=True, slots=True)
class Source:
    """A PBX and how it is doing; times None: never, or none.

    ``followed_at``: when its file was last read to the end. ``oldest_waiting``: when the oldest record that still waits
    to be folded came.
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
    read = FollowedFile.objects.filter(pbx=OuterRef("pk")).order_by()
    open_silence = Silence.objects.filter(pbx=OuterRef("pk"), ended_at=None)
    found = pbxes.order_by("name").annotate(
        received=F("state__last_received_at"),
        ended=F("state__last_ended_at"),
        waiting_since=Subquery(waiting.values("received_at")[:1]),
        read_at=Subquery(read.values("pbx").annotate(at=Max("checked_at")).values("at")),
        silent=Subquery(open_silence.values("since")[:1]),
    )
    return [
        Source(each, each.received, each.ended, each.waiting_since, each.read_at, each.silent)
        for each in found
    ]


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
    habits = _habits(SourceHour.objects.filter(hour__in=[hour, *calendar().same_hours(hour)]))
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
    """What this PBX usually sends; None before its first record."""
    since = hour_of(now) - timedelta(weeks=WEEKS + 2)
    return _habits(SourceHour.objects.filter(pbx=pbx, hour__gte=since)).get(pbx.pk)


def _habits(hours: QuerySet[SourceHour]) -> dict[int, Habit]:
    counts: dict[int, dict[datetime, int]] = defaultdict(dict)
    for pbx_id, hour, records in hours.values_list("pbx_id", "hour", "records"):
        counts[pbx_id][hour] = records
    first = SourceHour.objects.filter(records__gt=0).order_by().values_list("pbx_id")
    began = dict(first.annotate(first=Min("hour")))
    return {pk: Habit(counts[pk], began[pk], calendar()) for pk in began}


def _counts(rows: QuerySet[Any]) -> dict[int, int]:
    return dict(rows.order_by().values_list("pbx_id").annotate(count=Count("pk")))
