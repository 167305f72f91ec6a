"""``column__any_of=values``: like ``__in``, as one array instead of a parameter for each of thousands of values."""

from collections.abc import Iterable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Lookup
from django.db.models.sql.compiler import SQLCompiler


def array(values: Iterable[Any]) -> str:
    """Values as PostgreSQL writes an array, None as NULL: psycopg takes 40 µs for one of two texts."""
    listed = list(values)
    texts = ["" if value is None else str(value) for value in listed]
    if any(value is None for value in listed) or _needs_care("".join(texts)):
        return "{" + ",".join(map(_element, listed)) + "}"
    return '{"' + '","'.join(texts) + '"}' if texts else "{}"


def _needs_care(text: str) -> bool:
    return '"' in text or "\\" in text


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@Field.register_lookup
class AnyOf(Lookup[Any]):
    lookup_name = "any_of"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [array(value)]

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        column, parameters = self.process_lhs(compiler, connection)
        values, more = self.process_rhs(compiler, connection)
        kind = self.lhs.output_field.db_type(connection)
        return f"{column} = ANY({values}::{kind}[])", [*parameters, *more]
