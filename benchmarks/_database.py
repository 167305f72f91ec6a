"""What all benchmarks share: Django, and a migrated database of their own beside whatever is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django


@contextmanager
def database() -> Iterator[None]:
    """Sets Django up and makes an empty, migrated database, which is dropped at the end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callpanel.settings")
    django.setup()
    from django.db import connection  # noqa: PLC0415 - needs the settings

    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)
