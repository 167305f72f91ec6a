"""Looking for an outside number in an account, and erasing it."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import Account, AuditEntry
from calls import partitions
from calls.erasure import blanking, refused
from calls.erasure.blanking import Blank
from calls.erasure.suppression import digest_of, hush
from calls.ingest import feed, groups
from calls.ingest.records import Leg, PaidLeg
from calls.masking import erased
from calls.models import (
    Call,
    CallGroup,
    Decision,
    Erasure,
    InboxRecord,
    LegRecord,
    Pbx,
    Suppression,
)
from calls.querysets import CallQuerySet
from calls.retention import tables

logger = logging.getLogger("callpanel.erasure")

LOCK = 0x65726173
ERASED_COLUMNS = ("peer", "peer_name", "people", "extension", "extensions", "paid", "legs")
Counts = Counter[str]


def preview(account: Account, number: str) -> Counts:
    """How many rows of each table speak of the number (canonical E.164), by model label."""
    blank, found = Blank(number), Counts()
    for calls in _calls_by_month(account, blank):
        found[Call._meta.label] += len(calls)
        for call in calls:
            found += _beside(call)
    for rows, _column in _other_rows(account, number):
        found[rows.model._meta.label] += rows.count()
    found[InboxRecord._meta.label] += sum(1 for _ in refused.records_with(account, blank))
    found[Decision._meta.label] += sum(1 for _ in refused.decisions_with(blank))
    for table, pks in _stuck_rows(account, blank, timezone.now()).items():
        found[f"feed.{table}"] += len(pks)
    return +found


def request(account: Account, number: str, *, by: str, now: datetime) -> Erasure:
    """Ask for a number to be erased: it is done by the next ``work_off``, after a legal hold if there is one."""
    AuditEntry.objects.create(at=now, account=account, by=by, action="erasure requested")
    return Erasure.objects.create(
        account=account,
        number=number,
        digest=digest_of(number),
        requested_at=now,
        requested_by=by,
    )


def work_off(now: datetime) -> int:
    """Do the erasures that wait, except under a legal hold; returns how many were done."""
    done = 0
    with partitions.sole(LOCK) as mine:
        waiting = Erasure.objects.filter(done_at__isnull=True).select_related("account")
        for erasure in waiting.order_by("requested_at") if mine else ():
            if not erasure.account.is_held(now):
                _erase(erasure, now)
                done += 1
    return done


def _erase(erasure: Erasure, now: datetime) -> None:
    """May be cut off anywhere and begun again: what is erased already is not found any more."""
    account, blank = erasure.account, Blank(erasure.number)
    Suppression.objects.update_or_create(
        account=account, digest=erasure.digest, defaults={"until": now}
    )
    _let_everybody_notice()
    for calls in _calls_by_month(account, blank):
        for call in calls:
            _erase_call(call, blank, erasure)
    for rows, column in _other_rows(account, blank.number):
        with transaction.atomic():
            count = rows.update(**{column: erased(blank.number)})
            _book(erasure, Counts({rows.model._meta.label: count}))
    for record in refused.records_with(account, blank):
        _erase_refused(record, erasure)
    for decision in refused.decisions_with(blank):
        with transaction.atomic():
            refused.erase_from(decision, blank)
            _book(erasure, Counts({Decision._meta.label: 1}))
    for table, pks in _stuck_rows(account, blank, now).items():
        with transaction.atomic():
            _book(erasure, Counts({f"feed.{table}": feed.delete_rows(table, pks)}))
    Erasure.objects.filter(pk=erasure.pk).update(number="", done_at=now)
    logger.info("erasure %s of account %s is done", erasure.pk, account.pk)


def _let_everybody_notice() -> None:
    """Wait for the batches that are being folded right now: the next ones know that the number is erased."""
    for pbx in Pbx.objects.all():
        with transaction.atomic():
            _lock(pbx.pk)


def _lock(pbx_id: int) -> Pbx:
    return Pbx.objects.select_for_update(no_key=True).get(pk=pbx_id)


def _calls_by_month(account: Account, blank: Blank) -> Iterator[list[Call]]:
    """The account's calls that speak of the number, a partition at a time."""
    for month in partitions.existing(Call._meta.db_table):
        begin = datetime(month.year, month.month, 1, tzinfo=UTC)
        following = partitions.next_month(month)
        end = datetime(following.year, following.month, 1, tzinfo=UTC)
        calls = Call.objects.filter(account=account, started_at__gte=begin, started_at__lt=end)
        found = [call for call in _candidates(calls, blank) if _is_about(call, blank)]
        if found:
            yield found


