"""Monthly partitions of the big tables: created ahead, dropped behind. The one module with DDL of its own."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from django.db import connection, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import CursorWrapper
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState
from psycopg import sql

# Taken while partitions change, so that two workers never create or drop the same one.
LOCK = 0x63616C6C
# How long detaching waits for readers. Cut short, it is finished the next time, and nobody waits behind it.
PATIENCE = "30s"
NAME = re.compile(r"_(\d{4})_(\d{2})$")


class CreatePartitionedModel(CreateModel):
    """CreateModel for a table partitioned by ranges of ``partition_column``."""

    partition_column = "started_at"

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE ({self.partition_column})"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain


def month_of(moment: datetime) -> date:
    """The first day of the month, in UTC, in which partitions are cut."""
    return moment.astimezone(UTC).date().replace(day=1)


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months_ahead(now: datetime, count: int) -> list[date]:
    """The month of ``now`` and the ``count`` after it."""
    months = [month_of(now)]
    for _ in range(count):
        months.append(next_month(months[-1]))
    return months


def existing(table: str) -> dict[date, str]:
    """The partitions of ``table``: month → name, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = %s::regclass AND NOT inhdetachpending ORDER BY 1",
            [table],
        )
        return _by_month([name for (name,) in cursor.fetchall()])


def ensure(table: str, months: Iterable[date]) -> list[date]:
    """Create the missing partitions; returns the months that were missing.

    A new table is filled in beside the parent and attached, which does not stop readers; fillfactor 80 leaves room for
    the cost that charging writes into fresh rows.
    """
    missing = sorted(set(months) - existing(table).keys())
    if not missing:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        created = sorted(set(missing) - existing(table).keys())
        for month in created:
            _create(cursor, table, month)
    return created


def _create(cursor: CursorWrapper, table: str, month: date) -> None:
    name = sql.Identifier(f"{table}_{month:%Y_%m}")
    parent = sql.Identifier(table)
    bounds = (sql.Literal(f"{month} 00:00+00"), sql.Literal(f"{next_month(month)} 00:00+00"))
    statements = (
        sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(
            name, parent
        ),
        sql.SQL("ALTER TABLE {} SET (fillfactor = 80)").format(name),
        sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            parent, name, *bounds
        ),
    )
    for statement in statements:
        cursor.execute(statement)


def drop_before(
    table: str,
    month: date,
    *,
    spared: Collection[int] = (),
    before_drop: Callable[[str], None] = lambda name: None,
) -> list[str]:
    """Drop the partitions of months before ``month``, also those that were detached but not yet dropped when a worker
    was killed; returns their names. Those that hold rows of the accounts ``spared`` stay.

    ``before_drop`` gets each name in the transaction that drops it. Detached concurrently first: a plain DROP would
    wait for readers of the whole table, and everybody behind it. Cannot run inside a transaction. Raises
    OperationalError if a reader does not end in time; the next call goes on.
    """
    _finish_detaching(table)
    for begins, name in existing(table).items():
        if begins < month and not _holds_rows_of(name, spared):
            _detach(table, name)
    old = [name for begins, name in detached(table).items() if begins < month]
    dropped = [name for name in old if not _holds_rows_of(name, spared)]
    for name in dropped:
        with transaction.atomic(), connection.cursor() as cursor:
            before_drop(name)
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    return dropped


def rows_by_account(name: str, column: str) -> list[tuple[int, int, datetime, datetime]]:
    """What a partition holds: account, number of rows, the earliest and the latest time in the column."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT account_id, count(*), min({0})::timestamptz, max({0})::timestamptz"
                " FROM {1} GROUP BY 1 ORDER BY 1"
            ).format(sql.Identifier(column), sql.Identifier(name))
        )
        rows: list[tuple[int, int, datetime, datetime]] = cursor.fetchall()
    return rows


def _holds_rows_of(name: str, accounts: Collection[int]) -> bool:
    if not accounts:
        return False
    with connection.cursor() as cursor:
        statement = "SELECT EXISTS (SELECT FROM {} WHERE account_id = ANY(%s))"
        cursor.execute(sql.SQL(statement).format(sql.Identifier(name)), [list(accounts)])
        return bool(cursor.fetchone()[0])


@contextmanager
def sole(key: int) -> Iterator[bool]:
    """Whether nobody else is inside with this key. Bound to the session, so a killed worker leaves it at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        mine = bool(cursor.fetchone()[0])
        try:
            yield mine
        finally:
            if mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


@contextmanager
def _patient() -> Iterator[CursorWrapper]:
    """A cursor whose statements give up after PATIENCE."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [PATIENCE])
        try:
            yield cursor
        finally:
            cursor.execute("RESET statement_timeout")


def _finish_detaching(table: str) -> None:
    """Finish what was cut short (a killed worker): a partition half detached can neither be used nor be dropped."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = %s::regclass AND inhdetachpending",
            [table],
        )
        pending = cursor.fetchall()
    for (name,) in pending:
        with _patient() as cursor:
            cursor.execute(
                sql.SQL("ALTER TABLE {} DETACH PARTITION {} FINALIZE").format(
                    sql.Identifier(table), sql.Identifier(name)
                )
            )


def _detach(table: str, name: str) -> None:
    with _patient() as cursor:
        cursor.execute(
            sql.SQL("ALTER TABLE {} DETACH PARTITION {} CONCURRENTLY").format(
                sql.Identifier(table), sql.Identifier(name)
            )
        )


def detached(table: str) -> dict[date, str]:
    """Tables that were partitions of ``table``, by their names: month → name, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oid::regclass::text FROM pg_class"
            " WHERE relkind = 'r' AND NOT relispartition AND starts_with(relname, %s) ORDER BY 1",
            [f"{table}_"],
        )
        return _by_month([name for (name,) in cursor.fetchall()])


def _by_month(names: Iterable[str]) -> dict[date, str]:
    months = ((NAME.search(name), name) for name in names)
    return {date(int(found[1]), int(found[2]), 1): name for found, name in months if found}
