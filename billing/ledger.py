"""Charges as they stand in the database, and the statements that change them: a few for a batch of any size.

Whoever changes charges of a call holds the lock on the call's row, and sees to the call's cost.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from billing.bundling import Key
from billing.lines import BusyError, Entry, Line, Reference
from billing.models import Charge, ChargeChange, ChargeTerms
from billing.terms import Terms
from calls import partitions
from calls.lookups import array

NAMES = tuple(each.name for each in fields(Entry))
TYPES = (
    *("timestamptz", "bigint", "timestamptz", "bigint", "text", "int", "int", "bool"),
    *("numeric", "text", "bigint"),
)
KEY = ("answered_at", "id")
# attrgetter makes a tuple of all of them at once; dataclasses.astuple copies each value deeply.
_row = attrgetter(*NAMES)
# Terms that are known to be stored.
_kept: set[int] = set()
INSERT = "COPY {table} (account_id, charged_at, {names}) FROM STDIN"
# Where somebody changed the charge since it was read, nothing is updated.
UPDATE = """
    UPDATE {table} AS charge SET charged_at = %(now)s, {fresh}
    FROM unnest({arrays}, %(old_amount)s::numeric[], %(old_terms)s::bigint[], %(old_seconds)s::int[],
        %(old_inside)s::int[])
        AS fresh ({names}, old_amount, old_terms, old_seconds, old_inside)
    WHERE charge.account_id = %(account)s AND charge.answered_at BETWEEN %(first)s AND %(last)s
        AND charge.answered_at = fresh.answered_at AND charge.id = fresh.id
        AND charge.amount = fresh.old_amount AND charge.terms_id = fresh.old_terms
        AND charge.seconds = fresh.old_seconds AND charge.bundle_seconds = fresh.old_inside
"""
DELETE = """
    DELETE FROM {table} AS charge
    USING unnest(%(answered_at)s::timestamptz[], %(id)s::bigint[]) AS gone (answered_at, id)
    WHERE charge.account_id = %(account)s
        AND charge.answered_at = gone.answered_at AND charge.id = gone.id
"""
NOTE = """
    COPY {changes} (account_id, changed_at, cause, rerating_id, answered_at, charge_id, id,
        old_amount, old_terms_id, old_seconds, old_bundle_seconds,
        new_amount, new_terms_id, new_seconds, new_bundle_seconds) FROM STDIN
"""
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
    SELECT {names} FROM {table} AS charge
    WHERE account_id = %(account)s AND answered_at >= %(start)s
        AND call_started_at >= %(start)s AND call_started_at < %(end)s
        AND (call_started_at, call_id) > (%(reached)s, %(reached_id)s)
    ORDER BY call_started_at, call_id LIMIT %(limit)s
"""
SINCE = """
    SELECT {names} FROM {table} AS charge
    WHERE account_id = %s AND (answered_at, id) >= (%s, %s) AND answered_at >= %s AND answered_at < %s
    ORDER BY answered_at, id
"""


def of_calls(account_id: int, calls: Sequence[Reference]) -> list[Entry]:
    """The charges of these calls."""
    if not calls:
        return []
    moments, ids = zip(*calls, strict=True)
    values = {"account": account_id, "first": min(moments)}
    arrays = {"started_at": array(moments), "ids": array(ids)}
    return _entries(OF_CALLS, values | arrays)


def with_keys(account_id: int, keys: Sequence[Key]) -> list[Entry]:
    """The charges of these legs, whichever calls they belong to."""
    if not keys:
        return []
    moments, ids = zip(*keys, strict=True)
    values = {"account": account_id, "first": min(moments), "last": max(moments)}
    arrays = {"answered_at": array(moments), "ids": array(ids)}
    return _entries(WITH_KEYS, values | arrays)


def of_period(
    account_id: int, start: datetime, end: datetime, reached: Reference, limit: int
) -> list[Entry]:
    """The charges of calls that began in a period and after a call, in their order; whole calls, about ``limit``."""
    values = {"account": account_id, "start": start, "end": end}
    after = {"reached": reached[0], "reached_id": reached[1]}
    entries = _entries(OF_PERIOD, {**values, **after, "limit": limit})
    if len(entries) < limit:
        return entries
    whole = [entry for entry in entries if entry.call != entries[-1].call]
    return whole or of_period(account_id, start, end, reached, 2 * limit)


def since(account_id: int, key: Key, end: datetime) -> list[Entry]:
    """The charges from this place in the order of answering on, before ``end``, in that order."""
    return _entries(SINCE, (account_id, *key, key[0], end))


