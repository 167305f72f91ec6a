"""The database roles by which PBXes write into the schema ``feed``: each can insert there, and nothing else."""

import secrets
from collections.abc import Sequence

from django.db import ProgrammingError, connection, transaction
from psycopg import Connection, errors, sql

from calls.models import Pbx

PREFIX = "callpanel_feed_"
CREATE = (
    "CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION"
    " CONNECTION LIMIT 5 PASSWORD {password}",
    "ALTER ROLE {role} SET search_path = feed",
    # Asterisk cuts names in the middle of a letter: as UTF-8 the database would refuse such a record.
    "ALTER ROLE {role} SET client_encoding = 'LATIN1'",
    "ALTER ROLE {role} SET statement_timeout = '30s'",
    "ALTER ROLE {role} SET idle_in_transaction_session_timeout = '1min'",
    "GRANT CONNECT ON DATABASE {database} TO {role}",
    "GRANT USAGE ON SCHEMA feed TO {role}",
    "GRANT INSERT ON feed.cdr, feed.cel TO {role}",
    # Temporary tables are everybody's right by default; folding needs them.
    "GRANT TEMPORARY ON DATABASE {database} TO {user}",
    "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
)
RENEW = ("ALTER ROLE {role} PASSWORD {password}",)
DROP = ("DROP OWNED BY {role}", "DROP ROLE {role}")
TOO_MUCH = """
    SELECT format('%%s on the database', privilege)
    FROM unnest(ARRAY['TEMPORARY', 'CREATE']) privilege
    WHERE has_database_privilege(%(role)s, current_database(), privilege)
    UNION ALL
    SELECT format('CREATE in the schema %%s', nspname)
    FROM pg_namespace WHERE has_schema_privilege(%(role)s, oid, 'CREATE')
    UNION ALL
    SELECT format('%%s on %%s', privilege, oid::regclass)
    FROM pg_class, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) privilege
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
        AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        AND has_table_privilege(%(role)s, oid, privilege)
        AND NOT (privilege = 'INSERT' AND relnamespace = 'feed'::regnamespace)
"""


class RoleError(Exception):
    """A role that cannot be made as it has to be; the message says what to do."""


class NotAllowedError(RoleError):
    """callpanel's own database user may not do it: ``statements`` are what somebody who may has to run."""

    def __init__(self, statements: Sequence[str], password: str) -> None:
        super().__init__("callpanel's database user may not make, change or drop roles.")
        self.statements, self.password = statements, password


def create(pbx: Pbx) -> str:
    """Make the role of this PBX; returns its password, which is kept nowhere.

    Raises RoleError where the role could do more than insert; NotAllowedError, after the PBX was given the role's name.
    """
    role = PREFIX + pbx.name[:40]
    if _exists(role):
        raise RoleError(
            f"The database has a role {role} already, which is not the one of this PBX."
        )
    password = secrets.token_urlsafe(24)
    try:
        with transaction.atomic():
            _run(CREATE, role, password)
            _check(role)
            _remember(pbx, role)
    except NotAllowedError:
        _remember(pbx, role)
        raise
    return password


def renew(pbx: Pbx) -> str:
    """Give the role a new password, which is returned. Raises NotAllowedError."""
    password = secrets.token_urlsafe(24)
    with transaction.atomic():
        _run(RENEW, pbx.feed_role, password)
    return password


def drop(pbx: Pbx) -> None:
    """Remove the role; its rows should have been taken over. Raises NotAllowedError."""
    with transaction.atomic():
        if _exists(pbx.feed_role):
            _run(DROP, pbx.feed_role, "")
        _remember(pbx, "")


def _remember(pbx: Pbx, role: str) -> None:
    pbx.feed_role = role
    pbx.save(update_fields=["feed_role"])


def _exists(role: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        return cursor.fetchone() is not None


def _run(statements: Sequence[str], role: str, password: str) -> None:
    composed = _composed(statements, role, password)
    try:
        with connection.cursor() as cursor:
            for statement in composed:
                cursor.execute(statement)
    except ProgrammingError as error:
        if isinstance(error.__cause__, errors.InsufficientPrivilege):
            texts = [statement.as_string() for statement in composed]
            raise NotAllowedError(texts, password) from error
        raise


def _composed(statements: Sequence[str], role: str, password: str) -> list[sql.Composed]:
    link: Connection = connection.connection
    # Only what the server keeps anyway goes over the wire and, perhaps, into its log.
    verifier = link.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return [
        sql.SQL(statement).format(
            role=sql.Identifier(role),
            password=sql.Literal(verifier.decode()),
            database=sql.Identifier(link.info.dbname),
            user=sql.Identifier(link.info.user),
        )
        for statement in statements
    ]


def _own_grant() -> str:
    [grant] = _composed(["GRANT TEMPORARY ON DATABASE {database} TO {user}"], "", "")
    return grant.as_string()


def _check(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TOO_MUCH, {"role": role})
        excess = [text for (text,) in cursor.fetchall()]
    if excess:
        raise RoleError(
            f"The role would be allowed more than to insert: {'; '.join(excess)}. Revoke that from PUBLIC first."
            f" If it is TEMPORARY, give it to callpanel's own user as well, who needs it: {_own_grant()};"
        )
