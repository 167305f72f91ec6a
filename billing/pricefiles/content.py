"""What a rate says apart from its dates, as files and the database both have it. Pure."""

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

Key = tuple[str, str]
SHOWN_NAME = 100


class Fault(StrEnum):
    """Why a row is not sound. The first group cannot be used at all, the second says something twice."""

    NO_PREFIX = "no_prefix"
    BAD_PREFIX = "bad_prefix"
    BAD_RANGE = "bad_range"
    BAD_SPACE = "bad_space"
    NO_PRICE = "no_price"
    BAD_PRICE = "bad_price"
    NEGATIVE = "negative"
    TOO_EXACT = "too_exact"
    TOO_DEAR = "too_dear"
    CURRENCY = "currency"
    TWO_PRICES = "two_prices"
    BAD_INCREMENT = "bad_increment"
    BAD_TREATMENT = "bad_treatment"
    BAD_DATE = "bad_date"
    ENDS_EARLY = "ends_early"
    LONG_NAME = "long_name"

    REPEATED = "repeated"
    CONTRADICTED = "contradicted"
    OVERLAPPING = "overlapping"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that is not sound: its line in the file, why, and what it says there."""

    line: int
    fault: Fault
    value: str


@dataclass(frozen=True, slots=True)
class Content:
    """A rate's columns of the same names."""

    name: str = ""
    treatment: str = "priced"
    per_minute: Decimal = Decimal(0)
    per_call: Decimal | None = None
    evening: Decimal | None = None
    weekend: Decimal | None = None
    connection_fee: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    first_increment: int = 1
    next_increment: int = 1


PLAIN = Content()
NAMES = tuple(each.name for each in fields(Content))


@dataclass(frozen=True, slots=True)
class Version:
    """A stored rate; ``id`` None while it is only planned."""

    id: int | None
    space: str
    prefix: str
    valid_from: datetime
    valid_to: datetime | None
    content: Content

    @property
    def key(self) -> Key:
        return self.space, self.prefix

    def holds(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a file for one prefix. ``given``: what its columns say, by the names of `Content`.

    Without dates of its own it holds from the date of the whole file.
    """

    line: int
    space: str
    prefix: str
    given: dict[str, Any]
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    # Whether the file has a column for the end, so that an empty cell means none.
    says_end: bool = False

    @property
    def key(self) -> Key:
        return self.space, self.prefix


def tidy(text: str) -> str:
    """Printable, with single blanks: what is left of a name when it went through a spreadsheet."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
