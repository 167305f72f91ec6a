"""Charging: calls that wait to be priced get a charge for every paid leg, and the sum of them.

The queue UnpricedCall says what waits; it is written in the transaction that stores a call, so nothing is forgotten
when a message is. Charging a call twice ends in the same charges.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing import ledger, usage, waiting
from billing.bundling import Key
from billing.lines import BusyError, Entry, Leg, Line, Reference
from billing.models import ChargeChange
from billing.rating import Unpriced
from billing.tariffs import Plan, Tariffs, terms_of
from billing.terms import Terms
from billing.waiting import Charging, Reason, WaitingCall
from calls.faults import is_the_databases
from calls.ingest.records import PaidLeg, moment
from calls.ingest.store import call_id
from calls.models import UnpricedCall

logger = logging.getLogger("callpanel.billing")

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Priced:
    """A call with its paid legs; ``reason``: why one of them has no price."""

    call: WaitingCall
    lines: list[Line]
    reason: Unpriced | None


def charge_pending(now: datetime) -> int:
    """Charge all that waits; returns the number of calls worked off."""
    tariffs = Tariffs()
    queue = UnpricedCall.objects.filter(no_rate=False).order_by().values_list("account_id")
    return sum(charge_all_of(account_id, tariffs, now) for (account_id,) in queue.distinct())


def retry_unrated() -> int:
    """Put the calls that had no rate back in line: there may be one now."""
    return UnpricedCall.objects.filter(no_rate=True).update(no_rate=False)


def charge_all_of(account_id: int, tariffs: Tariffs, now: datetime) -> int:
    """Charge what waits of an account; returns the number of calls worked off.

    A batch on which our own code fails is cut into smaller ones, until the one call is found and set aside.
    """
    done, size = 0, BATCH
    while True:
        try:
            count = charge_batch(account_id, tariffs, now, limit=size)
        except BusyError:
            return done  # The next run meets the same calls again.
        except Exception as error:
            if is_the_databases(error):
                raise  # Nothing is wrong with the calls: they wait.
            logger.exception("cannot charge the next %d calls of account %d", size, account_id)
            count = _set_aside_oldest(account_id) if size == 1 else 0
            size = max(1, size // 10)
        else:
            if not count:
                return done
            size = min(BATCH, size * 2)
        done += count


def _set_aside_oldest(account_id: int) -> int:
    """Set the oldest waiting call aside, which alone cannot be charged, so that the others can."""
    oldest = waiting.oldest(account_id, 1)
    waiting.set_aside(account_id, dict.fromkeys(oldest, Reason.ERROR))
    return len(oldest)


def charge_batch(account_id: int, tariffs: Tariffs, now: datetime, *, limit: int = BATCH) -> int:
    """Charge the oldest waiting calls of an account; 0 when none waits that is not just being written.

    BusyError when the charge of a call has to change that somebody else is writing.
    """
    with transaction.atomic():
        bundles = usage.lock(account_id)
        wanted = waiting.oldest(account_id, limit)
        calls = waiting.lock(account_id, wanted)
        missing = set(wanted) - {call.reference for call in calls}
        gone = missing - waiting.existing(account_id, missing)
        plan = tariffs.of(account_id)
        priced, stale = _price(account_id, calls, gone, plan)
        lines = [line for each in priced for line in each.lines] + stale
        if bundles or any(line.old and line.old.bundle_seconds for line in lines):
            for sharing in usage.share(account_id, bundles, plan.zone, lines):
                sharing.store()
                _pass_on(account_id, sharing.followers, now)
        ledger.write(account_id, lines, now, ChargeChange.Cause.RECORD)
        _finish(account_id, priced, gone | {call.reference for call in calls})
        return len(calls) + len(gone)


def _pass_on(account_id: int, followers: Sequence[Line], now: datetime) -> None:
    """Charge the legs anew that follow in the month, by what their bundles have left for them now."""
    waiting.lock_all(account_id, {line.leg.call for line in followers})
    ledger.write(account_id, followers, now, ChargeChange.Cause.BUNDLE, costs=True)


def _price(
    account_id: int, calls: Sequence[WaitingCall], gone: set[Reference], plan: Plan
) -> tuple[list[Priced], list[Line]]:
    """The calls with their legs, and the charges that are in nobody's favour any more: of legs that these calls do not
    pay for now, and of calls that are gone."""
    final = [call for call in calls if not call.provisional]
    legs = {call.reference: [(_key(call, leg), leg) for leg in call.paid] for call in final}
    keys = [key for of_call in legs.values() for key, _ in of_call]
    charged = {
        entry.key: entry
        for entry in (
            *ledger.of_calls(account_id, [*legs, *gone]),
            *ledger.with_keys(account_id, keys),
        )
    }
    terms = terms_of(entry.terms_id for entry in charged.values())
    priced = [_price_call(call, legs[call.reference], plan, charged, terms) for call in final]
    stale = charged.keys() - set(keys)
    return priced, [Line(charged[key], None, charged[key]) for key in sorted(stale)]


def _price_call(
    call: WaitingCall,
    legs: Iterable[tuple[Key, PaidLeg]],
    plan: Plan,
    charged: Mapping[Key, Entry],
    terms: Mapping[int, Terms],
) -> Priced:
    lines: list[Line] = []
    reason: Unpriced | None = None
    for key, leg in legs:
        old = charged.get(key)
        found = _terms(key, leg, plan, old, terms)
        if isinstance(found, Unpriced):
            reason = found
        by = None if isinstance(found, Unpriced) else found
        paid = Leg(*key, *call.reference, leg.to, leg.seconds, leg.estimated)
        lines.append(Line(paid, by, old))
    return Priced(call, lines, reason)


def _terms(
    key: Key, leg: PaidLeg, plan: Plan, old: Entry | None, terms: Mapping[int, Terms]
) -> Terms | Unpriced:
    """By which terms to charge a leg: those that it was charged by, which only re-rating changes."""
    if old is not None and old.number == leg.to and (old.seconds or not leg.seconds):
        return terms[old.terms_id]
    return plan.at(key[0]).terms(leg.to, leg.seconds, key[0], plan.zone)


def _key(call: WaitingCall, leg: PaidLeg) -> Key:
    return moment(leg.answered), call_id(call.pbx_id, leg.key)


def _finish(account_id: int, priced: Sequence[Priced], done: set[Reference]) -> None:
    """Write what the calls cost, and take them out of the queue; those without a price stay there, with the reason."""
    waiting.set_costs(account_id, {each.call.reference: _cost(each) for each in priced})
    unrated = {
        each.call.reference: Reason(each.reason.value) for each in priced if each.reason is not None
    }
    waiting.let_go(account_id, done - unrated.keys())
    waiting.set_aside(account_id, unrated)


def _cost(priced: Priced) -> tuple[Charging, Decimal | None]:
    if not priced.call.paid:
        return Charging.FREE, None
    if priced.reason is not None:
        return Charging.NO_RATE, None
    return Charging.CHARGED, sum((line.amount for line in priced.lines), Decimal(0))
