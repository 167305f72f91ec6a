"""Many rows written by one statement, out of a temporary table that COPY fills.

Django writes a CASE, a tuple or a parameter for every value, and is many times slower. Names are those of the table's
columns; everything here needs a transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from psycopg import sql

FRESH = sql.Identifier("fresh")
STAGE = "CREATE TEMP TABLE {fresh} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA"
UPDATE = "UPDATE {table} AS old SET {assignments} FROM {fresh} WHERE {same}"
DELETE = "DELETE FROM {table} AS old USING {fresh} WHERE {same}"
UPSERT = """
    INSERT INTO {table} AS old ({columns}) SELECT {columns} FROM {fresh}
    ON CONFLICT ({key}) DO UPDATE SET {assignments}
"""

Row = Sequence[Any]


@contextmanager
def staged(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]
) -> Iterator[CursorWrapper]:
    """Inside, the table ``fresh`` holds the rows, typed as these columns of the model's table."""
    table = sql.Identifier(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(STAGE).format(fresh=FRESH, columns=names(columns), table=table))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(FRESH, names(columns))
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        yield cursor
        cursor.execute(sql.SQL("DROP TABLE {}").format(FRESH))


def upsert(
    model: type[models.Model], key: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Insert rows of the columns ``key`` and ``columns``, or update the columns of those that are there."""
    if rows:
        _write(model, UPSERT, key, columns, rows)


def update(rows: Sequence[models.Model], key: Sequence[str], columns: Sequence[str]) -> None:
    """Write these columns of the rows, found by the columns of ``key``."""
    if rows:
        update_values(type(rows[0]), key, columns, _values(rows, [*key, *columns]))


def update_values(
    model: type[models.Model], key: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """The same for rows that are plain values, of ``key`` and then ``columns``."""
    if rows:
        _write(model, UPDATE, key, columns, rows)


def delete(rows: Sequence[models.Model], key: Sequence[str]) -> None:
    """Delete the rows that are like these in the columns of ``key``."""
    if rows:
        _write(type(rows[0]), DELETE, key, [], _values(rows, key))


def next_ids(model: type[models.Model], count: int) -> list[int]:
    """Ids for so many new rows of the model."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [pk for (pk,) in cursor.fetchall()]


def names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _values(rows: Sequence[models.Model], columns: Sequence[str]) -> list[Row]:
    return [[getattr(row, name) for name in columns] for row in rows]


def _write(
    model: type[models.Model],
    template: str,
    key: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Row],
) -> None:
    source = "excluded" if template is UPSERT else "fresh"
    statement = sql.SQL(template).format(
        table=sql.Identifier(model._meta.db_table),
        fresh=FRESH,
        key=names(key),
        columns=names([*key, *columns]),
        assignments=_joined(", ", "{0} = {1}.{0}", columns, source),
        same=_joined(" AND ", "old.{0} = {1}.{0}", key, source),
    )
    with staged(model, [*key, *columns], rows) as cursor:
        cursor.execute(statement)


def _joined(separator: str, template: str, columns: Sequence[str], source: str) -> sql.Composed:
    parts = (
        sql.SQL(template).format(sql.Identifier(name), sql.Identifier(source)) for name in columns
    )
    return sql.SQL(separator).join(parts)
