"""FreeSWITCH channels → one call. Times are exact: every leg carries its own answer and end in µs.

Only where a leg's record never comes (``log-b-leg=false``) its partner's is the next best, and the call an estimate.
"""

from collections.abc import Sequence
from functools import cached_property

from calls.ingest.folding.freeswitch_channels import Channels
from calls.ingest.folding.freeswitch_connections import Connections
from calls.ingest.formats.freeswitch_json import Channel
from calls.ingest.records import FoldedCall, Kind, Leg, Outcome, PaidLeg, Step, Switch
from calls.numbers import normalise

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
    "LOSE_RACE": Outcome.NO_ANSWER,
    "PICKED_OFF": Outcome.NO_ANSWER,
}


def fold(legs: Sequence[Leg], switch: Switch) -> FoldedCall:
    return _Call([Channel(**leg.facts) for leg in legs], Channels(switch)).folded()


class _Call(Connections):
    """What the customer sees of a call."""

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
            people=self.people,
            wait=max(0, (parties[0].since if parties else root.end) - root.start),
            talk=self.talk,
            estimated=bool(self.unrecorded),
            complete=self.complete,
            paid=self.paid,
            steps=self.steps,
        )

    @cached_property
    def complete(self) -> bool:
        """Whether every channel that the records speak of has sent its own."""
        spoken_of = {
            uuid
            for channel in self.recorded
            for uuid in (
                channel.parent,
                channel.partner,
                channel.half,
                channel.member,
                *channel.expected,
            )
        }
        return spoken_of - {""} <= {channel.uuid for channel in self.recorded}

    @cached_property
    def paid(self) -> tuple[PaidLeg, ...]:
        return tuple(
            PaidLeg(
                leg.uuid, self.who(leg), leg.answer, leg.billed_ms // 1000, leg in self.unrecorded
            )
            for leg in self.paid_legs
            if leg.answer
        )

    @cached_property
    def extension(self) -> str:
        """The one of ours whose call it is: who rang out, who answered first, or who was rung first."""
        if self.kind != Kind.INCOMING:
            return self.own_extension
        answered = [party.who for party in self.parties if party.who in self.own_phones]
        return next(iter(answered or self.own_phones), "")

    @cached_property
    def hidden(self) -> bool:
        return self.kind == Kind.INCOMING and self.root.hidden

    @cached_property
    def peer(self) -> str:
        if self.kind == Kind.INCOMING:
            return "" if self.hidden else normalise(self.root.caller).text
        sent = normalise(self.far_end.number if self.far_end else "")
        return sent.text if sent.space else self.dialled(self.root).text

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
        unknown = root.cause in NO_SUCH_NUMBER and not (root.answer or root.disposition)
        if self.kind == Kind.INCOMING and unknown and not self.others:
            # The PBX knows nobody with this number; what stands on the channel is its own default domain.
            return ()
        return tuple(
            dict.fromkeys(name for channel in (root, *self.others) for name in channel.tenants)
        )

    @cached_property
    def outcome(self) -> Outcome:
        if self.parties:
            return Outcome.ANSWERED
        if self.kind == Kind.OUTGOING:
            return self._cause()
        if self.kind == Kind.INTERNAL and self.root.answer and not self.others:
            return Outcome.SERVICE
        return self._machine_outcome({app for channel in self.channels for app in channel.apps})

    def _machine_outcome(self, apps: set[str]) -> Outcome:
        if "voicemail" in apps:
            return Outcome.VOICEMAIL
        if apps & QUEUES:
            return Outcome.QUEUE_ABANDON
        if not self.root.answer or self.others or self.root.disposition:
            return self._cause()
        return Outcome.IVR_ABANDON if apps & MENUS else Outcome.CLOSED

    def _cause(self) -> Outcome:
        # A dial that brought early media counts as a success, whatever came then.
        tried = self.root.disposition.replace("SUCCESS", "")
        return CAUSES.get(tried or self.root.cause, Outcome.FAILED)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        shown = [channel for channel in self.others if self.who(channel)]
        return tuple(
            Step(
                who=self.who(channel),
                began=channel.start,
                answered=channel.answer,
                ended=channel.end,
                outcome=Outcome.ANSWERED
                if channel.answer
                else CAUSES.get(channel.cause, Outcome.FAILED),
                outside=self.is_paid(channel),
            )
            for channel in sorted(shown, key=lambda channel: (channel.start, channel.uuid))
        )
