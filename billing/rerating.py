"""Rating again what was charged: counted first, shown, then done in the worker a chunk at a time.

Only sums that come out otherwise are written: a charge whose amount stays the same keeps its terms, its row and its
history as they are, so that doing it twice is doing it once. A chunk and how far it got are one transaction: whoever is
killed in the middle is followed by one who goes on after the last whole chunk.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from psycopg.errors import LockNotAvailable

from accounts.models import Account, User
from billing import ledger, usage, waiting
from billing.ledger import Row
from billing.lines import BusyError, Entry, Line
from billing.models import BundleUse, ChargeChange, PriceList, Rerating, ReratingPart
from billing.rating import Unpriced
from billing.tariffs import Plan, Tariffs, terms_of
from billing.terms import Terms
from calls import periods
from calls.partitions import next_month

logger = logging.getLogger("callpanel.billing")

State = Rerating.State
CHUNK = 10_000
# The share of a worker that re-rating takes; charging of fresh calls comes between.
SECONDS = 8.0


def request(
    *,
    start: datetime,
    end: datetime,
    reason: str,
    by: User | None,
    now: datetime,
    account: Account | None = None,
    price_list: PriceList | None = None,
) -> Rerating:
    """Order the charges of all calls that began in ``[start, end)`` to be counted anew, of one account or of all.

    With a list: only charges that it made, or would make now. Nothing is changed before ``start`` is called.
    """
    with transaction.atomic():
        order = Rerating.objects.create(
            account=account,
            price_list=price_list,
            start=start,
            end=end,
            reason=reason,
            requested_by=by,
            requested_at=now,
        )
        ReratingPart.objects.bulk_create(
            ReratingPart(rerating=order, account=each, by_month=_has_bundles(each))
            for each in _accounts(order)
        )
    return order


def start(order: Rerating) -> None:
    """Do it, once it is counted; or go on with what was stopped. ValueError if it is doing or done already."""
    with transaction.atomic():
        order = Rerating.objects.select_for_update().get(pk=order.pk)
        if order.state == State.READY:
            order.parts.update(**_untouched())
        elif order.state != State.STOPPED:
            raise ValueError(f"re-rating {order.pk} is {order.state}")
        order.state = State.RUNNING if order.is_applied else State.COUNTING
        order.save()


def stop(order: Rerating) -> None:
    """Stop after the chunk in hand. What is changed stays changed; ``start`` goes on from there."""
    going = Rerating.objects.filter(pk=order.pk, state__in=[State.COUNTING, State.RUNNING])
    going.update(state=State.STOPPED)


def work(
    now: datetime, *, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
) -> int:
    """Go on with whatever is being counted or done, for some seconds; returns the number of charges looked at.

    Several workers share the accounts among themselves.
    """
    deadline = clock() + seconds
    tariffs = Tariffs()
    looked_at = 0
    while clock() < deadline:
        try:
            count = _advance(tariffs, now)
        except BusyError:
            break  # Somebody is writing one of the calls: the next run meets the same chunk again.
        if count is None:
            break
        looked_at += count
    _finish(now)
    return looked_at


def _accounts(order: Rerating) -> list[Account]:
    accounts = Account.objects.order_by("pk")
    if order.account_id is not None:
        accounts = accounts.filter(pk=order.account_id)
    if order.price_list_id is not None:
        pays = Q(price_lists__price_list=order.price_list_id)
        over = Q(price_lists__price_list__base=order.price_list_id)
        accounts = accounts.filter(pays | over).distinct()
    return list(accounts)


def _has_bundles(account: Account) -> bool:
    used = BundleUse.objects.filter(account=account)
    return account.bundles.exists() or used.exists()


def _untouched() -> dict[str, Any]:
    return {
        "finished": False,
        "reached": None,
        "reached_id": None,
        "charges": 0,
        "calls": 0,
        "unrated": 0,
        "sums": {},
    }


def _advance(tariffs: Tariffs, now: datetime) -> int | None:
    """One chunk of a part that nobody else has in hand; the number of charges in it, None if there is no such part.

    An order on which our own code fails is stopped, so that the others can go on.
    """
    order: Rerating | None = None
    try:
        with transaction.atomic():
            part = _claim()
            if part is None:
                return None
            order = part.rerating
            return _work_off(part, tariffs.of(part.account_id), now)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise BusyError from error
        raise  # The database is away: nothing is wrong with the order.
    except (BusyError, InterfaceError):
        raise
    except Exception:
        logger.exception("re-rating %s failed and is stopped", order)
        if order is not None:
            stop(order)
        return 0


def _claim() -> ReratingPart | None:
    parts = ReratingPart.objects.select_for_update(of=("self",), skip_locked=True)
    going = parts.filter(finished=False, rerating__state__in=[State.COUNTING, State.RUNNING])
    return going.select_related("rerating", "account").order_by("rerating_id", "pk").first()


def _work_off(part: ReratingPart, plan: Plan, now: datetime) -> int:
    """Count, or count and change, what the next charges of the part cost by the prices of today."""
    # Bundles are locked before calls, as charging does.
    bundles = usage.lock(part.account_id) if part.by_month else []
    rows = _next_month(part) if part.by_month else _next_calls(part)
    found = _lines(part, rows, plan)
    lines = [line for line, _ in found]
    sharings = usage.share(part.account_id, bundles, plan.zone, lines) if part.by_month else []
    for line, before in found:
        _keep_if_equal(line, before)
    followers = [line for sharing in sharings for line in sharing.followers]
    changes = [line for line in (*lines, *followers) if line.changes]
    if part.rerating.is_applied:
        for sharing in sharings:
            sharing.store()
        _apply(part, changes, now)
    _note(part, len(rows), changes)
    return len(rows)


def _apply(part: ReratingPart, changes: Sequence[Line], now: datetime) -> None:
    waiting.be_patient_but_yield()
    cause, pk = ChargeChange.Cause.RERATING, part.rerating_id
    ledger.write(part.account_id, changes, now, cause, rerating_id=pk, costs=True)
    waiting.put_back(part.account_id, {line.leg.call for line in changes if line.terms is None})


def _next_calls(part: ReratingPart) -> list[Row]:
    """The charges of the next calls; the part is moved past them."""
    order = part.rerating
    reached = (part.reached or order.start, -1 if part.reached_id is None else part.reached_id)
    rows = ledger.of_period(part.account_id, order.start, order.end, reached, CHUNK)
    if rows:
        part.reached, part.reached_id = ledger.entry(rows[-1]).call
    part.finished = not rows
    return rows


def _next_month(part: ReratingPart) -> list[Row]:
    """The charges of the next local month of answering, of calls of the period; the part is moved past it.

    A call may begin in the period's last month and be answered in the next one.
    """
    order, zone = part.rerating, part.account.tz
    begin = part.reached or order.start
    month = usage.month_of(begin, zone)
    part.reached = periods.month(month.year, month.month, zone).end
    part.finished = month >= next_month(usage.month_of(order.end, zone))
    rows = ledger.since(part.account_id, (begin, -1), part.reached)
    return [row for row in rows if order.start <= datetime.fromisoformat(row[2]) < order.end]


def _lines(part: ReratingPart, rows: Sequence[Row], plan: Plan) -> list[tuple[Line, Terms]]:
    """The charges by the terms that they would have today, each with the terms that it has: all of them where bundles
    are shared out, else those whose terms are others. What the order is not about stays as it is."""
    found = list(_found(rows, plan, others_only=not part.by_month))
    terms = terms_of(entry.terms_id for entry, _ in found)
    only = part.rerating.price_list_id
    lines = []
    for entry, now in found:
        before = terms[entry.terms_id]
        concerned = only is None or only in (before.price_list_id, now and now.price_list_id)
        lines.append((Line(entry, now if concerned else before, entry), before))
    return lines


def _found(
    rows: Sequence[Row], plan: Plan, *, others_only: bool
) -> Iterator[tuple[Entry, Terms | None]]:
    """Each charge with its terms of today, None where it has none; perhaps only where these are others.

    The most of what re-rating does is done here, a million times: a row is taken apart only as far as it has to be.
    """
    for row in rows:
        answered_at = datetime.fromisoformat(row[0])
        tariff = plan.at(answered_at)
        terms = tariff.terms(row[4], int(row[5]), answered_at, plan.zone)
        now = None if isinstance(terms, Unpriced) else terms
        if now is None or not others_only or now.id != int(row[10]):
            yield ledger.entry(row), now


def _keep_if_equal(line: Line, before: Terms) -> None:
    """A charge that comes out the same keeps the terms that it has, though the list may call them otherwise now."""
    new, old = line.new, line.old
    if line.terms is None or new is None or old is None:
        return
    sums = [(entry.amount, entry.currency, entry.bundle_seconds) for entry in (new, old)]
    if sums[0] == sums[1] and line.terms.basis == before.basis:
        line.charge(before, line.bundles)


def _note(part: ReratingPart, looked_at: int, changes: Sequence[Line]) -> None:
    """Write down how far the part got and what it came upon, in the transaction of the changes."""
    part.charges += looked_at
    part.calls += len({line.leg.call for line in changes})
    part.unrated += len({line.leg.call for line in changes if line.terms is None})
    for line in changes:
        for side, entry in (("before", line.old), ("after", line.new)):
            if entry is not None:
                pair = part.sums.setdefault(entry.currency, {"before": "0", "after": "0"})
                pair[side] = str(Decimal(pair[side]) + entry.amount)
    part.save()


def _finish(now: datetime) -> None:
    """Close what has no part left to do: counted orders are ready to start, the others are done."""
    for order in Rerating.objects.filter(state__in=[State.COUNTING, State.RUNNING]):
        if order.parts.filter(finished=False).exists():
            continue
        still = Rerating.objects.filter(pk=order.pk, state=order.state)
        if order.state == State.COUNTING:
            still.update(state=State.READY, preview=order.totals())
        else:
            still.update(state=State.DONE, finished_at=now)
