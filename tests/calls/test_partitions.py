"""Monthly partitions: made when missing, by several at once too, and dropped for good whatever interrupted it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account
from billing.models import Charge
from calls import partitions
from calls.models import Call
from calls.partitions import drop_before, ensure, existing, month_of, months_ahead, next_month
from tests.builders import make_call

# Detaching a partition cannot run inside a transaction.
pytestmark = pytest.mark.django_db(transaction=True)
TABLE = Call._meta.db_table
NOVEMBER, DECEMBER, JANUARY = date(2031, 11, 1), date(2031, 12, 1), date(2032, 1, 1)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def no_partitions_left_over() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname ~ '^[a-z_]+_203[12]_[0-9]{2}$'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TABLE "{name}"')


def ours() -> list[date]:
    """The months of this test's partitions, in the order in which they are told."""
    return [month for month in existing(TABLE) if month.year >= 2031]


def tables() -> set[str]:
    """All tables of this test, attached or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^calls_call_203'"
        )
        return {name for (name,) in cursor.fetchall()}


def ask(question: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return cursor.fetchone()[0]


@given(
    month=st.dates(date(2000, 1, 1), date(2100, 12, 31)).map(lambda day: day.replace(day=1)),
)
def test_months_follow_one_another_without_a_gap(month: date) -> None:
    following = next_month(month)

    assert following.day == 1
    assert (following - timedelta(days=1)).replace(day=1) == month


def test_after_december_comes_january() -> None:
    now = datetime(2031, 11, 30, 23, 59, tzinfo=UTC)

    assert months_ahead(now, 2) == [NOVEMBER, DECEMBER, JANUARY]
    assert months_ahead(now, 0) == [NOVEMBER]


def test_a_months_begin_is_that_of_utc_whatever_the_zone() -> None:
    new_year = datetime(2032, 1, 1, 0, 30, tzinfo=ZoneInfo("Europe/Warsaw"))

    assert month_of(new_year) == DECEMBER
    assert month_of(new_year + timedelta(hours=1)) == JANUARY


def test_missing_partitions_are_made_once_and_told(acme: Account) -> None:
    first = ensure(TABLE, [JANUARY, NOVEMBER, NOVEMBER])
    second = ensure(TABLE, [NOVEMBER, DECEMBER, JANUARY])
    third = ensure(TABLE, [NOVEMBER, DECEMBER, JANUARY])

    assert (first, second, third) == ([NOVEMBER, JANUARY], [DECEMBER], [])
    assert ours() == [NOVEMBER, DECEMBER, JANUARY]
    assert ensure(TABLE, []) == []


def test_a_partition_holds_its_month_to_the_microsecond(acme: Account) -> None:
    begin = datetime(2031, 12, 1, tzinfo=UTC)
    end = datetime(2032, 1, 1, tzinfo=UTC)
    for at in (begin - MICROSECOND, begin, end - MICROSECOND, end):
        make_call(acme, at=at)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, started_at FROM calls_call ORDER BY 2")
        rows = cursor.fetchall()

    assert rows == [
        ("calls_call_2031_11", begin - MICROSECOND),
        ("calls_call_2031_12", begin),
        ("calls_call_2031_12", end - MICROSECOND),
        ("calls_call_2032_01", end),
    ]


def test_a_partition_is_as_its_table_and_leaves_room_for_the_cost() -> None:
    ensure(TABLE, [DECEMBER])

    def columns(table: str) -> Any:
        return ask(
            "SELECT array_agg((attname, atttypid, attnotnull)::text ORDER BY attname) FROM"
            " pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
            table,
        )

    def indexes(table: str) -> Any:
        return ask("SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass", table)

    partition = "calls_call_2031_12"
    assert columns(partition) == columns(TABLE)
    assert indexes(partition) == indexes(TABLE) >= 4
    assert ask("SELECT reloptions FROM pg_class WHERE oid = %s::regclass", partition) == [
        "fillfactor=80"
    ]


def at_once(times: int, job: Callable[[], Any]) -> list[Any]:
    """The results of a job done by several at the same moment, each with a connection of its own."""
    together = Barrier(times)

    def run(_: int) -> Any:
        try:
            connection.ensure_connection()
            together.wait()
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))


def test_several_at_once_make_each_partition_once() -> None:
    made = at_once(4, lambda: ensure(TABLE, [NOVEMBER, DECEMBER, JANUARY]))

    assert sorted(made) == [[], [], [], [NOVEMBER, DECEMBER, JANUARY]]
    assert ours() == [NOVEMBER, DECEMBER, JANUARY]


def test_a_batch_that_fails_takes_its_partition_back() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ensure(TABLE, [DECEMBER])
        raise ZeroDivisionError

    assert (ours(), tables()) == ([], set())
    assert ensure(TABLE, [DECEMBER]) == [DECEMBER]


def test_only_months_before_the_given_one_are_dropped_with_their_calls(acme: Account) -> None:
    for month in (NOVEMBER, DECEMBER, JANUARY):
        make_call(acme, at=datetime(month.year, month.month, 15, tzinfo=UTC))
    ensure(Charge._meta.db_table, [NOVEMBER])

    dropped = drop_before(TABLE, JANUARY)

    assert [name for name in dropped if "_203" in name] == [
        "calls_call_2031_11",
        "calls_call_2031_12",
    ]
    assert (ours(), tables()) == ([JANUARY], {"calls_call_2032_01"})
    assert [call.started_at.year for call in Call.objects.all()] == [2032]
    assert NOVEMBER in existing(Charge._meta.db_table)
    assert drop_before(TABLE, JANUARY) == []


def read_while(job: Callable[[], Any]) -> Any:
    """Do the job while somebody else's transaction reads all calls."""

    def read(_: int) -> Any:
        try:
            with transaction.atomic():
                Call.objects.count()
                with ThreadPoolExecutor(1) as other:
                    return other.submit(closing, job).result()
        finally:
            connection.close()

    def closing(job: Callable[[], Any]) -> Any:
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as reader:
        return reader.submit(read, 0).result()


