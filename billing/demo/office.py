"""A firm at work: who is on the phone, whom one knows, and what was promised to be done. Pure."""

import heapq
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from billing.demo.people import Contact, Firm, contacts
from calls.ingest.records import SECOND, Kind, Leg, Outcome

MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Story:
    """A call: what it was meant to be, and its legs, out of which folding has to find the same."""

    kind: Kind
    outcome: Outcome
    people: tuple[str, ...]
    peer: Contact
    ended: int
    legs: list[Leg]
    hidden: bool = False

    @property
    def missed(self) -> bool:
        return self.kind == Kind.INCOMING and self.outcome != Outcome.ANSWERED


@dataclass(frozen=True, slots=True, order=True)
class Promise:
    """After a missed call: from ``due`` on we ring back, or the caller tries again."""

    due: int
    number: int
    contact: Contact = field(compare=False)
    by_us: bool = field(compare=False)


class Office:
    """One firm, moving through time: its desks are busy until the end of their calls."""

    def __init__(self, firm: Firm, rng: Random) -> None:
        self.firm = firm
        self.rng = rng
        self.tenant = firm.tenants[0]
        self._busy = dict.fromkeys(firm.desks, 0)
        self._known = contacts(firm, rng)
        # Zipf: the second calls half as often as the first, roughly; the 12 flattens the very top.
        self._weights = list(accumulate(1 / (rank + 12) for rank in range(firm.customers)))
        self._promises: list[Promise] = []
        self._made = 0

    def new_id(self) -> str:
        """A channel's uuid, from the seed as everything else."""
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def somebody(self) -> Contact:
        return self.rng.choices(self._known, cum_weights=self._weights)[0]

    def seconds(self, least: float, most: float) -> int:
        """A span of time in µs between two numbers of seconds."""
        return int(self.rng.uniform(least, most) * SECOND)

    def talk(self) -> int:
        """How long people talk, in µs: mostly a minute or two, seldom an hour."""
        return int(min(3600, 3 + self.rng.lognormvariate(4.5, 0.9)) * SECOND)

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def free(self, desks: tuple[str, ...], at: int) -> list[str]:
        return [desk for desk in desks if self._busy[desk] <= at]

    def free_from(self, desks: tuple[str, ...]) -> int:
        """When the first of the desks has hung up."""
        return min(self._busy[desk] for desk in desks)

    def occupy(self, desk: str, until: int) -> None:
        self._busy[desk] = max(self._busy[desk], until)

    def anybody(self, at: int) -> str:
        """A free desk, or the first one when all are busy: somebody always has to ring out."""
        return self.colleague(at) or next(iter(self._busy))

    def colleague(self, at: int, *but: str) -> str | None:
        """A free desk other than these."""
        others = [desk for desk in self.free(tuple(self._busy), at) if desk not in but]
        return self.rng.choice(others) if others else None

    def promise(self, contact: Contact, missed: int) -> None:
        """Two of three missed callers are heard later: because we ring back, or they try again."""
        roll = self.rng.random()
        if roll > 0.68:
            return
        by_us = roll < 0.48
        delay = int(self.rng.expovariate(1 / (45 if by_us else 12)) * MINUTE) + 2 * MINUTE
        self._made += 1
        heapq.heappush(self._promises, Promise(missed + delay, self._made, contact, by_us))

    def due(self, at: int) -> Promise | None:
        """The oldest promise that is due, which is forgotten."""
        if self._promises and self._promises[0].due <= at:
            return heapq.heappop(self._promises)
        return None
