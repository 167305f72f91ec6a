"""Fixtures of several modules: an Asterisk that writes into the database."""

from collections.abc import Iterator

import pytest
from django.db import connection

from calls.ingest import feed_roles
from calls.models import Pbx
from tests.calls.asterisk_drivers import ROLE, Driver


@pytest.fixture
def emptied_feed(transactional_db: None) -> Iterator[None]:
    """Neither the tables of the feed nor the roles are Django's to clean up."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM feed.cdr; DELETE FROM feed.cel")
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'callpanel\\_feed\\_%'")
        for (role,) in cursor.fetchall():
            cursor.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.fixture
def driver(emptied_feed: None, asterisk: Pbx) -> Iterator[Driver]:
    """The drivers of an Asterisk whose role may write."""
    password = feed_roles.create(asterisk)
    driver = Driver(ROLE, password, "LATIN1")
    yield driver
    driver.link.close()
