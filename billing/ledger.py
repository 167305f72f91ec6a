"""Charges as they stand in the database, and the statements that change them: a few for a batch of any size.

A charge is changed only where it still is what it was when it was read; else nothing is, and BusyError says so.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db import connection
from psycopg import sql

from billing.bundling import Key
from billing.lines import BusyError, Entry, Line, Reference
from billing.models import Charge, ChargeChange, ChargeTerms
from billing.terms import Terms
from calls import partitions
from calls.lookups import array
from calls.models import Call

NAMES = tuple(each.name for each in fields(Entry))
# attrgetter makes a tuple of all of them at once; dataclasses.astuple copies each value deeply.
_columns = attrgetter(*NAMES)
_before = attrgetter("amount", "terms_id", "seconds", "bundle_seconds")
# A charge as COPY gives it. Of many charges most stay as they are, and are never made an Entry.
Row = tuple[str, ...]

INSERT = "COPY {table} (account_id, charged_at, {names}) FROM STDIN"
STAGE = """
    CREATE TEMP TABLE changed (
        answered_at timestamptz, id bigint, call_started_at timestamptz, call_id bigint, number text,
        seconds int, bundle_seconds int, estimated bool, amount numeric, currency text, terms_id bigint,
        old_amount numeric, old_terms_id bigint, old_seconds int, old_bundle_seconds int, note_id bigint
    ) ON COMMIT DROP
"""
FILL = "COPY changed FROM STDIN"
# The call is locked by this, before its charges are: as charging does it.
COSTS = """
    UPDATE {calls} AS call SET cost = call.cost + changed.difference
    FROM (
        SELECT call_started_at, call_id, sum(coalesce(amount, 0) - old_amount) AS difference
        FROM changed GROUP BY 1, 2 HAVING sum(coalesce(amount, 0) - old_amount) <> 0
    ) AS changed
    WHERE call.account_id = %(account)s AND call.started_at BETWEEN %(first_call)s AND %(last_call)s
        AND call.started_at = changed.call_started_at AND call.id = changed.call_id
"""
SAME = """
    charge.account_id = %(account)s AND charge.answered_at BETWEEN %(first)s AND %(last)s
        AND charge.answered_at = changed.answered_at AND charge.id = changed.id
        AND charge.amount = changed.old_amount AND charge.terms_id = changed.old_terms_id
        AND charge.seconds = changed.old_seconds AND charge.bundle_seconds = changed.old_bundle_seconds
"""
UPDATE = """
    UPDATE {table} AS charge SET charged_at = %(now)s, {assignments}
    FROM changed WHERE changed.amount IS NOT NULL AND {same}
"""
DELETE = "DELETE FROM {table} AS charge USING changed WHERE changed.amount IS NULL AND {same}"
NOTE = """
    INSERT INTO {changes} (account_id, changed_at, cause, rerating_id, answered_at, charge_id, id,
        old_amount, old_terms_id, old_seconds, old_bundle_seconds,
        new_amount, new_terms_id, new_seconds, new_bundle_seconds)
    SELECT %(account)s, %(now)s, %(cause)s, %(rerating)s, answered_at, id, note_id,
        old_amount, old_terms_id, old_seconds, old_bundle_seconds, amount, terms_id,
        CASE WHEN amount IS NOT NULL THEN seconds END, CASE WHEN amount IS NOT NULL THEN bundle_seconds END
    FROM changed
"""
UNSTAGE = "DROP TABLE changed"
KEPT_TERMS = "SELECT id FROM {terms} WHERE id = ANY (%s::bigint[])"
KEEP_TERMS = """
    INSERT INTO {terms} (id, factors)
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS fresh (id bigint, factors jsonb) ON CONFLICT DO NOTHING
"""
OF_CALLS = """
    SELECT {names} FROM unnest(%(started_at)s::timestamptz[], %(ids)s::bigint[]) AS wanted (begun, wanted_id)
    JOIN {table} AS charge ON charge.account_id = %(account)s AND charge.answered_at >= %(first)s
        AND charge.call_started_at = wanted.begun AND charge.call_id = wanted.wanted_id
"""
WITH_KEYS = """
    SELECT {names} FROM unnest(%(answered_at)s::timestamptz[], %(ids)s::bigint[]) AS leg (at, leg_id)
    JOIN {table} AS charge ON charge.account_id = %(account)s
        AND charge.answered_at = leg.at AND charge.id = leg.leg_id
    WHERE charge.answered_at BETWEEN %(first)s AND %(last)s
"""
OF_PERIOD = """
    COPY (
        SELECT {names} FROM {table} AS charge
        WHERE account_id = %(account)s AND answered_at >= %(start)s
            AND call_started_at >= %(start)s AND call_started_at < %(end)s
            AND (call_started_at, call_id) > (%(reached)s, %(reached_id)s)
        ORDER BY call_started_at, call_id LIMIT %(limit)s
    ) TO STDOUT
"""
SINCE = """
    COPY (
        SELECT {names} FROM {table} AS charge
        WHERE account_id = %(account)s AND answered_at >= %(start)s AND answered_at < %(end)s
            AND (answered_at, id) >= (%(start)s, %(id)s)
        ORDER BY answered_at, id
    ) TO STDOUT