def _candidates(calls: CallQuerySet, blank: Blank) -> CallQuerySet:
    """Calls with the number, and some in which its digits stand by chance."""
    text = calls.annotate(legs_text=Cast("legs", TextField()))
    return text.filter(
        Q(peer=blank.number)
        | Q(people__contains=[blank.number])
        | Q(legs_text__contains=blank.digits)
    ).only("account", "started_at", "id", "pbx", *ERASED_COLUMNS)


def _is_about(call: Call, blank: Blank) -> bool:
    named = blank.number in (call.peer, *call.people)
    return named or blanking.speaks_of([Leg.from_json(data) for data in call.legs], blank)


def _group_of(call: Call) -> CallGroup | None:
    return CallGroup.objects.filter(
        pbx=call.pbx_id, started_at=call.started_at, call_id=call.id, account_id=call.account_id
    ).first()


def _beside(call: Call) -> Counts:
    """The kept legs of a call, and their raw records."""
    group = _group_of(call)
    if group is None:
        return Counts()
    keys = list(LegRecord.objects.filter(group_id=group.pk).values_list("key", flat=True))
    records = InboxRecord.objects.filter(pbx=call.pbx_id, leg_key__any_of=keys).exclude(body=b"")
    return Counts({LegRecord._meta.label: len(keys), InboxRecord._meta.label: records.count()})


@transaction.atomic
def _erase_call(call: Call, blank: Blank, erasure: Erasure) -> None:
    pbx = _lock(call.pbx_id)
    counts = _beside(call)
    if group_row := _group_of(call):
        for group in groups.load([group_row]):
            hush(pbx, group, _legs_without(group.legs, blank, pbx.source))
    # Asked once more under the lock: a late leg may have changed the call since.
    for fresh in Call.objects.select_for_update().filter(pk=call.pk):
        Call.objects.filter(pk=call.pk).update(**_blanked(fresh, blank, pbx.source))
        counts[Call._meta.label] += 1
    _book(erasure, counts)


def _legs_without(legs: Iterable[Leg], blank: Blank, source: str) -> list[Leg]:
    return [blanking.leg_without(blanking.nameless(leg, source), blank) for leg in legs]


def _blanked(call: Call, blank: Blank, source: str) -> dict[str, object]:
    legs = _legs_without(map(Leg.from_json, call.legs), blank, source)
    paid = [blanking.paid_without(PaidLeg(**data), blank) for data in call.paid]
    return {
        "peer": blank.text(call.peer),
        "peer_name": "",
        "people": list(map(blank.text, call.people)),
        "extension": blank.text(call.extension),
        "extensions": list(map(blank.text, call.extensions)),
        "paid": [asdict(leg) for leg in paid],
        "legs": [leg.to_json() for leg in legs],
    }


def _other_rows(account: Account, number: str) -> Iterator[tuple[tables.Rows, str]]:
    """The rows of other tables in whose column the number stands, as their models say."""
    for model, rule in tables.of_accounts():
        for column in rule.numbers:
            yield (
                model._base_manager.filter(account_id=account.pk, **{column: number}),
                column,
            )


def _stuck_rows(account: Account, blank: Blank, now: datetime) -> dict[str, list[int]]:
    """Rows that no PBX entry takes over, except those of other accounts' PBXes."""
    others = Pbx.objects.filter(account__isnull=False).exclude(account=account)
    spared = others.exclude(feed_role="").values_list("feed_role", flat=True)
    return feed.stuck_rows(now, blank.is_in, spared=list(spared))


@transaction.atomic
def _erase_refused(record: InboxRecord, erasure: Erasure) -> None:
    _lock(record.pbx_id)
    refused.erase(record)
    _book(erasure, Counts({InboxRecord._meta.label: 1}))


def _book(erasure: Erasure, counts: Counts) -> None:
    fresh = Erasure.objects.select_for_update().get(pk=erasure.pk)
    fresh.counts = dict(Counts(fresh.counts) + counts)
    fresh.save(update_fields=["counts"])
