"""How the channels of one FreeSWITCH call hang together: with which it began, and who talked with whom.

The outside party of an incoming call is the channel that arrived, of an outgoing one the channel at the operator.
A person is a phone of ours or a far end; IVRs, queues, voicemail and loopback halves are machines.
"""

from dataclasses import dataclass
from functools import cached_property

from calls.ingest.folding.freeswitch_channels import Channels, is_loopback, unrecorded
from calls.ingest.formats.freeswitch_json import Channel
from calls.ingest.records import Kind, union
from calls.numbers import Number, NumberKind, normalise

# What a call is about, where its channels began several: the outside party before our own.
KINDS = [Kind.INCOMING, Kind.OUTGOING, Kind.INTERNAL]


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody on ``channel`` who was connected with the other side from ``since`` on."""

    who: str
    channel: Channel
    since: int


class Connections:
    """The channels of one call, those that sent no record included."""

    def __init__(self, recorded: list[Channel], kinds: Channels) -> None:
        self.recorded = recorded
        self.unrecorded = unrecorded(recorded)
        self.channels = [*recorded, *self.unrecorded]
        self.by_uuid = {channel.uuid: channel for channel in self.channels}
        self.is_paid, self.arrived, self.who = kinds.is_paid, kinds.arrived, kinds.who

    @cached_property
    def root(self) -> Channel:
        """The channel that the call is about: the first that nobody else asked for.

        Somebody who called from outside comes before our own phones: whoever waits in a queue for callers, or asks a
        colleague before putting them through, may have begun earlier.
        """
        first = [
            channel
            for channel in self.channels
            if (channel.inbound and not is_loopback(channel))
            or not (channel.inbound or channel.parent or channel.member)
        ]
        return min(
            first or self.channels,
            key=lambda channel: (KINDS.index(self.kind_of(channel)), channel.start, channel.uuid),
        )

    @cached_property
    def real(self) -> list[Channel]:
        return [channel for channel in self.channels if not is_loopback(channel)]

    @cached_property
    def others(self) -> list[Channel]:
        return [channel for channel in self.real if channel is not self.root]

    @cached_property
    def kind(self) -> Kind:
        return self.kind_of(self.root)

    def kind_of(self, channel: Channel) -> Kind:
        """What the call would be if it had begun with this channel."""
        if self.arrived(channel):
            return Kind.INCOMING
        if self.is_paid(channel):
            return Kind.OUTGOING
        dialled = self.dialled(channel)
        own = [other for other in self.real if self.origin(other) is channel]
        if any(map(self.is_paid, own)):
            forwarded = channel.inbound and dialled.kind == NumberKind.INTERNAL
            return Kind.INTERNAL if forwarded else Kind.OUTGOING
        # A number of our own, dialled from inside, rings nothing but phones of ours.
        return Kind.OUTGOING if dialled.space and not own else Kind.INTERNAL

    @staticmethod
    def dialled(channel: Channel) -> Number:
        """What was dialled; click-to-call rings our phone first, and names as its caller the one whom it is for."""
        began = channel.inbound or channel.parent or channel.member
        return normalise(channel.number if began else channel.caller)

    @cached_property
    def paid_legs(self) -> list[Channel]:
        return [channel for channel in self.real if self.is_paid(channel)]

    @cached_property
    def far_end(self) -> Channel | None:
        """Of an outgoing call: the channel at the operator, the answered one if there is one."""
        legs = self.paid_legs if self.kind == Kind.OUTGOING else []
        return min(legs, key=lambda leg: (leg.answer or 1 << 62, leg.start, leg.uuid), default=None)

    @cached_property
    def outside(self) -> Channel | None:
        """The channel of the party with whom our people talk; None when an outgoing call was never answered."""
        if self.kind != Kind.OUTGOING:
            return self.root
        return self.far_end if self.far_end and self.far_end.answer else None

    def origin(self, channel: Channel) -> Channel | None:
        """The channel on whose behalf this one was dialled, seen through loopback halves and queues."""
        current = self.by_uuid.get(channel.parent or channel.member)
        for _ in self.channels:
            if current is None or not is_loopback(current):
                break
            dialled = self.by_uuid.get(current.half) if current.inbound else current
            if dialled is None or dialled.parent not in self.by_uuid:
                return dialled
            current = self.by_uuid[dialled.parent]
        return current

    def connected_with(self, outside: Channel) -> list[Party]:
        """The people who talked with the one on this channel."""
        found = (self._party(channel, outside) for channel in self.others)
        return [party for party in found if party and party.channel is not outside]

    def _party(self, channel: Channel, outside: Channel) -> Party | None:
        who = self.who(channel)
        if not channel.answer or not who:
            return None
        dialled = not channel.inbound and self.origin(channel) is outside
        bridged = channel.partner == outside.uuid or outside.partner == channel.uuid
        if not dialled and not bridged:
            return None
        return Party(
            who, channel, channel.answer if dialled else max(channel.answer, channel.bridge)
        )

    @cached_property
    def parties(self) -> list[Party]:
        """The people on the other side of our own caller, or of the caller from outside, in their order."""
        outside = self.outside
        if outside is None:
            return []
        found = self.connected_with(outside)
        if self.kind == Kind.INTERNAL:
            # Either side may have put the other through.
            further = [each for party in found for each in self.connected_with(party.channel)]
            found += [party for party in further if party not in found]
        if self.kind == Kind.OUTGOING:
            found.append(Party(self.who(outside), outside, outside.answer))
        return sorted(found, key=lambda party: (party.channel is not outside, party.since))

    @cached_property
    def people(self) -> tuple[str, ...]:
        """Whoever rang out is none of those who answered, even if they took the call back from a colleague."""
        own = self.own_extension if self.kind == Kind.OUTGOING else ""
        return tuple(dict.fromkeys(party.who for party in self.parties if party.who != own))

    @cached_property
    def own_phones(self) -> list[str]:
        """The extensions that took part or were rung, in the order in which they came in."""
        phones = (c for c in self.real if not self.is_paid(c) and not self.arrived(c))
        return list(dict.fromkeys(name for phone in phones if (name := self.who(phone))))

    @cached_property
    def own_extension(self) -> str:
        """The phone of ours that began the call; click-to-call may ring the number outside before it."""
        own = "" if self.is_paid(self.root) else self.who(self.root)
        return own or next(iter(self.own_phones), "")

    @cached_property
    def talk(self) -> int:
        outside, root = self.outside, self.root
        if outside is None or not self.parties:
            return 0
        spans = [
            (party.since, party.channel.end)
            if party.channel is not outside
            else (max(root.answer, outside.answer), root.end)
            for party in self.parties
            if party.channel is not root
        ]
        if self.kind == Kind.INTERNAL:
            return union(spans)
        return union([(begin, min(end, outside.end)) for begin, end in spans])