"""


def of_calls(account_id: int, calls: Sequence[Reference]) -> list[Entry]:
    """The charges of these calls."""
    if not calls:
        return []
    moments, ids = zip(*calls, strict=True)
    values = {"account": account_id, "first": min(moments)}
    return _entries(OF_CALLS, values | {"started_at": array(moments), "ids": array(ids)})


def with_keys(account_id: int, keys: Sequence[Key]) -> list[Entry]:
    """The charges of these legs, whichever calls they belong to."""
    if not keys:
        return []
    moments, ids = zip(*keys, strict=True)
    values = {"account": account_id, "first": min(moments), "last": max(moments)}
    return _entries(WITH_KEYS, values | {"answered_at": array(moments), "ids": array(ids)})


def of_period(
    account_id: int, start: datetime, end: datetime, reached: Reference, limit: int
) -> list[Row]:
    """The charges of calls that began in a period and after a call, in their order; whole calls, about ``limit``."""
    values: dict[str, Any] = {"account": account_id, "start": start, "end": end, "limit": limit}
    rows = list(_rows(OF_PERIOD, values | {"reached": reached[0], "reached_id": reached[1]}))
    if len(rows) < limit:
        return rows
    cut = rows[-1][2:4]
    whole = [row for row in rows if row[2:4] != cut]
    return whole or of_period(account_id, start, end, reached, 2 * limit)


def since(account_id: int, key: Key, end: datetime) -> list[Row]:
    """The charges from this place in the order of answering on, before ``end``, in that order."""
    values = {"account": account_id, "start": key[0], "id": key[1], "end": end}
    return list(_rows(SINCE, values))


def entry(row: Row) -> Entry:
    return Entry(
        datetime.fromisoformat(row[0]),
        int(row[1]),
        datetime.fromisoformat(row[2]),
        int(row[3]),
        row[4],
        int(row[5]),
        int(row[6]),
        row[7] == "t",
        Decimal(row[8]),
        row[9],
        int(row[10]),
    )


def write(
    account_id: int,
    lines: Iterable[Line],
    now: datetime,
    cause: ChargeChange.Cause,
    *,
    rerating_id: int | None = None,
    costs: bool = False,
) -> None:
    """Make the charges of these legs what they have to be. What is so already is not written.

    ``costs``: also what their calls cost, which else is for the caller to do.
    """
    changing = [line for line in lines if line.changes]
    _keep_terms({line.terms.id: line.terms for line in changing if line.terms is not None})
    _insert(account_id, [line.new for line in changing if line.old is None and line.new], now)
    values = {"account": account_id, "now": now, "cause": cause.value, "rerating": rerating_id}
    _change([(line.old, line.new) for line in changing if line.old is not None], values, costs)


def _entries(template: str, values: dict[str, Any]) -> list[Entry]:
    with connection.cursor() as cursor:
        cursor.execute(_sql(template), values)
        return [Entry(*row) for row in cursor.fetchall()]


def _rows(template: str, values: dict[str, Any]) -> Iterator[Row]:
    with connection.cursor() as cursor, cursor.copy(_sql(template), values) as copy:
        yield from copy.rows()


def _keep_terms(terms: dict[int, Terms]) -> None:
    """Write down the terms that are new."""
    if not terms:
        return
    with connection.cursor() as cursor:
        cursor.execute(_sql(KEPT_TERMS), [array(terms)])
        new = terms.keys() - {pk for (pk,) in cursor.fetchall()}
        if new:
            rows = ",".join(f'{{"id":{pk},"factors":{terms[pk].text}}}' for pk in sorted(new))
            cursor.execute(_sql(KEEP_TERMS), [f"[{rows}]"])


def _insert(account_id: int, entries: Sequence[Entry], now: datetime) -> None:
    if entries:
        _ensure(Charge, entries)
        with connection.cursor() as cursor, cursor.copy(_sql(INSERT)) as copy:
            for each in entries:
                copy.write_row((account_id, now, *_columns(each)))


def _change(
    pairs: Sequence[tuple[Entry, Entry | None]], values: dict[str, Any], costs: bool
) -> None:
    """Update or delete charges, and write down what they were. BusyError where one is not what it was any more."""
    if not pairs:
        return
    _ensure(ChargeChange, [old for old, _ in pairs])
    moments = [old.answered_at for old, _ in pairs]
    calls = [old.call_started_at for old, _ in pairs]
    values |= {"first": min(moments), "last": max(moments)}
    values |= {"first_call": min(calls), "last_call": max(calls)}
    with connection.cursor() as cursor:
        cursor.execute(STAGE)
        _fill(cursor, pairs)
        if costs:
            cursor.execute(_sql(COSTS), values)
        changed = 0
        for template in (UPDATE, DELETE):
            cursor.execute(_sql(template), values)
            changed += cursor.rowcount
        if changed != len(pairs):
            raise BusyError
        cursor.execute(_sql(NOTE), values)
        cursor.execute(UNSTAGE)


def _fill(cursor: Any, pairs: Sequence[tuple[Entry, Entry | None]]) -> None:
    # Two changes of a charge never have the same moment: whoever makes one has locked its call.
    note_id = time.time_ns()
    with cursor.copy(FILL) as copy:
        for place, (old, new) in enumerate(pairs):
            after = _columns(new) if new else (*_columns(old)[:8], None, None, None)
            copy.write_row((*after, *_before(old), note_id + place))


def _ensure(model: type[Charge | ChargeChange], entries: Sequence[Entry]) -> None:
    months = {partitions.month_of(each.answered_at) for each in entries}
    partitions.ensure(model._meta.db_table, months)


def _sql(template: str) -> sql.Composed:
    names = [sql.Identifier(name) for name in NAMES]
    assignments = [sql.SQL("{0} = changed.{0}").format(name) for name in names[2:]]
    return sql.SQL(template).format(
        table=sql.Identifier(Charge._meta.db_table),
        changes=sql.Identifier(ChargeChange._meta.db_table),
        terms=sql.Identifier(ChargeTerms._meta.db_table),
        calls=sql.Identifier(Call._meta.db_table),
        names=sql.SQL(", ").join(names),
        assignments=sql.SQL(", ").join(assignments),
        same=sql.SQL(SAME),
    )