def detach_in_vain() -> None:
    """Give up waiting for a reader, as a worker does that is killed: the partition is left half detached."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "PATIENCE", "500ms")
        with pytest.raises(OperationalError, match="statement timeout"):
            partitions._detach(TABLE, "calls_call_2031_11")


def test_a_partition_left_half_detached_is_finished_the_next_time() -> None:
    ensure(TABLE, [NOVEMBER, JANUARY])
    read_while(detach_in_vain)
    pending = ask(
        "SELECT array_agg(inhrelid::regclass::text) FROM pg_inherits WHERE inhdetachpending"
    )

    dropped = drop_before(TABLE, JANUARY)

    assert pending == ["calls_call_2031_11"]
    assert "calls_call_2031_11" in dropped
    assert (ours(), tables()) == ([JANUARY], {"calls_call_2032_01"})


def test_a_partition_that_was_detached_and_not_yet_dropped_is_dropped_the_next_time(
    acme: Account,
) -> None:
    ensure(TABLE, [NOVEMBER, DECEMBER, JANUARY])
    partitions._detach(TABLE, "calls_call_2031_11")
    partitions._detach(TABLE, "calls_call_2032_01")

    dropped = drop_before(TABLE, DECEMBER)

    assert "calls_call_2031_11" in dropped
    assert tables() == {"calls_call_2031_12", "calls_call_2032_01"}


def test_no_reader_has_to_wait_for_a_drop_that_waits_for_another_reader() -> None:
    ensure(TABLE, [NOVEMBER])

    def detach_and_read() -> int:
        detach_in_vain()
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 500")
            cursor.execute("SELECT count(*) FROM calls_call")
            return int(cursor.fetchone()[0])

    assert read_while(detach_and_read) == 0
