"""Rows that Asterisk's database drivers wrote into the schema ``feed``, on into the inbox.

A row leaves the one table and enters the other in one transaction, so a kill loses none and doubles none. Whose a row
is, and in which encoding it was sent, a trigger wrote down when it came; see the migration.
"""

import json
import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from calls.ingest import inbox
from calls.ingest.formats import ASTERISK
from calls.ingest.records import CdrError
from calls.models import Pbx

logger = logging.getLogger("callpanel.ingest")

BATCH = 1000
TABLES = ("cdr", "cel")
TAKE = """
    DELETE FROM feed.{table} WHERE feed_id = ANY (ARRAY(
        SELECT feed_id FROM feed.{table} WHERE feed_role = %s
        ORDER BY feed_id LIMIT %s FOR UPDATE SKIP LOCKED
    )) RETURNING *
"""
WAITING = "SELECT DISTINCT feed_role FROM feed.cdr UNION SELECT DISTINCT feed_role FROM feed.cel"
COUNTED = """
    SELECT feed_role, count(*) FROM (
        SELECT feed_role FROM feed.cdr UNION ALL SELECT feed_role FROM feed.cel
    ) AS waiting GROUP BY feed_role
"""
# Until then a row is on its way. One that stays longer cannot be taken over, and only its age tells when it has to go.
ON_ITS_WAY = timedelta(hours=1)
STUCK = """
    SELECT feed_id, entry::text FROM feed.{table} AS entry
    WHERE feed_at < %s AND feed_role <> ALL (%s) ORDER BY feed_id
"""
DELETE = """
    DELETE FROM feed.{table} WHERE feed_id = ANY (ARRAY(
        SELECT feed_id FROM feed.{table} WHERE feed_at < %s ORDER BY feed_id LIMIT %s
    )) RETURNING feed_at
"""
OURS = {"feed_id", "feed_role", "feed_encoding", "feed_at"}
# Asterisk writes UTF-8, whatever it tells the database. In these encodings every byte is a letter, so that none is
# refused and each can be had again.
BYTEWISE = {"LATIN1": "iso8859-1", "LATIN9": "iso8859-15"}


def waiting() -> dict[str, int]:
    """How many rows wait, by role. More than a few seconds' worth of them are rows that cannot be taken over."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED)
        return dict(cursor.fetchall())


def take(now: datetime) -> int:
    """Take over what waits for the active PBXes; returns the number of rows. Rows of all others stay."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        roles = [role for (role,) in cursor.fetchall()]
    pbxes = Pbx.objects.filter(is_active=True, source=ASTERISK, feed_role__in=roles)
    return sum(_taken(pbx, now) for pbx in pbxes.exclude(feed_role=""))


def _taken(pbx: Pbx, now: datetime) -> int:
    """What could be taken over of one PBX. Where it has another feed already all stays, and the log says why."""
    try:
        return take_of(pbx, now)
    except CdrError as error:
        logger.warning("the rows of %s stay in the feed: %s", pbx.feed_role, error)
        return 0


def take_of(pbx: Pbx, now: datetime) -> int:
    """Take over all rows of one PBX; returns their number. Raises CdrError ``second_feed`` for a batch that stays."""
    taken = 0
    for table in TABLES:
        while count := _take_batch(pbx, table, now):
            taken += count
    return taken


def _take_batch(pbx: Pbx, table: str, now: datetime) -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            query = sql.SQL(TAKE).format(table=sql.Identifier(table))
            cursor.execute(query, [pbx.feed_role, BATCH])
            names = [column.name for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        bodies = [_body(row) for row in sorted(rows, key=lambda row: int(row["feed_id"]))]
        if bodies:
            inbox.check_feed(pbx, bodies, "")
            inbox.receive(pbx, bodies, now=now)
        return len(bodies)


def _body(row: dict[str, Any]) -> bytes:
    """The row as a JSON object: the same row is always the same bytes."""
    encoding = row["feed_encoding"] or ""
    fields = {name: _value(row[name], encoding) for name in row if name not in OURS}
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _value(value: Any, encoding: str) -> Any:
    if isinstance(value, float):
        return f"{value:.6f}"
    return _as_sent(value, encoding) if isinstance(value, str) else value or ""


def _as_sent(text: str, encoding: str) -> str:
    """The text as Asterisk had it; half a letter at the end of a name that was cut becomes U+FFFD, as in a CSV."""
    if encoding not in BYTEWISE:
        return text
    return text.encode(BYTEWISE[encoding], errors="replace").decode("utf-8", errors="replace")


def stuck_rows(
    now: datetime, speaks: Callable[[str], bool], *, spared: Collection[str]
) -> dict[str, list[int]]:
    """The ids of rows that cannot be taken over and whose text ``speaks`` of something, by table; none of the roles
    ``spared``."""
    found = {}
    for table in TABLES:
        with connection.cursor() as cursor:
            query = sql.SQL(STUCK).format(table=sql.Identifier(table))
            cursor.execute(query, [now - ON_ITS_WAY, list(spared)])
            found[table] = [pk for pk, text in cursor if speaks(text)]
    return found


def delete_rows(table: str, pks: Collection[int]) -> int:
    with connection.cursor() as cursor:
        statement = sql.SQL("DELETE FROM feed.{} WHERE feed_id = ANY (%s)")
        cursor.execute(statement.format(sql.Identifier(table)), [list(pks)])
        return int(cursor.rowcount)


def delete_before(table: str, moment: datetime, limit: int) -> list[datetime]:
    """Delete some of the rows that came before; returns when each of them came."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(DELETE).format(table=sql.Identifier(table)), [moment, limit])
        return [came for (came,) in cursor.fetchall()]


def count_before(table: str, moment: datetime) -> int:
    with connection.cursor() as cursor:
        statement = sql.SQL("SELECT count(*) FROM feed.{} WHERE feed_at < %s")
        cursor.execute(statement.format(sql.Identifier(table)), [moment])
        return int(cursor.fetchone()[0])
