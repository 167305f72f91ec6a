"""The true seconds of an Asterisk call, where channel events beside its rows tell them.

Who took part is what the rows say. A person counts from the first time that they and the outside party heard each
other until they left their last bridge: on hold and in a consultation they are still there.
"""

from dataclasses import dataclass
from functools import cached_property

from calls.ingest.folding.asterisk_channels import is_local
from calls.ingest.folding.asterisk_connections import Connections
from calls.ingest.folding.asterisk_events import Life, Lives, Span
from calls.ingest.formats.asterisk_csv import SLACK
from calls.ingest.records import SECOND, Kind, union


@dataclass(frozen=True, slots=True)
class Seconds:
    """As on a FoldedCall, in µs."""

    wait: int
    talk: int


class Measured:
    """A call whose rows tell who took part, and its events how long."""

    def __init__(self, call: Connections, lives: Lives) -> None:
        self.call = call
        self.lives = lives

    @cached_property
    def seconds(self) -> Seconds | None:
        """None where the events do not tell all of it."""
        root = self._life(self.call.root.channel)
        if root is None or not self._tells_of_everybody:
            return None
        began = root.started or self.call.root.start
        if not self.call.parties:
            return Seconds(max(0, root.ended - began), 0)
        answered, talk = self._answered, union(list(self._together.values()))
        return Seconds(max(0, answered - began), talk) if answered else None

    def paid(self, trunk: str) -> tuple[int, int] | None:
        """When a channel at the operator was answered (µs), and its whole seconds from then on."""
        life = self._life(trunk)
        if life is None or not life.answered:
            return None
        return life.answered, (life.ended - life.answered) // SECOND

    def _life(self, channel: str) -> Life | None:
        """The channel's life, if rows agree about its end: the clocks of rows and events may be set differently."""
        life = self.lives.whole(channel)
        rows = [row for row in self.call.rows if channel in (row.channel, row.dstchannel)]
        ended = max((row.end for row in rows), default=0)
        return life if life and abs(life.ended - ended) <= SLACK else None

    @cached_property
    def _tells_of_everybody(self) -> bool:
        """Whether all who took part by the rows met by the events as well, and nobody of whom no row tells."""
        met = {channel for pair in self._together for channel in pair}
        parties = {party.channel for party in self.call.parties}
        named = {name for row in self.call.rows for name in (row.channel, row.dstchannel)}
        return parties <= met <= named and bool(parties) == bool(met)

    @cached_property
    def _together(self) -> dict[tuple[str, str], Span]:
        """From when until when an outside party and a person were both there, by their channels."""
        people = {
            name: life
            for name in self.lives.all
            if not is_local(name) and (life := self.lives.whole(name))
        }
        found = {}
        for outside in self.call.outside & people.keys():
            for person, life in people.items():
                spans = self.lives.meetings(outside, person) if person != outside else []
                if spans:
                    left = min(life.last_left, people[outside].ended)
                    found[outside, person] = spans[0][0], left
        return found

    @cached_property
    def _answered(self) -> int:
        """When the first person answered, 0 if that is not told."""
        if self.call.kind == Kind.OUTGOING:
            answering = set(self.call.outside)
        else:
            answering = {person for _, person in self._together} - {self.call.root.channel}
        return min(map(self._answer_of, answering), default=0)

    def _answer_of(self, channel: str) -> int:
        """Who dialled, such as for a parked caller, answers when they are connected."""
        life = self.lives.whole(channel)
        if channel not in {row.channel for row in self.call.beginnings}:
            return life.answered if life else 0
        met = (since for pair, (since, _) in self._together.items() if channel in pair)
        return min(met, default=0)
