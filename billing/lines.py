"""A charge as it stands, and a paid leg between what it was charged and what it has to be charged."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.bundling import Key
from billing.terms import Terms

Reference = tuple[datetime, int]


class BusyError(Exception):
    """Somebody else is writing what has to change: nothing is changed now, and a moment later it can be."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A charge of one account, as it is stored: its columns in their order."""

    answered_at: datetime
    id: int
    call_started_at: datetime
    call_id: int
    number: str
    seconds: int
    bundle_seconds: int
    estimated: bool
    amount: Decimal
    currency: str
    terms_id: int

    @property
    def key(self) -> Key:
        return self.answered_at, self.id

    @property
    def call(self) -> Reference:
        return self.call_started_at, self.call_id


@dataclass(frozen=True, slots=True)
class Leg:
    """A paid leg of a call."""

    answered_at: datetime
    id: int
    call_started_at: datetime
    call_id: int
    number: str
    seconds: int
    estimated: bool

    @property
    def key(self) -> Key:
        return self.answered_at, self.id

    @property
    def call(self) -> Reference:
        return self.call_started_at, self.call_id


class Line:
    """A paid leg, what it was charged before, and what it is charged by now.

    ``terms`` None: it has no price, or is not paid for any more. ``bundles``: bundle id → seconds that it pays. ``new``
    is the charge as it has to stand.
    """

    __slots__ = ("bundles", "leg", "new", "old", "terms")

    def __init__(self, leg: Leg | Entry, terms: Terms | None, old: Entry | None) -> None:
        self.leg = leg
        self.old = old
        self.charge(terms, {})

    def charge(self, terms: Terms | None, bundles: dict[int, int]) -> None:
        self.terms = terms
        self.bundles = bundles
        self.new = None if terms is None else _entry(self.leg, terms, sum(bundles.values()))

    @property
    def changes(self) -> bool:
        return self.old != self.new

    @property
    def amount(self) -> Decimal:
        """What the leg costs; 0 without terms."""
        return Decimal(0) if self.new is None else self.new.amount


def _entry(leg: Leg | Entry, terms: Terms, inside: int) -> Entry:
    return Entry(
        leg.answered_at,
        leg.id,
        leg.call_started_at,
        leg.call_id,
        leg.number,
        leg.seconds,
        inside,
        leg.estimated,
        terms.amount(leg.seconds, inside),
        terms.currency,
        terms.id,
    )
