"""How long rows are kept: each model says it itself, in ``keeping``.

The nightly purge, the proof after it and the erasure of a number read these rules and know no table by name, so a new
table is forgotten as soon as its model says how. One that says nothing raises the alarm, and fails a test.

``keeping`` is one rule or a tuple of several; a row goes as soon as one of them wants it gone.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class OfAccount:
    """Rows of one account (``account_id``): gone once their time is as old as the account keeps calls.

    ``moment``: the column of that time; there should be an index on (account, moment).
    ``partitioned``: by months, of a column that is never earlier than ``moment``.
    ``whole_months``: ``moment`` is the first day of a local month, and its rows stay until all of it is too old.
    ``numbers``: columns with outside numbers in canonical form, which an erasure masks.
    """

    moment: str
    partitioned: bool = False
    whole_months: bool = False
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForDays:
    """Rows of nobody in particular: gone so many whole days (in settings.TIME_ZONE) after ``moment``.

    ``only``: lookups that narrow it down to some of the rows.
    """

    moment: str
    days: int
    only: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class WithItsCall:
    """Goes with the group of legs that it belongs to: see calls.retention.legs."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """Not forgotten by itself; ``why`` says what makes that right."""

    why: str


Rule = OfAccount | ForDays | WithItsCall | Lasting
