"""Calls on their way from the queue UnpricedCall to their price: taken, locked, given a cost, and let go."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from psycopg import sql

from billing.lines import BusyError, Reference
from calls.ingest.records import PaidLeg
from calls.lookups import array
from calls.models import Call, UnpricedCall

Charging = Call.Charging
Reason = UnpricedCall.Reason

LOCK = """
    SELECT call.started_at, call.id, call.pbx_id, call.paid, call.provisional
    FROM unnest(%(started_at)s::timestamptz[], %(ids)s::bigint[]) AS wanted (started_at, id)
    JOIN {calls} AS call ON call.account_id = %(account)s
        AND call.started_at = wanted.started_at AND call.id = wanted.id
    WHERE call.started_at BETWEEN %(first)s AND %(last)s
    ORDER BY call.started_at, call.id
    FOR NO KEY UPDATE OF call SKIP LOCKED
"""
EXISTING = """
    SELECT call.started_at, call.id
    FROM unnest(%(started_at)s::timestamptz[], %(ids)s::bigint[]) AS wanted (started_at, id)
    JOIN {calls} AS call ON call.account_id = %(account)s
        AND call.started_at = wanted.started_at AND call.id = wanted.id
    WHERE call.started_at BETWEEN %(first)s AND %(last)s
"""
SET_COSTS = """
    UPDATE {calls} AS call SET charging = fresh.charging, cost = fresh.cost
    FROM unnest(%(started_at)s::timestamptz[], %(ids)s::bigint[], %(charging)s::text[], %(costs)s::numeric[])
        AS fresh (started_at, id, charging, cost)
    WHERE call.account_id = %(account)s AND call.started_at BETWEEN %(first)s AND %(last)s
        AND call.started_at = fresh.started_at AND call.id = fresh.id
        AND (call.charging, call.cost) IS DISTINCT FROM (fresh.charging, fresh.cost)
"""
LET_GO = """
    DELETE FROM {queue} AS entry USING unnest(%(started_at)s::timestamptz[], %(ids)s::bigint[]) AS done (started_at, id)
    WHERE entry.account_id = %(account)s AND entry.started_at = done.started_at AND entry.call_id = done.id
"""
SET_ASIDE = """
    INSERT INTO {queue} (account_id, started_at, call_id, no_rate, reason)
    SELECT %(account)s, started_at, id, true, reason
    FROM unnest(%(started_at)s::timestamptz[], %(ids)s::bigint[], %(reasons)s::text[]) AS aside (started_at, id, reason)
    ON CONFLICT (account_id, started_at, call_id) DO UPDATE SET no_rate = true, reason = EXCLUDED.reason
"""
PENDING = """
    UPDATE {calls} AS call SET charging = 'pending', cost = NULL
    FROM unnest(%(started_at)s::timestamptz[], %(ids)s::bigint[]) AS again (started_at, id)
    WHERE call.account_id = %(account)s AND call.started_at BETWEEN %(first)s AND %(last)s
        AND call.started_at = again.started_at AND call.id = again.id
"""
PUT_BACK = """
    INSERT INTO {queue} (account_id, started_at, call_id, no_rate)
    SELECT %(account)s, started_at, id, false
    FROM unnest(%(started_at)s::timestamptz[], %(ids)s::bigint[]) AS again (started_at, id)
    ON CONFLICT (account_id, started_at, call_id) DO UPDATE SET no_rate = false
"""


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """What charging needs of a call."""

    started_at: datetime
    id: int
    pbx_id: int
    paid: list[PaidLeg]
    provisional: bool

    @property
    def reference(self) -> Reference:
        return self.started_at, self.id


def oldest(account_id: int, limit: int) -> list[Reference]:
    queue = UnpricedCall.objects.filter(account=account_id, no_rate=False)
    return list(
        queue.order_by("started_at", "call_id").values_list("started_at", "call_id")[:limit]
    )


def lock(account_id: int, calls: Collection[Reference]) -> list[WaitingCall]:
    """These calls, locked as folding locks them; not those that somebody is writing right now."""
    return [
        WaitingCall(started_at, pk, pbx_id, [PaidLeg(**leg) for leg in json.loads(paid)], waits)
        for started_at, pk, pbx_id, paid, waits in _ask(LOCK, account_id, calls)
    ]


def existing(account_id: int, calls: Collection[Reference]) -> set[Reference]:
    return set(_ask(EXISTING, account_id, calls))


def set_costs(account_id: int, prices: Mapping[Reference, tuple[Charging, Decimal | None]]) -> None:
    """Give each of these calls its state of charging and its cost."""
    states = [charging.value for charging, _ in prices.values()]
    costs = [cost for _, cost in prices.values()]
    columns = {"charging": array(states), "costs": array(costs)}
    _execute(SET_COSTS, account_id, prices, **columns)


def let_go(account_id: int, calls: Collection[Reference]) -> None:
    _execute(LET_GO, account_id, calls)


def set_aside(account_id: int, reasons: Mapping[Reference, Reason]) -> None:
    """Keep these calls in the queue as ones that cannot be priced until something changes."""
    _execute(
        SET_ASIDE,
        account_id,
        reasons,
        reasons=array(reason.value for reason in reasons.values()),
    )


def put_back(account_id: int, calls: Collection[Reference]) -> None:
    """Have these calls, which have to be locked, charged again."""
    for template in (PENDING, PUT_BACK):
        _execute(template, account_id, calls)


def be_patient_but_yield() -> None:
    """From here on, in this transaction, wait for others for a moment only: OperationalError says that it was too long.

    Less than the second after which PostgreSQL looks for deadlocks, so that of two it is never the other that loses.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '300ms'")


def lock_all(account_id: int, calls: Collection[Reference]) -> None:
    """Lock these calls. BusyError where one is being written; calls that are gone need no lock."""
    locked = {call.reference for call in lock(account_id, calls)}
    missing = set(calls) - locked
    if missing & existing(account_id, missing):
        raise BusyError


def _execute(template: str, account_id: int, calls: Iterable[Reference], **more: Any) -> None:
    references = list(calls)
    if references:
        with connection.cursor() as cursor:
            cursor.execute(_sql(template), _values(account_id, references) | more)


def _ask(template: str, account_id: int, calls: Iterable[Reference]) -> list[tuple[Any, ...]]:
    references = list(calls)
    if not references:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_sql(template), _values(account_id, references))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _values(account_id: int, references: Sequence[Reference]) -> dict[str, Any]:
    # The bounds let the planner leave out partitions; a join alone does not.
    moments, ids = zip(*references, strict=True)
    return {
        "account": account_id,
        "started_at": array(moments),
        "ids": array(ids),
        "first": min(moments),
        "last": max(moments),
    }


def _sql(template: str) -> sql.Composed:
    return sql.SQL(template).format(
        calls=sql.Identifier(Call._meta.db_table), queue=sql.Identifier(UnpricedCall._meta.db_table)
    )
