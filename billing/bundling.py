"""Which seconds of which leg a bundle pays. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from calls.numbers import Number

# A leg's place in the order of answering: when it was answered, then its id.
Key = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Allowance:
    """Seconds of one month, for numbers of these classes (`Direction` values) or with one of these prefixes."""

    id: int
    name: str
    seconds: int
    classes: frozenset[str]
    prefixes: tuple[str, ...]

    def fits(self, number: Number) -> bool:
        if number.direction.value in self.classes:
            return True
        return number.space == "e164" and number.digits.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class Talk:
    """A leg whose seconds cost something."""

    key: Key
    number: Number
    seconds: int


def allocate(
    allowances: Sequence[Allowance], used: Mapping[int, int], talks: Iterable[Talk]
) -> dict[Key, dict[int, int]]:
    """For each leg that a bundle pays seconds of: allowance id → seconds.

    The legs, all of one month, use the allowances in the order of answering, whatever order they come in; one leg uses
    the allowances in theirs. `used` is what legs before the first of these used: allowance id → seconds.
    """
    left = {each.id: each.seconds - used.get(each.id, 0) for each in allowances}
    shares: dict[Key, dict[int, int]] = {}
    for talk in sorted(talks, key=lambda talk: talk.key):
        if share := _share(allowances, left, talk):
            shares[talk.key] = share
    return shares


def _share(allowances: Sequence[Allowance], left: dict[int, int], talk: Talk) -> dict[int, int]:
    """What the leg takes, which is taken off what is left."""
    share: dict[int, int] = {}
    unpaid = talk.seconds
    for allowance in allowances:
        seconds = min(unpaid, left[allowance.id])
        if seconds > 0 and allowance.fits(talk.number):
            left[allowance.id] -= seconds
            unpaid -= seconds
            share[allowance.id] = seconds
    return share
