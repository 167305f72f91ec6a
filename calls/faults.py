"""Whose fault an error is: that of the data in hand, which can be set aside, or of what is around it."""

import psycopg
from django.db import DataError, Error, IntegrityError

OF_THE_DATA = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError)


def is_the_databases(error: Exception) -> bool:
    """Whether the database is away, or not as our code expects it (a missing right, another schema)."""
    return isinstance(error, Error | psycopg.Error) and not isinstance(error, OF_THE_DATA)
