"""Charges as they stand in the database, and the statements that change them: a few for a batch of any size.

Whoever changes charges of a call holds the lock on the call's row, and sees to the call's cost.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from psycopg import sql
from psycopg.types.json import Jsonb

from billing.bundling import Key
from billing.models import Charge, ChargeChange, ChargeTerms
from billing.terms import Terms
from calls import partitions

Reference = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A charge of one account, as it is stored: its columns in their order."""

    answered_at: datetime
    id: int
    call_started_at: datetime
    call_id: int
    number: str
    seconds: int
    bundle_seconds: int
    estimated: bool
    amount: Decimal
    currency: str
    terms_id: int

    @property
    def key(self) -> Key:
        return self.answered_at, self.id

    @property
    def call(self) -> Reference:
        return self.call_started_at, self.call_id


@dataclass(slots=True)
class Line:
    """A paid leg: what it was charged before, and what it is charged by now.

    ``terms`` None: it has no price, or is not paid for any more. ``bundles``: bundle id → seconds that it pays.
    """

    answered_at: datetime
    id: int
    call_started_at: datetime
    call_id: int
    number: str
    seconds: int
    estimated: bool
    terms: Terms | None
    old: Entry | None
    bundles: dict[int, int] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.answered_at, self.id

    @property
    def call(self) -> Reference:
        return self.call_started_at, self.call_id

    def entry(self) -> Entry | None:
        """The charge as it has to stand."""
        if self.terms is None:
            return None
        inside = sum(self.bundles.values())
        return Entry(
            *(self.answered_at, self.id, self.call_started_at, self.call_id),
            *(self.number, self.seconds, inside, self.estimated),
            *(self.terms.amount(self.seconds, inside), self.terms.currency, self.terms.id),
        )

    @classmethod
    def of(cls, entry: Entry, terms: Terms | None) -> "Line":
        """A charge that stands already, to be charged by these terms."""
        return cls(
            *(entry.answered_at, entry.id, entry.call_started_at, entry.call_id),
            *(entry.number, entry.seconds, entry.estimated, terms, entry),
        )


NAMES = tuple(each.name for each in fields(Entry))
TYPES = (
    *("timestamptz", "bigint", "timestamptz", "bigint", "text", "int", "int", "bool"),
    *("numeric", "text", "bigint"),
)
KEY = ("answered_at", "id")
UPSERT = """
    INSERT INTO {table} (account_id, charged_at, {names})
    SELECT %(account)s, %(now)s, {names} FROM unnest({arrays}) AS fresh ({names})
    ON CONFLICT (account_id, answered_at, id) DO UPDATE SET charged_at = EXCLUDED.charged_at, {assignments}
"""
DELETE = """
    DELETE FROM {table} AS charge USING unnest(%(answered_at)s::timestamptz[], %(id)s::bigint[]) AS gone (answered_at, id)
    WHERE charge.account_id = %(account)s
        AND charge.answered_at = gone.answered_at AND charge.id = gone.id
"""
NOTE = """
    INSERT INTO {changes} (account_id, changed_at, cause, rerating_id, answered_at, charge_id, id,
        old_amount, old_terms_id, old_seconds, old_bundle_seconds,
        new_amount, new_terms_id, new_seconds, new_bundle_seconds)
    SELECT %s, %s, %s, %s, * FROM unnest(
        %s::timestamptz[], %s::bigint[], %s::bigint[],
        %s::numeric[], %s::bigint[], %s::int[], %s::int[], %s::numeric[], %s::bigint[], %s::int[], %s::int[])
"""
KEEP_TERMS = """
    INSERT INTO {terms} (id, factors) SELECT * FROM unnest(%s::bigint[], %s::jsonb[]) ON CONFLICT DO NOTHING
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
    return _entries(OF_CALLS, {**values, "started_at": list(moments), "ids": list(ids)})


def with_keys(account_id: int, keys: Sequence[Key]) -> list[Entry]:
    """The charges of these legs, whichever calls they belong to."""
    if not keys:
        return []
    moments, ids = zip(*keys, strict=True)
    values = {"account": account_id, "first": min(moments), "last": max(moments)}
    return _entries(WITH_KEYS, {**values, "answered_at": list(moments), "ids": list(ids)})


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
    fresh = [new for _, new, _ in changed if new is not None]
    _keep_terms({terms.id: terms for _, _, terms in changed if terms is not None})
    _delete(account_id, [old for old, new, _ in changed if old is not None and new is None])
    _upsert(account_id, fresh, now)
    notes = [_note(old, new) for old, new, _ in changed if old is not None]
    _write_down(notes, (account_id, now, cause.value, rerating_id))


def _entries(template: str, values: Any) -> list[Entry]:
    with connection.cursor() as cursor:
        cursor.execute(_sql(template), values)
        return [Entry(*row) for row in cursor.fetchall()]


def _keep_terms(terms: dict[int, Terms]) -> None:
    if terms:
        factors = [Jsonb(each.to_json()) for each in terms.values()]
        with connection.cursor() as cursor:
            cursor.execute(_sql(KEEP_TERMS), [list(terms), factors])


def _delete(account_id: int, entries: Sequence[Entry]) -> None:
    if entries:
        moments, ids = zip(*(entry.key for entry in entries), strict=True)
        values = {"account": account_id, "answered_at": list(moments), "id": list(ids)}
        with connection.cursor() as cursor:
            cursor.execute(_sql(DELETE), values)


def _upsert(account_id: int, entries: Sequence[Entry], now: datetime) -> None:
    if not entries:
        return
    months = {partitions.month_of(entry.answered_at) for entry in entries}
    partitions.ensure(Charge._meta.db_table, months)
    columns = zip(*map(_row, entries), strict=True)
    values = dict(zip(NAMES, map(list, columns), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_sql(UPSERT), {**values, "account": account_id, "now": now})


def _row(entry: Entry) -> tuple[Any, ...]:
    # dataclasses.astuple copies every value deeply, which takes ten times as long.
    return tuple(getattr(entry, name) for name in NAMES)


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
    with connection.cursor() as cursor:
        cursor.execute(_sql(NOTE), [*common, *map(list, zip(*notes, strict=True))])


def _sql(template: str) -> sql.Composed:
    names = [sql.Identifier(name) for name in NAMES]
    assignments = [
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name))
        for name in NAMES
        if name not in KEY
    ]
    return sql.SQL(template).format(
        table=sql.Identifier(Charge._meta.db_table),
        changes=sql.Identifier(ChargeChange._meta.db_table),
        terms=sql.Identifier(ChargeTerms._meta.db_table),
        names=sql.SQL(", ").join(names),
        assignments=sql.SQL(", ").join(assignments),
        arrays=sql.SQL(", ").join(
            sql.SQL("{}::{}[]").format(sql.Placeholder(name), sql.SQL(kind))
            for name, kind in zip(NAMES, TYPES, strict=True)
        ),
    )
