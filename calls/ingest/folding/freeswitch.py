"""FreeSWITCH channels → one call. Times are exact: every leg carries its own answer and end in µs.

The outside party of an incoming call is the channel that arrived, of an outgoing one the channel at the gateway.
A person is a phone of ours or a far end; IVRs, queues, voicemail and loopback halves are machines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from calls.ingest.formats.freeswitch_json import Channel
from calls.ingest.records import (
    FoldedCall,
    Kind,
    Leg,
    Outcome,
    PaidLeg,
    Step,
    Switch,
    union,
)
from calls.numbers import NumberKind, normalise

QUEUES = {"callcenter", "fifo"}
MENUS = {"ivr", "play_and_get_digits", "read"}
NO_SUCH_NUMBER = {"UNALLOCATED_NUMBER", "NO_ROUTE_DESTINATION", "INVALID_NUMBER_FORMAT"}
CAUSES = {
    "USER_BUSY": Outcome.BUSY,
    "CALL_REJECTED": Outcome.REJECTED,
    "ORIGINATOR_CANCEL": Outcome.CANCELLED,
    "NO_ANSWER": Outcome.NO_ANSWER,
    "NO_USER_RESPONSE": Outcome.NO_ANSWER,
    "ALLOTTED_TIMEOUT": Outcome.NO_ANSWER,
    "NORMAL_CLEARING": Outcome.NO_ANSWER,
    "SUCCESS": Outcome.NO_ANSWER,
    "LOSE_RACE": Outcome.NO_ANSWER,
    "PICKED_OFF": Outcome.NO_ANSWER,
}


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who was connected with the other side from ``since`` to ``until``; ``answered`` their phone before."""

    who: str
    answered: int
    since: int
    until: int


def fold(legs: Sequence[Leg], switch: Switch) -> FoldedCall:
    return _Call([Channel(**leg.facts) for leg in legs], switch).folded()


def who(channel: Channel) -> str:
    """The person at the far end of a channel: an extension, or a number outside."""
    if channel.gateway and not channel.inbound:
        return normalise(channel.number).text
    return channel.dialled_user if not channel.inbound else channel.user


