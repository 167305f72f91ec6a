"""Which terms apply to a leg: the longest prefix, the version and the time band valid at its answer. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from billing.bands import Band, Hours
from billing.terms import Price, Rounding, Terms
from calls.numbers import Number, NumberKind, normalise

FREE_KINDS = frozenset({NumberKind.EMERGENCY, NumberKind.TOLL_FREE_PL})
# How many numbers a tariff remembers the rates of.
REMEMBERED = 200_000


class Treatment(StrEnum):
    """How a price list treats a destination. What is blocked has no price, and the operator is told."""

    PRICED = "priced"
    FREE = "free"
    BLOCKED = "blocked"


class Unpriced(StrEnum):
    """Why there is no price, which is never a price of zero."""

    NO_LIST = "no_list"
    NO_RATE = "no_rate"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Rate:
    """One version of one prefix in one price list.

    `space` and `prefix` are as in `Number.space` and `Number.digits`; the empty prefix is every number of the space.
    Valid while `valid_from <= answer < valid_to`, without end if None. `per_call` is instead of `per_minute`;
    `evening` and `weekend` are prices in the same unit, None where they are as by day.
    """

    space: str
    prefix: str
    name: str
    valid_from: datetime
    rate_id: int
    valid_to: datetime | None = None
    treatment: str = Treatment.PRICED
    per_minute: Decimal = Decimal(0)
    per_call: Decimal | None = None
    evening: Decimal | None = None
    weekend: Decimal | None = None
    connection_fee: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    first_increment: int = 1
    next_increment: int = 1

    @property
    def has_bands(self) -> bool:
        return self.evening is not None or self.weekend is not None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a price list says of all its rates. Without `hours` it knows no bands."""

    id: int
    name: str
    currency: str = "PLN"
    basis: str = "net"
    rounding: Rounding = field(default_factory=Rounding)
    hours: Hours | None = None


class Version:
    """A rate in its list, and the terms that it makes in each band."""

    __slots__ = ("_hours", "_terms", "listing", "rate", "since", "until")

    def __init__(self, listing: Listing, rate: Rate) -> None:
        self.listing = listing
        self.rate = rate
        self.since = rate.valid_from
        self.until = rate.valid_to
        self._hours = listing.hours if rate.has_bands else None
        self._terms: dict[Band, Terms] = {}

    def terms(self, at: datetime, zone: tzinfo) -> Terms:
        band = self._hours.band(at.astimezone(zone)) if self._hours else Band.ALWAYS
        terms = self._terms.get(band)
        if terms is None:
            terms = self._terms[band] = _terms(self.listing, self.rate, band)
        return terms


class RateTable:
    """The rates of one price list by prefix.

    Most of a large list is never asked for, so `rows` become rates only when they are: each is the space, the prefix
    and whatever `make` makes a rate of. Their order does not matter.
    """

    def __init__(
        self,
        listing: Listing,
        rows: Iterable[tuple[str, str, Any]],
        make: Callable[[Any], Rate] = lambda rate: rate,
    ) -> None:
        self.listing = listing
        self._make = make
        self.rows: dict[tuple[str, str], list[Any]] = {}
        self._versions: dict[tuple[str, str], list[Version]] = {}
        for space, prefix, row in rows:
            self.rows.setdefault((space, prefix), []).append(row)

    @classmethod
    def of(cls, listing: Listing, rates: Iterable[Rate]) -> "RateTable":
        return cls(listing, ((rate.space, rate.prefix, rate) for rate in rates))

    def versions(self, key: tuple[str, str]) -> list[Version]:
        """The versions of exactly this space and prefix, the one that began last first."""
        if key not in self.rows:
            return []
        if key not in self._versions:
            rates = sorted(
                map(self._make, self.rows[key]),
                key=lambda rate: (rate.valid_from, rate.rate_id),
                reverse=True,
            )
            self._versions[key] = [Version(self.listing, rate) for rate in rates]
        return self._versions[key]


