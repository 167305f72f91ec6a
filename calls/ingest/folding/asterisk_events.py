"""What the channel events of one Asterisk call tell: how long each channel lived, and who met whom when.

Events may be lost, so only a channel whose story has no gap is believed.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from calls.ingest.folding.asterisk_channels import is_local, other_half
from calls.ingest.records import SECOND, Leg

Span = tuple[int, int]
# Events of one moment may be stamped a little out of order.
JITTER = SECOND // 10


@dataclass(frozen=True, slots=True)
class Stay:
    """A channel in a bridge."""

    bridge: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Life:
    """One channel, times in µs, 0 where no event tells. ``stays`` is None where an event of a bridge was lost."""

    started: int
    answered: int
    ended: int
    stays: tuple[Stay, ...] | None

    @property
    def is_whole(self) -> bool:
        """Whether nothing seems to be lost, and the times have their fractions: whole seconds are no news."""
        known = [time for time in (self.started, self.answered, self.ended) if time]
        precise = any(time % SECOND for time in known)
        return bool(self.ended) and self.stays is not None and precise

    @property
    def last_left(self) -> int:
        """When it was in a bridge for the last time."""
        return max((stay.until for stay in self.stays or ()), default=0)


class Lives:
    """The channels of a call by name."""

    def __init__(self, events: Iterable[Leg]) -> None:
        told: dict[str, list[Leg]] = defaultdict(list)
        for event in events:
            told[event.facts["channel"]].append(event)
        self.all = {channel: _life(about) for channel, about in told.items()}
        self.in_bridge: dict[str, list[tuple[str, Stay]]] = defaultdict(list)
        for channel, life in self.all.items():
            for stay in (life.stays or ()) if life.is_whole else ():
                self.in_bridge[stay.bridge].append((channel, stay))

    def whole(self, channel: str) -> Life | None:
        """The channel's life, if the events tell all of it."""
        life = self.all.get(channel)
        return life if life and life.is_whole else None

    @property
    def are_going_on(self) -> bool:
        """Whether a channel lives on while others have ended."""
        return len({life.ended > 0 for life in self.all.values()}) > 1

    def meetings(self, one: str, other: str) -> list[Span]:
        """When two channels heard each other, in their order; also through Local channels between them."""
        return sorted(self._meetings(one, other, frozenset({one})))

    def _meetings(self, one: str, other: str, passed: frozenset[str]) -> Iterable[Span]:
        for channel, (since, until) in self._beside(one):
            if channel == other:
                yield since, until
            elif is_local(channel) and channel not in passed:
                half = other_half(channel)
                for begin, end in self._meetings(half, other, passed | {channel, half}):
                    if max(begin, since) < min(end, until):
                        yield max(begin, since), min(end, until)

    def _beside(self, channel: str) -> Iterable[tuple[str, Span]]:
        """Who shared a bridge with the channel, and when."""
        life = self.whole(channel)
        for stay in (life and life.stays) or ():
            for other, theirs in self.in_bridge[stay.bridge]:
                since, until = max(stay.since, theirs.since), min(stay.until, theirs.until)
                if other != channel and since < until:
                    yield other, (since, until)


def _life(events: list[Leg]) -> Life:
    times: dict[str, list[int]] = defaultdict(list)
    bridges: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for event in events:
        kind = event.facts["event"]
        times[kind].append(event.started)
        if "bridge" in event.facts:
            bridges[event.facts["bridge"]][kind == "exit"].append(event.started)
    return Life(
        started=min(times["start"], default=0),
        answered=min(times["answer"], default=0),
        ended=max(times["hangup"], default=0),
        stays=_stays(bridges),
    )


def _stays(bridges: dict[str, tuple[list[int], list[int]]]) -> tuple[Stay, ...] | None:
    """The stays, one after the other; None where entering and leaving do not match."""
    found = []
    for bridge, (entered, left) in bridges.items():
        if len(entered) != len(left):
            return None
        pairs = zip(sorted(entered), sorted(left), strict=True)
        found += [Stay(bridge, since, until) for since, until in pairs]
    found.sort(key=lambda stay: (stay.since, stay.until))
    backwards = any(stay.until < stay.since for stay in found)
    overlapping = any(stay.until > following.since + JITTER for stay, following in pairwise(found))
    return None if backwards or overlapping else tuple(found)