class _Call:
    """The channels of one call and what follows from how they are connected."""

    def __init__(self, channels: list[Channel], switch: Switch) -> None:
        self.channels = channels
        self.by_uuid = {channel.uuid: channel for channel in channels}
        self.trunks = set(switch.trunks)

    def folded(self) -> FoldedCall:
        root, parties = self.root, self.parties
        extension = self.extension
        return FoldedCall(
            key=root.uuid,
            started=root.start,
            ended=max(channel.end for channel in self.channels),
            tenants=self.tenants,
            kind=self.kind,
            outcome=self.outcome,
            extension=extension,
            extensions=tuple(sorted({extension, *self.own_phones} - {""})),
            peer=self.peer,
            peer_name=self.peer_name,
            hidden=self.hidden,
            own_number=self.own_number,
            people=tuple(dict.fromkeys(party.who for party in parties)),
            wait=max(0, (parties[0].answered if parties else root.end) - root.start),
            talk=self.talk,
            estimated=False,
            complete=self.complete,
            paid=self.paid,
            steps=self.steps,
        )

    @cached_property
    def root(self) -> Channel:
        """The channel that the call began with: the first that nobody else asked for."""
        first = [
            channel
            for channel in self.real
            if channel.inbound or not (channel.parent or channel.member)
        ]
        return min(first or self.channels, key=lambda channel: (channel.start, channel.uuid))

    @cached_property
    def real(self) -> list[Channel]:
        return [channel for channel in self.channels if not channel.name.startswith("loopback/")]

    @cached_property
    def others(self) -> list[Channel]:
        return [channel for channel in self.real if channel is not self.root]

    @cached_property
    def complete(self) -> bool:
        """Whether every channel that the records speak of has sent its own."""
        spoken_of = {
            uuid
            for channel in self.channels
            for uuid in (
                channel.parent,
                channel.partner,
                channel.half,
                channel.member,
                *channel.expected,
            )
        }
        return spoken_of - {""} <= self.by_uuid.keys()

    @cached_property
    def kind(self) -> Kind:
        root = self.root
        if (
            root.inbound
            and (root.profile in self.trunks or root.context == "public")
            and not root.user
        ):
            return Kind.INCOMING
        dialled = normalise(root.number)
        if self.gateway_legs and (not root.inbound or dialled.kind != NumberKind.INTERNAL):
            return Kind.OUTGOING
        return Kind.OUTGOING if root.inbound and dialled.space else Kind.INTERNAL

    @cached_property
    def gateway_legs(self) -> list[Channel]:
        return [channel for channel in self.real if channel.gateway and not channel.inbound]

    @cached_property
    def far_end(self) -> Channel | None:
        """Of an outgoing call: the channel at the gateway, the answered one if there is one."""
        legs = self.gateway_legs if self.kind == Kind.OUTGOING else []
        return min(legs, key=lambda leg: (leg.answer or 1 << 62, leg.start, leg.uuid), default=None)

    @cached_property
    def outside(self) -> Channel | None:
        """The channel of the party with whom our people talk; None when an outgoing call was never answered."""
        if self.kind != Kind.OUTGOING:
            return self.root
        return self.far_end if self.far_end and self.far_end.answer else None

    def origin(self, channel: Channel) -> Channel | None:
        """The channel on whose behalf this one was dialled, seen through loopback halves and queues."""
        seen: set[str] = set()
        current = self.by_uuid.get(channel.parent or channel.member)
        while current and current.name.startswith("loopback/") and current.uuid not in seen:
            seen.add(current.uuid)
            half = self.by_uuid.get(current.half)
            current = self.by_uuid.get(current.parent or (half.parent if half else ""))
        return current

    def party(self, channel: Channel, outside: Channel) -> Party | None:
        """The person on ``channel`` if they were connected with ``outside``."""
        if not channel.answer or not who(channel):
            return None
        dialled = not channel.inbound and self.origin(channel) is outside
        bridged = channel.partner == outside.uuid or outside.partner == channel.uuid
        if not dialled and not bridged:
            return None
        since = channel.answer if dialled else max(channel.answer, channel.bridge)
        return Party(who(channel), channel.answer, since, channel.end)

    @cached_property
    def parties(self) -> list[Party]:
        """The people on the other side of our own caller, or of the caller from outside, in their order."""
        outside = self.outside
        if outside is None:
            return []
        found = [self.party(channel, outside) for channel in self.others if channel is not outside]
        people = sorted((party for party in found if party), key=lambda party: party.since)
        if outside is self.root:
            return people
        return [Party(who(outside), outside.answer, outside.answer, outside.end), *people]

    @cached_property
    def talk(self) -> int:
        outside = self.outside
        if outside is None or not self.parties:
            return 0
        spans = [(party.since, party.until) for party in self.parties]
        if outside is not self.root:
            spans[0] = (max(self.root.answer, outside.answer), self.root.end)
        return union([(begin, min(end, outside.end)) for begin, end in spans])

    @cached_property
    def paid(self) -> tuple[PaidLeg, ...]:
        return tuple(
            PaidLeg(leg.uuid, who(leg), leg.answer, leg.billed_ms // 1000)
            for leg in self.gateway_legs
            if leg.answer
        )

    @cached_property
    def own_phones(self) -> list[str]:
        """The extensions that took part or were rung, in the order in which they came in."""
        phones = (channel for channel in self.real if not channel.gateway)
        names = (channel.user if channel.inbound else channel.dialled_user for channel in phones)
        return list(dict.fromkeys(name for name in names if name))

    @cached_property
    def extension(self) -> str:
        """The one of ours whose call it is: who rang out, who answered first, or who was rung first."""
        root = self.root
        if self.kind != Kind.INCOMING:
            own = root.user if root.inbound else root.dialled_user
            return own or normalise(root.caller).text
        answered = [party.who for party in self.parties if party.who in self.own_phones]
        return next(iter(answered or self.own_phones), "")

    @cached_property
    def hidden(self) -> bool:
        return self.kind == Kind.INCOMING and self.root.hidden

    @cached_property
    def peer(self) -> str:
        if self.kind == Kind.INCOMING:
            return "" if self.hidden else normalise(self.root.caller).text
        far_end = self.far_end
        sent = normalise(far_end.number) if far_end else None
        return sent.text if sent and sent.space else normalise(self.root.number).text

    @cached_property
    def peer_name(self) -> str:
        name = self.root.caller_name
        shown = self.kind == Kind.INCOMING and not self.hidden and name != self.root.caller
        return name if shown else ""

    @cached_property
    def own_number(self) -> str:
        """The number of ours that was called, or that we showed when calling."""
        if self.kind == Kind.INCOMING:
            return normalise(self.root.number).text
        shown = normalise(self.far_end.caller) if self.far_end else None
        return shown.text if shown and shown.is_e164 else ""

    @cached_property
    def tenants(self) -> tuple[str, ...]:
        root = self.root
        if not self.others and root.cause in NO_SUCH_NUMBER and not root.answer:
            # The PBX knows nobody with this number; what stands on the channel is its own default domain.
            return ()
        return tuple(
            dict.fromkeys(name for channel in (root, *self.others) for name in channel.tenants)
        )

    @cached_property
    def outcome(self) -> Outcome:
        if self.parties:
            return Outcome.ANSWERED
        if self.kind == Kind.INTERNAL and self.root.answer:
            return Outcome.SERVICE
        apps = {app for channel in self.channels for app in channel.apps}
        if "voicemail" in apps:
            return Outcome.VOICEMAIL
        if apps & QUEUES:
            return Outcome.QUEUE_ABANDON
        return (
            self._machine_outcome(apps) if self.root.answer and not self.others else self._cause()
        )

    def _machine_outcome(self, apps: set[str]) -> Outcome:
        return Outcome.IVR_ABANDON if apps & MENUS else Outcome.CLOSED

    def _cause(self) -> Outcome:
        disposition = self.root.disposition or self.root.cause
        return CAUSES.get(disposition, Outcome.FAILED)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        shown = [channel for channel in self.others if who(channel)]
        return tuple(
            Step(
                who=who(channel),
                began=channel.start,
                answered=channel.answer,
                ended=channel.end,
                outcome=Outcome.ANSWERED
                if channel.answer
                else CAUSES.get(channel.cause, Outcome.FAILED),
                outside=bool(channel.gateway),
            )
            for channel in sorted(shown, key=lambda channel: (channel.start, channel.uuid))
        )
