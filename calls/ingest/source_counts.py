"""Counting what comes from each PBX, so that nobody has to count millions of records to tell."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Func, Max, Min, Q, QuerySet, Sum, TextField, Value
from django.db.models.functions import Greatest, TruncHour

from calls.ingest.formats import ASTERISK, asterisk_cel
from calls.models import InboxRecord, Pbx, SourceHour, SourceState

KEPT = timedelta(days=90)
# Records are visible only when their transaction ends, and that of a large import may take long.
LATE_COMMITS = timedelta(hours=2)
# As calls.ingest.formats.asterisk_cel.is_event; the body's other bytes are octal numbers in this text.
BODY = Func(F("body"), Value("escape"), function="encode", output_field=TextField())
EVENT = Q(pbx__source=ASTERISK) & (
    Q(layout__contains="eventtype")
    | Q(layout="", text__regex=f"^{asterisk_cel.LOOKS_LIKE_EVENT.pattern.decode()}")
    | Q(layout="", text__iregex=r'^\s*\{.*"eventtype"')
)


def count_folded(
    pbx: Pbx,
    states: Mapping[str, int],
    *,
    calls: int,
    received: datetime | None,
    ended: datetime | None,
) -> None:
    """Add a folded batch: the states that its records got, new calls, the latest receipt and end of a row.

    None: there was no row.
    """
    SourceState.objects.get_or_create(pbx=pbx)
    latest = {"last_received_at": received, "last_ended_at": ended}
    SourceState.objects.filter(pbx=pbx).update(
        folded=F("folded") + states.get("folded", 0),
        quarantined=F("quarantined") + states.get("quarantined", 0),
        expired=F("expired") + states.get("expired", 0),
        calls=F("calls") + calls,
        **{name: Greatest(F(name), moment) for name, moment in latest.items() if moment},
    )
    if calls and received:
        _add(pbx, received, "calls", calls)


def count_repeated(pbx: Pbx, count: int, now: datetime) -> None:
    """Add records that came although they were there already."""
    _add(pbx, now, "repeated", count)


def _add(pbx: Pbx, moment: datetime, column: str, count: int) -> None:
    hour = SourceHour(pbx=pbx, hour=hour_of(moment))
    SourceHour.objects.bulk_create([hour], ignore_conflicts=True)
    same = SourceHour.objects.filter(pbx=pbx, hour=hour.hour)
    same.update(**{column: F(column) + count})


def rows(records: QuerySet[InboxRecord]) -> QuerySet[InboxRecord]:
    """Those of these records that are no channel events."""
    return records.annotate(text=BODY).exclude(EVENT)


def recount_receipts(now: datetime) -> None:
    """Count the receipts of the hours since the last count anew. Safe to repeat."""
    since = _uncounted_since()
    if since is None:
        return
    receipts = InboxRecord.objects.filter(received_at__gte=since).order_by()
    by_hour = receipts.annotate(hour=TruncHour("received_at", tzinfo=UTC))
    counted = by_hour.annotate(text=BODY).values("pbx_id", "hour")
    counted = counted.annotate(records=Count("id"), events=Count("id", filter=EVENT))
    SourceHour.objects.bulk_create(
        [SourceHour(**row) for row in counted],
        update_conflicts=True,
        update_fields=["records", "events"],
        unique_fields=["pbx_id", "hour"],
    )
    _forget(hour_of(now) - KEPT)


def _uncounted_since() -> datetime | None:
    """The beginning of the first hour whose count may still grow; None before the first record."""
    counted = SourceHour.objects.filter(records__gt=0).aggregate(latest=Max("hour"))["latest"]
    if counted is not None:
        latest: datetime = counted
        return latest - LATE_COMMITS
    first = InboxRecord.objects.aggregate(first=Min("received_at"))["first"]
    return None if first is None else hour_of(first)


def _forget(before: datetime) -> None:
    """Forget old hours one by one, but not their sum."""
    with transaction.atomic():
        # Locked, so that two tasks do not add the same hours twice.
        states = {state.pbx_id: state for state in SourceState.objects.select_for_update()}
        old = SourceHour.objects.filter(hour__lt=before, pbx__in=states)
        for row in old.order_by().values("pbx_id").annotate(sum=Sum("records")):
            state = SourceState.objects.filter(pbx=row["pbx_id"])
            state.update(forgotten_records=F("forgotten_records") + row["sum"])
        old.delete()


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