class Tariff:
    """The price lists of one account, ready to be asked: its own list first, then the base list.

    Without any list nothing has a price but what is free by rule.
    """

    def __init__(self, tables: Sequence[RateTable] = ()) -> None:
        self._tables = tables
        self._lengths = sorted(
            {len(key[1]) for table in tables for key in table.rows}, reverse=True
        )
        # None for a number that is free by rule.
        self._known: dict[str, list[Version] | None] = {}
        self._chains: dict[tuple[str, str], list[Version]] = {}
        listing = tables[0].listing if tables else Listing(0, "")
        self._free_by_rule = Terms(listing.currency, listing.basis, free="rule")
        self._nothing = Terms(listing.currency, listing.basis)

    def terms(self, number: str, seconds: int, at: datetime, zone: tzinfo) -> Terms | Unpriced:
        """By which terms a leg to `number` is charged that was answered `at`, for `seconds`; `zone` is the account's.

        Among the rates valid then, the longest prefix wins over everything, then the own list over the base list, then
        the version that began last. Free by rule are emergency and toll-free numbers, whatever the lists say. 0
        seconds cost nothing, whether there is a rate or not. ValueError for negative seconds.
        """
        if seconds < 0:
            raise ValueError(f"a leg cannot last {seconds} seconds")
        versions = self._versions(number)
        if versions is None:
            return self._free_by_rule
        version = _valid(versions, at)
        if version is not None and version.rate.treatment != Treatment.BLOCKED:
            return version.terms(at, zone)
        if seconds == 0:
            return self._nothing
        if version is not None:
            return Unpriced.BLOCKED
        return Unpriced.NO_RATE if self._tables else Unpriced.NO_LIST

    def match(self, number: Number, at: datetime) -> Version | None:
        """The rate for a call answered `at`, be it a blocked destination, or None."""
        return _valid(self._fitting(number), at)

    def _versions(self, number: str) -> list[Version] | None:
        """What `_fitting` says, read and looked for only once for a number, or None where it is free by rule."""
        if number not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            read = normalise(number)
            self._known[number] = None if read.kind in FREE_KINDS else self._fitting(read)
        return self._known[number]

    def _fitting(self, number: Number) -> list[Version]:
        """The rates of any time whose prefix fits, in the order in which they win."""
        space = number.space
        return self._beginning(space, number.digits, 0) if space else []

    def _beginning(self, space: str, digits: str, place: int) -> list[Version]:
        """The rates for the longest prefix of these digits, of the lengths from this place on, and for all shorter."""
        for shorter, length in enumerate(self._lengths[place:], start=place + 1):
            key = (space, digits[:length])
            if length <= len(digits) and any(key in table.rows for table in self._tables):
                if key not in self._chains:
                    found = [version for table in self._tables for version in table.versions(key)]
                    self._chains[key] = found + self._beginning(space, digits, shorter)
                return self._chains[key]
        return []


def _valid(versions: Iterable[Version], at: datetime) -> Version | None:
    for version in versions:
        if version.since <= at and (version.until is None or at < version.until):
            return version
    return None


def price(
    tariff: Tariff, number: Number, seconds: int, at: datetime, zone: tzinfo = UTC
) -> Price | Unpriced:
    """Price a leg to `number`, answered `at` for `seconds` whole seconds, of which no bundle pays any."""
    terms = tariff.terms(number.text, seconds, at, zone)
    return terms if isinstance(terms, Unpriced) else terms.price(seconds)


def _terms(listing: Listing, rate: Rate, band: Band) -> Terms:
    override = {Band.EVENING: rate.evening, Band.WEEKEND: rate.weekend}.get(band)
    per_minute, per_call = rate.per_minute, rate.per_call
    if override is not None:
        per_minute, per_call = (override, None) if per_call is None else (per_minute, override)
    return Terms(
        currency=listing.currency,
        basis=listing.basis,
        free="list" if rate.treatment == Treatment.FREE else "",
        price_list=listing.name,
        price_list_id=listing.id,
        rate_id=rate.rate_id,
        rate_name=rate.name,
        space=rate.space,
        prefix=rate.prefix,
        valid_from=rate.valid_from.isoformat(),
        band=band.value,
        per_minute=per_minute,
        per_call=per_call,
        connection_fee=rate.connection_fee,
        minimum=rate.minimum,
        first_increment=rate.first_increment,
        next_increment=rate.next_increment,
        rounding=listing.rounding,
    )