def write(
    account_id: int,
    lines: Iterable[Line],
    now: datetime,
    cause: ChargeChange.Cause,
    rerating_id: int | None = None,
) -> None:
    """Make the charges of these legs what they have to be. What is so already is not written."""
    pairs = [(line.old, line.entry(), line.terms) for line in lines]
    changed = [(old, new, terms) for old, new, terms in pairs if old != new]
    _keep_terms({terms.id: terms for _, _, terms in changed if terms is not None})
    _delete(account_id, [old for old, new, _ in changed if old is not None and new is None])
    _insert(account_id, [new for old, new, _ in changed if old is None and new is not None], now)
    _update(account_id, [(old, new) for old, new, _ in changed if old and new], now)
    notes = [_note(old, new) for old, new, _ in changed if old is not None]
    _write_down(notes, (account_id, now, cause.value, rerating_id))


def _entries(template: str, values: Any) -> list[Entry]:
    with connection.cursor() as cursor:
        cursor.execute(_sql(template), values)
        return [Entry(*row) for row in cursor.fetchall()]


def _keep_terms(terms: dict[int, Terms]) -> None:
    """Write down terms that are new; which ones are not is remembered once they are committed."""
    fresh = {pk: each for pk, each in terms.items() if pk not in _kept}
    if fresh:
        rows = ",".join(f'{{"id":{pk},"factors":{each.text}}}' for pk, each in fresh.items())
        with connection.cursor() as cursor:
            cursor.execute(_sql(KEEP_TERMS), [f"[{rows}]"])
        transaction.on_commit(lambda: _kept.update(fresh))


def _delete(account_id: int, entries: Sequence[Entry]) -> None:
    if entries:
        moments, ids = zip(*(entry.key for entry in entries), strict=True)
        values: dict[str, Any] = {
            "account": account_id,
            "answered_at": array(moments),
            "id": array(ids),
        }
        with connection.cursor() as cursor:
            cursor.execute(_sql(DELETE), values)


def _insert(account_id: int, entries: Sequence[Entry], now: datetime) -> None:
    if entries:
        months = {partitions.month_of(entry.answered_at) for entry in entries}
        partitions.ensure(Charge._meta.db_table, months)
        with connection.cursor() as cursor, cursor.copy(_sql(INSERT)) as copy:
            for entry in entries:
                copy.write_row((account_id, now, *_row(entry)))


def _update(account_id: int, pairs: Sequence[tuple[Entry, Entry]], now: datetime) -> None:
    """BusyError where a charge is not any more what it was when it was read."""
    if not pairs:
        return
    before = [old for old, _ in pairs]
    moments = [old.answered_at for old in before]
    values: dict[str, Any] = {
        "account": account_id,
        "now": now,
        "first": min(moments),
        "last": max(moments),
        "old_amount": array(old.amount for old in before),
        "old_terms": array(old.terms_id for old in before),
        "old_seconds": array(old.seconds for old in before),
        "old_inside": array(old.bundle_seconds for old in before),
    }
    with connection.cursor() as cursor:
        cursor.execute(_sql(UPDATE), _columns([new for _, new in pairs]) | values)
        if cursor.rowcount != len(pairs):
            raise BusyError


def _columns(entries: Sequence[Entry]) -> dict[str, Any]:
    columns = zip(*map(_row, entries), strict=True)
    return dict(zip(NAMES, map(array, columns), strict=True))


def _note(old: Entry, new: Entry | None) -> tuple[Any, ...]:
    before = (old.amount, old.terms_id, old.seconds, old.bundle_seconds)
    after: tuple[Any, ...] = (None,) * 4
    if new is not None:
        after = (new.amount, new.terms_id, new.seconds, new.bundle_seconds)
    return (*old.key, secrets.randbits(63), *before, *after)


def _write_down(notes: Sequence[tuple[Any, ...]], common: tuple[Any, ...]) -> None:
    if not notes:
        return
    partitions.ensure(
        ChargeChange._meta.db_table, {partitions.month_of(answered_at) for answered_at, *_ in notes}
    )
    with connection.cursor() as cursor, cursor.copy(_sql(NOTE)) as copy:
        for note in notes:
            copy.write_row((*common, *note))


def _sql(template: str) -> sql.Composed:
    names = [sql.Identifier(name) for name in NAMES]
    fresh = [
        sql.SQL("{0} = fresh.{0}").format(sql.Identifier(name)) for name in NAMES if name not in KEY
    ]
    return sql.SQL(template).format(
        table=sql.Identifier(Charge._meta.db_table),
        changes=sql.Identifier(ChargeChange._meta.db_table),
        terms=sql.Identifier(ChargeTerms._meta.db_table),
        names=sql.SQL(", ").join(names),
        fresh=sql.SQL(", ").join(fresh),
        arrays=sql.SQL(", ").join(
            sql.SQL("{}::{}[]").format(sql.Placeholder(name), sql.SQL(kind))
            for name, kind in zip(NAMES, TYPES, strict=True)
        ),
    )
