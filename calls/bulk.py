"""Many rows updated by one statement: Django's bulk_update writes a CASE for every row and is ten times slower."""

from collections.abc import Sequence

from django.db import connection, models
from psycopg import sql

UPDATE = """
    UPDATE {table} AS target SET {assignments}
    FROM unnest({arrays}) AS fresh ({names})
    WHERE {same}
"""


def update(rows: Sequence[models.Model], key: Sequence[str], columns: Sequence[str]) -> None:
    """Write these columns of the rows, found by the columns of ``key``. Names are those of the table's columns."""
    if not rows:
        return
    names = [*key, *columns]
    types = {
        field.column: str(field.db_type(connection)) for field in rows[0]._meta.concrete_fields
    }
    statement = sql.SQL(UPDATE).format(
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
