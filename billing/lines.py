"""A charge as it stands, and a paid leg between what it was charged and what it has to be charged."""

from dataclasses import dataclass, field
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


@dataclass(slots=True)
class Line:
    """A paid leg: what it was charged before, and what it is charged by now.

    ``terms`` None: it has no price, or is not paid for any more. ``bundles``: bundle id → seconds that it pays.
    """

    answered_at: datetime
    id: int
    call_started_at: datetime
    call_id: int
    number: str
    seconds: int
    estimated: bool
    terms: Terms | None
    old: Entry | None
    bundles: dict[int, int] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.answered_at, self.id

    @property
    def call(self) -> Reference:
        return self.call_started_at, self.call_id

    @property
    def amount(self) -> Decimal:
        """What the leg costs; 0 without terms."""
        if self.terms is None:
            return Decimal(0)
        return self.terms.amount(self.seconds, sum(self.bundles.values()))

    def entry(self) -> Entry | None:
        """The charge as it has to stand."""
        if self.terms is None:
            return None
        inside = sum(self.bundles.values())
        return Entry(
            self.answered_at,
            self.id,
            self.call_started_at,
            self.call_id,
            self.number,
            self.seconds,
            inside,
            self.estimated,
            self.terms.amount(self.seconds, inside),
            self.terms.currency,
            self.terms.id,
        )

    @classmethod
    def of(cls, entry: Entry, terms: Terms | None) -> "Line":
        """A charge that stands already, to be charged by these terms."""
        return cls(
            answered_at=entry.answered_at,
            id=entry.id,
            call_started_at=entry.call_started_at,
            call_id=entry.call_id,
            number=entry.number,
            seconds=entry.seconds,
            estimated=entry.estimated,
            terms=terms,
            old=entry,
        )
