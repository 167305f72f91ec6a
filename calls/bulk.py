"""Many rows updated or deleted by one statement: Django writes a CASE or a tuple for every row, and is far slower."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models
from psycopg import sql

UPDATE = """
    UPDATE {table} AS target SET {assignments}
    FROM unnest({arrays}) AS fresh ({names})
    WHERE {same}
"""
DELETE = """
    DELETE FROM {table} AS target USING unnest({arrays}) AS fresh ({names})
    WHERE {same}
"""


def array(values: Iterable[Any]) -> str:
    """An array as PostgreSQL reads it, of numbers, times, truth values and words without blanks or punctuation; None
    is NULL. psycopg writes a list ten times slower, for it has to expect everything."""
    return "{" + ",".join(map(_plain, values)) + "}"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return "NULL" if value is None else str(value)


def update(rows: Sequence[models.Model], key: Sequence[str], columns: Sequence[str]) -> None:
    """Write these columns of the rows, found by the columns of ``key``. Names are those of the table's columns."""
    _execute(UPDATE, rows, key, columns)


def delete(rows: Sequence[models.Model], key: Sequence[str]) -> None:
    """Delete the rows that are like these in the columns of ``key``."""
    _execute(DELETE, rows, key, [])


def _execute(
    template: str, rows: Sequence[models.Model], key: Sequence[str], columns: Sequence[str]
) -> None:
    if not rows:
        return
    names = [*key, *columns]
    types = {
        field.column: str(field.db_type(connection)) for field in rows[0]._meta.concrete_fields
    }
    statement = sql.SQL(template).format(
        table=sql.Identifier(rows[0]._meta.db_table),
        assignments=_joined(", ", "{0} = fresh.{0}", columns),
        arrays=sql.SQL(", ").join(sql.SQL(f"%s::{types[name]}[]") for name in names),
        names=_joined(", ", "{0}", names),
        same=_joined(" AND ", "target.{0} = fresh.{0}", key),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [[getattr(row, name) for row in rows] for name in names])


def _joined(separator: str, template: str, names: Sequence[str]) -> sql.Composed:
    parts = (sql.SQL(template).format(sql.Identifier(name)) for name in names)
    return sql.SQL(separator).join(parts)
