"""The roles by which PBXes write into the feed, and the command that makes them."""

from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql

from calls.ingest import feed, feed_roles
from calls.models import InboxRecord, Pbx
from tests.calls.asterisk_drivers import ROLE, Driver, connect, recorded_rows
from tests.conftest import RECORDED

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("recorded_time", "emptied_feed"),
]
FORBIDDEN = [
    "SELECT * FROM feed.cdr",
    "SELECT feed_id FROM feed.cel",
    "INSERT INTO feed.cdr (src) VALUES ('1') RETURNING feed_id",
    "UPDATE feed.cdr SET src = '1'",
    "DELETE FROM feed.cdr",
    "TRUNCATE feed.cdr",
    "DO $$ BEGIN LOCK TABLE feed.cdr IN ACCESS EXCLUSIVE MODE; END $$",
    "DROP TABLE feed.cdr",
    "ALTER TABLE feed.cdr DISABLE TRIGGER stamp",
    "COPY feed.cdr TO STDOUT",
    "SELECT feed.stamp()",
    "CREATE TABLE feed.mine (id int)",
    "CREATE TABLE public.mine (id int)",
    "CREATE TEMP TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "SELECT * FROM public.calls_call",
    "SELECT * FROM public.calls_pbx",
    "INSERT INTO public.calls_inboxrecord DEFAULT VALUES",
    "SET ROLE pg_write_all_data",
    "SET SESSION AUTHORIZATION pg_write_all_data",
]


def test_the_role_can_do_nothing_but_insert(driver: Driver) -> None:
    assert {statement: refusal(driver, statement) for statement in FORBIDDEN} == dict.fromkeys(
        FORBIDDEN, "42501"
    )


def refusal(driver: Driver, statement: str) -> str | None:
    """The code of PostgreSQL's refusal; 42501 is insufficient privilege."""
    try:
        driver.link.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def test_the_role_cannot_write_as_another(driver: Driver) -> None:
    driver.link.execute(
        "INSERT INTO feed.cdr (feed_role, feed_encoding, src) VALUES ('callpanel_feed_other', 'UTF8', '1')"
    )

    with connection.cursor() as cursor:
        cursor.execute("SELECT feed_role, feed_encoding, src FROM feed.cdr")
        assert cursor.fetchall() == [(ROLE, "LATIN1", "1")]


def test_a_row_of_more_than_64_kb_is_refused(driver: Driver) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="longer than 64 kB"):
        driver.link.execute("INSERT INTO feed.cdr (src) VALUES (repeat('1', 70000))")


def test_a_pbx_may_connect_five_times(driver: Driver) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = %s", [ROLE])
        assert cursor.fetchall() == [(5,)]


def command(**options: Any) -> str:
    out = StringIO()
    call_command("feed_role", pbx="asterisk", stdout=out, **options)
    return out.getvalue()


def password_in(text: str) -> str:
    return text.split("password=")[1].split()[0]


def test_the_command_makes_a_role_and_prints_the_lines_for_the_pbx(asterisk: Pbx) -> None:
    printed = command()

    driver = Driver(ROLE, password_in(printed), "LATIN1")
    driver.write_cdr(recorded_rows()[0])
    driver.link.close()
    assert feed.take(RECORDED) == 1
    assert f"user={ROLE}\n" in printed
    assert "table=feed.cdr\nencoding=LATIN1\ntimezone=UTC" in printed


def test_a_renewed_password_works_and_the_old_one_no_longer(asterisk: Pbx) -> None:
    old, new = password_in(command()), password_in(command(renew=True))

    connect(ROLE, new).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(ROLE, old)


def test_a_dropped_role_is_gone_and_its_rows_are_taken_over(asterisk: Pbx) -> None:
    driver = Driver(ROLE, password_in(command()))
    driver.write_cdr(recorded_rows()[0])
    driver.link.close()

    assert command(drop=True) == f"1 rows taken over, {ROLE} dropped\n"

    assert InboxRecord.objects.count() == 1
    assert Pbx.objects.get().feed_role == ""
    assert command()  # and can be made again


def test_a_role_whose_rows_cannot_be_taken_over_stays(asterisk: Pbx, driver: Driver) -> None:
    driver.write_cdr(recorded_rows()[0])
    Pbx.objects.update(record_ids="content")

    with pytest.raises(CommandError, match=rf"1 rows of {ROLE} wait, so it stays.*counted twice"):
        command(drop=True)

    assert feed_roles._exists(ROLE)
    assert (Pbx.objects.get().feed_role, feed.waiting()) == (ROLE, {ROLE: 1})


@pytest.mark.parametrize(
    ("options", "said"), [({"renew": True}, "no role"), ({"drop": True}, "no role")]
)
def test_a_role_that_is_not_there_is_neither_renewed_nor_dropped(
    asterisk: Pbx, options: dict[str, bool], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        command(**options)


def test_a_second_role_for_the_same_pbx_is_refused(asterisk: Pbx) -> None:
    command()

    with pytest.raises(CommandError, match="It has a role already"):
        command()


def test_a_pbx_of_another_kind_has_no_feed(freeswitch: Pbx) -> None:
    with pytest.raises(CommandError, match="no PBX entry 'freeswitch' for an Asterisk"):
        call_command("feed_role", pbx="freeswitch")


def test_a_role_that_could_do_more_is_not_made(asterisk: Pbx) -> None:
    with connection.cursor() as cursor:
        cursor.execute("GRANT SELECT ON public.calls_pbx TO PUBLIC")
    try:
        with pytest.raises(CommandError, match=r"more than to insert: SELECT on calls_pbx\."):
            command()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("REVOKE SELECT ON public.calls_pbx FROM PUBLIC")
    assert not feed_roles._exists(ROLE)
    assert Pbx.objects.get().feed_role == ""


def test_who_has_to_revoke_temporary_tables_is_told_to_grant_them_to_callpanel(
    asterisk: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_roles, "CREATE", feed_roles.CREATE[:-2])
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO PUBLIC").format(database()))
    try:
        with pytest.raises(CommandError, match=r'GRANT TEMPORARY ON DATABASE "[^"]+" TO "[^"]+";'):
            command()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(database())
            )


def database() -> sql.Identifier:
    return sql.Identifier(connection.settings_dict["NAME"])


def test_where_callpanel_may_not_make_roles_the_statements_are_printed_for_somebody_who_may(
    asterisk: Pbx,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE ROLE callpanel_feed_poor; GRANT ALL ON ALL TABLES IN SCHEMA public TO callpanel_feed_poor"
        )
        cursor.execute("SET ROLE callpanel_feed_poor")
        try:
            printed = command()
        finally:
            cursor.execute("RESET ROLE")
        statements, _ = printed.split(";\n\n")
        cursor.execute(statements)

    driver = Driver(ROLE, password_in(printed), "LATIN1")
    driver.write_cdr(recorded_rows()[0])
    driver.link.close()
    assert feed.take(RECORDED) == 1
