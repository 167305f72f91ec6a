"""Asterisk's database drivers, as far as the database sees them: their queries, and the bytes that they send."""

import csv
from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection

from tests.records import HERE

ROLE = "callpanel_feed_asterisk"
CDR_COLUMNS = """
    SELECT a.attname, t.typname, a.attlen, a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid) adsrc, a.atttypmod
    FROM (((pg_catalog.pg_class c INNER JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        AND c.relname = 'cdr' AND n.nspname = 'feed')
    INNER JOIN pg_catalog.pg_attribute a ON (NOT a.attisdropped) AND a.attnum > 0 AND a.attrelid = c.oid)
    INNER JOIN pg_catalog.pg_type t ON t.oid = a.atttypid)
    LEFT OUTER JOIN pg_attrdef d ON a.atthasdef AND d.adrelid = a.attrelid AND d.adnum = a.attnum
    ORDER BY n.nspname, c.relname, attnum
"""
CEL_COLUMNS = """
    SELECT a.attname, t.typname, a.attlen, a.attnotnull, pg_catalog.pg_get_expr(d.adbin, d.adrelid) adsrc
    FROM pg_catalog.pg_class c, pg_catalog.pg_type t, pg_catalog.pg_attribute a
    LEFT OUTER JOIN pg_catalog.pg_attrdef d ON a.atthasdef AND d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.oid = a.attrelid AND a.atttypid = t.oid AND (a.attnum > 0) AND c.relname = 'cel'
    ORDER BY c.relname, attnum
"""


def connect(user: str, password: str) -> psycopg.Connection[Any]:
    """A connection of a PBX to the database of the test."""
    here = connection.connection.info
    return psycopg.connect(
        host=here.host,
        port=here.port,
        dbname=here.dbname,
        user=user,
        password=password,
        autocommit=True,
    )


class Driver:
    """One of the drivers over a connection of its own, sending bytes as libpq does."""

    def __init__(self, user: str, password: str, encoding: str = "") -> None:
        self.link = connect(user, password)
        if encoding:  # cdr_pgsql sets its own, cel_pgsql takes the role's.
            self.execute(f"SET client_encoding = '{encoding}'".encode())
        self.cdr_columns = self.columns(CDR_COLUMNS)
        self.cel_columns = self.columns(CEL_COLUMNS)

    def columns(self, query: str) -> dict[str, str]:
        """Their types by their names, as found when the module is loaded."""
        result = self.execute(query.encode())
        return {
            self.text(result, row, 0): self.text(result, row, 1) for row in range(result.ntuples)
        }

    def text(self, result: Any, row: int, column: int) -> str:
        return str(result.get_value(row, column).decode())

    def execute(self, statement: bytes) -> Any:
        result = self.link.pgconn.exec_(statement)
        if result.status not in {psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK}:
            raise RuntimeError(result.error_message.decode(errors="replace"))
        return result

    def write_cdr(self, cdr: Mapping[str, bytes]) -> None:
        """cdr_pgsql skips columns for which the record has nothing; numbers are bare, all else is quoted."""
        values = {
            name: cdr[name] if kind == "int4" else quoted(cdr[name])
            for name, kind in self.cdr_columns.items()
            if cdr.get(name)
        }
        self.insert(b"feed.cdr", values)

    def write_cel(self, event: Mapping[str, bytes]) -> None:
        """cel_pgsql names every column that there is, with DEFAULT for those it does not know."""
        values = {
            name: b"DEFAULT"
            if name not in event
            else event[name]
            if kind.startswith("float")
            else quoted(event[name])
            for name, kind in self.cel_columns.items()
        }
        self.insert(b"feed.cel", values)

    def insert(self, table: bytes, values: Mapping[str, bytes]) -> None:
        names = ",".join(f'"{name}"' for name in values).encode()
        self.execute(
            b"INSERT INTO "
            + table
            + b" ("
            + names
            + b") VALUES ("
            + b",".join(values.values())
            + b")"
        )


def quoted(value: bytes) -> bytes:
    return b"'" + value.replace(b"'", b"''") + b"'"


def recorded_rows() -> list[dict[str, bytes]]:
    """What cdr_pgsql had to write, with timezone=UTC; the recording shows its times as timestamps with a zone."""
    with (HERE / "asterisk/cdr_pgsql.csv").open() as file:
        return [
            {
                name: value.removesuffix("+00").encode()
                for name, value in row.items()
                if name != "id"
            }
            for row in csv.DictReader(file)
        ]
