"""Charging: calls that wait to be priced get a charge for every paid leg, and the sum of them.

The queue UnpricedCall says what waits; it is written in the transaction that stores a call, so nothing is forgotten
when a message is. Charging a call twice ends in the same charges.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing import rating
from billing.models import Charge
from billing.tariffs import Tariffs
from calls import bulk, partitions
from calls.ingest.records import PaidLeg, moment
from calls.ingest.store import call_id
from calls.models import Call, UnpricedCall
from calls.numbers import normalise
from calls.querysets import CallQuerySet

BATCH = 500
Reference = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Priced:
    """A call with the charges of its paid legs; ``complete``: there was a rate for each."""

    call: Call
    charges: list[Charge]
    complete: bool


def charge_pending(now: datetime) -> int:
    """Charge all that waits; returns the number of calls worked off."""
    tariffs = Tariffs()
    waiting = UnpricedCall.objects.filter(no_rate=False).order_by().values_list("account_id")
    return sum(_charge_account(account_id, tariffs, now) for (account_id,) in waiting.distinct())


def retry_unrated() -> int:
    """Put the calls that had no rate back in line: there may be one now."""
    return UnpricedCall.objects.filter(no_rate=True).update(no_rate=False)


def _charge_account(account_id: int, tariffs: Tariffs, now: datetime) -> int:
    done = 0
    while count := charge_batch(account_id, tariffs, now):
        done += count
    return done


def charge_batch(account_id: int, tariffs: Tariffs, now: datetime) -> int:
    """Charge the oldest waiting calls of an account; 0 when none waits that is not just being written."""
    with transaction.atomic():
        queue = UnpricedCall.objects.filter(account=account_id, no_rate=False)
        waiting: list[Reference] = list(
            queue.order_by("started_at", "call_id").values_list("started_at", "call_id")[:BATCH]
        )
        if not waiting:
            return 0
        calls = _lock(account_id, waiting)
        missing = len(calls) < len(waiting)
        gone = set(waiting) - _existing(account_id, waiting) if missing else set()
        priced = [_price(call, tariffs, now) for call in calls if not call.provisional]
        _write(account_id, priced, gone)
        _dequeue(account_id, priced, gone | {(call.started_at, call.id) for call in calls})
        return len(calls) + len(gone)


def _lock(account_id: int, waiting: Sequence[Reference]) -> list[Call]:
    """The waiting calls, locked as folding locks them; those that folding is writing right now wait on."""
    calls = (
        _around(account_id, waiting)
        .only("account", "started_at", "id", "pbx", "paid", "provisional", "charging", "cost")
        .order_by("started_at", "id")
        .select_for_update(skip_locked=True)
    )
    wanted = set(waiting)
    return [call for call in calls if (call.started_at, call.id) in wanted]


def _existing(account_id: int, waiting: Sequence[Reference]) -> set[Reference]:
    return set(_around(account_id, waiting).values_list("started_at", "id"))


def _around(account_id: int, references: Sequence[Reference]) -> CallQuerySet:
    """These calls, and perhaps a few more: two lists of plain values cost Django far less than one of pairs.

    More, because a call that moved has its id at two times, and another call may have begun at either.
    """
    moments, ids = zip(*references, strict=True)
    return Call.objects.filter(account=account_id, started_at__in=moments, id__in=ids)


def _price(call: Call, tariffs: Tariffs, now: datetime) -> Priced:
    prices = [
        (leg, _price_leg(call, leg, tariffs)) for leg in (PaidLeg(**data) for data in call.paid)
    ]
    charges = [_charge(call, leg, price, now) for leg, price in prices if price is not None]
    return Priced(call, charges, complete=all(price is not None for _, price in prices))


def _price_leg(call: Call, leg: PaidLeg, tariffs: Tariffs) -> rating.Price | None:
    answered_at = moment(leg.answered)
    tariff = tariffs.of(call.account_id, answered_at)
    if tariff is None:
        return None
    return rating.price(tariff, normalise(leg.to), leg.seconds, answered_at)


def _charge(call: Call, leg: PaidLeg, price: rating.Price, now: datetime) -> Charge:
    return Charge(
        account_id=call.account_id,
        answered_at=price.answered_at,
        id=call_id(call.pbx_id, leg.key),
        call_started_at=call.started_at,
        call_id=call.id,
        number=leg.to,
        seconds=leg.seconds,
        estimated=leg.estimated,
        amount=price.amount,
        currency=price.currency,
        explanation=price.explanation(),
        charged_at=now,
    )


def _write(account_id: int, priced: Sequence[Priced], gone: set[Reference]) -> None:
    charges = [charge for each in priced for charge in each.charges]
    _delete_stale(account_id, priced, gone)
    months = {partitions.month_of(charge.answered_at) for charge in charges}
    partitions.ensure(Charge._meta.db_table, months)
    Charge.objects.bulk_create(
        charges,
        update_conflicts=True,
        update_fields=[
            "call_started_at",
            "call_id",
            "number",
            "seconds",
            "estimated",
            "amount",
            "currency",
            "explanation",
            "charged_at",
        ],
        unique_fields=["account_id", "answered_at", "id"],
    )
    for each in priced:
        _mark(each)
    bulk.update(
        [each.call for each in priced], ["account_id", "started_at", "id"], ["charging", "cost"]
    )


def _delete_stale(account_id: int, priced: Sequence[Priced], gone: set[Reference]) -> None:
    """Delete charges of these calls for legs that they no longer pay for, and all of calls that are gone."""
    kept = {(charge.answered_at, charge.id) for each in priced for charge in each.charges}
    by_call: dict[datetime, list[int]] = defaultdict(list)
    for started_at, pk in gone | {(each.call.started_at, each.call.id) for each in priced}:
        by_call[started_at].append(pk)
    written = Charge.objects.filter(account=account_id, call_started_at__in=by_call)
    stale = [
        (account_id, answered_at, pk)
        for started_at, call, answered_at, pk in written.values_list(
            "call_started_at", "call_id", "answered_at", "id"
        )
        if call in by_call[started_at] and (answered_at, pk) not in kept
    ]
    if stale:
        Charge.objects.filter(account=account_id, pk__in=stale).delete()


def _mark(priced: Priced) -> None:
    call = priced.call
    if not call.paid:
        call.charging, call.cost = Call.Charging.FREE, None
    elif not priced.complete:
        call.charging, call.cost = Call.Charging.NO_RATE, None
    else:
        call.charging = Call.Charging.CHARGED
        call.cost = sum((charge.amount for charge in priced.charges), Decimal(0))


def _dequeue(account_id: int, priced: Sequence[Priced], done: set[Reference]) -> None:
    unrated = {(each.call.started_at, each.call.id) for each in priced if not each.complete}
    key = ["account_id", "started_at", "call_id"]
    bulk.delete(_entries(account_id, done - unrated), key)
    bulk.update(_entries(account_id, unrated), key, ["no_rate"])


def _entries(account_id: int, references: Iterable[Reference]) -> list[UnpricedCall]:
    """The entries of these calls in the queue, as those that had no rate."""
    return [
        UnpricedCall(account_id=account_id, started_at=started_at, call_id=pk, no_rate=True)
        for started_at, pk in sorted(references)
    ]
