"""Asterisk CDR rows → one call.

Where the PBX answered first, or the call was transferred, rows cannot tell the true seconds: the call is then marked
``estimated``. Channel events beside the rows, if there are any, tell the true ones.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from calls.ingest.folding.asterisk_channels import Channels, is_local, targets
from calls.ingest.folding.asterisk_connections import ANSWERED, Connections
from calls.ingest.folding.asterisk_events import Lives
from calls.ingest.folding.asterisk_seconds import Measured, Seconds
from calls.ingest.formats.asterisk_csv import Row
from calls.ingest.records import (
    SECOND,
    FoldedCall,
    Kind,
    Leg,
    Outcome,
    PaidLeg,
    Step,
    Switch,
    union,
)
from calls.numbers import Number, normalise

MENUS = {"BackGround", "WaitExten", "Read", "IVRDemo"}
MENU_EXTENSIONS = re.compile(r"^([stiheo#*]|\d)$")
WITHHELD = {"", "anonymous", "unknown", "restricted", "private", "unavailable"}
OUTCOMES = {
    "FAILED": Outcome.FAILED,
    "CONGESTION": Outcome.FAILED,
    "BUSY": Outcome.BUSY,
    "NO ANSWER": Outcome.NO_ANSWER,
    "CANCEL": Outcome.CANCELLED,
}


def fold(legs: Sequence[Leg], switch: Switch) -> FoldedCall:
    """The call of these rows and events, at least one row among them."""
    channels = Channels(switch)
    told = [leg for leg in legs if not leg.is_event]
    rows = [_with_dialled(Row(**leg.facts), channels) for leg in told]
    events = Lives(leg for leg in legs if leg.is_event)
    call = _Call(sorted(rows, key=_order), channels, events)
    return call.folded(call.root.uniqueid or min(told, key=lambda leg: (leg.started, leg.key)).key)


def _order(row: Row) -> tuple[int, int, bool, str]:
    sequence = int(row.sequence) if row.sequence.isdecimal() else 0
    return (row.start, sequence, not row.dstchannel, row.channel + row.dstchannel)


def _with_dialled(row: Row, channels: Channels) -> Row:
    """With ignoredialchanges no row names whom it dialled: what a phone of ours dialled is known from Dial's data.

    Of an incoming call it is not: there the PBX itself may have been who answered, before it dialled in vain.
    """
    own = row.app == "Dial" and not row.dstchannel and channels.phone(row.channel)
    if not own or row.disposition != ANSWERED or row.answer - row.start < SECOND:
        return row
    dialled = targets(row.data)
    return replace(row, dstchannel=dialled[0].channel) if len(dialled) == 1 else row


class _Call(Connections):
    """What the customer sees of a call."""

    def __init__(self, rows: list[Row], channels: Channels, events: Lives) -> None:
        super().__init__(rows, channels)
        self.events = events
        self.measured = Measured(self, events)

    def folded(self, key: str) -> FoldedCall:
        extension, seconds = self.extension, self.measured.seconds or self.guessed
        return FoldedCall(
            key=key,
            # Whole seconds, so that a file with fractions and one without them tell of the same call.
            started=self.root.start // SECOND * SECOND,
            ended=max(row.end for row in self.rows),
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
            wait=seconds.wait,
            talk=seconds.talk,
            estimated=self.measured.seconds is None and self.is_guess,
            complete=self.complete,
            paid=self.paid,
            steps=self.steps,
        )

    @cached_property
    def guessed(self) -> Seconds:
        """What the rows alone tell."""
        answered = [party.answered for party in self.parties]
        caller_left = max(row.end for row in self.root_rows)
        return Seconds(
            wait=max(0, next(iter(answered), caller_left) - self.root.start),
            talk=union([(party.since, party.until) for party in self.parties]),
        )

    @cached_property
    def complete(self) -> bool:
        """Whether the first channel's own record is there, for each linkedid; unknown without linkedids.

        Where events tell that a channel lives on, such as a caller who was transferred, its next row is still to come.
        """
        own = {row.linkedid for row in self.own_records}
        return {row.linkedid for row in self.rows} <= {"", *own} and not self.events.are_going_on

    @cached_property
    def paid(self) -> tuple[PaidLeg, ...]:
        return tuple(
            self._paid_leg(name) for name in dict.fromkeys(row.dstchannel for row in self.far_ends)
        )

    def _paid_leg(self, trunk: str) -> PaidLeg:
        """All that one channel at the operator was connected, also after it was transferred."""
        dialled = [row for row in self.far_ends if row.dstchannel == trunk]
        continued = [row for row in self.rows if row.channel == trunk and row.billsec]
        spans = [(row.end - row.billsec * SECOND, row.end) for row in (*dialled, *continued)]
        first, measured = dialled[0], self.measured.paid(trunk)
        answered, seconds = measured or (first.answer, union(spans) // SECOND)
        return PaidLeg(
            key=f"{first.uniqueid or first.channel} {trunk}",
            to=self.number_of(trunk),
            # A row that was right to the second stays so: its leg is not to be priced again for a fraction.
            answered=first.answer if abs(answered - first.answer) < SECOND else answered,
            seconds=seconds,
            estimated=measured is None and self.is_guess,
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
        if self.kind != Kind.INCOMING:
            return False
        return self.root.src.lower() in WITHHELD or any(row.hidden for row in self.rows)

    @cached_property
    def peer(self) -> str:
        if self.kind == Kind.INCOMING:
            return "" if self.hidden else normalise(self.root.src).text
        dialled = self.dialled(self.root)
        if self.kind == Kind.OUTGOING:
            sent = (number for row in self.rows for number in self._sent_by(row))
            return next((number.text for number in sent if number.space), dialled.text)
        # A blind transfer may leave its target in the first row, where what was dialled stood.
        transferred = dialled.text in {leg.to for leg in self.paid}
        return self.channels.phone(self.root.dstchannel) if transferred else dialled.text

    def _sent_by(self, row: Row) -> list[Number]:
        if self.channels.is_trunk(row.dstchannel):
            return [normalise(self.number_of(row.dstchannel))]
        return self.channels.sent(row.data)

    @cached_property
    def peer_name(self) -> str:
        shown = self.kind == Kind.INCOMING and not self.hidden
        return self.root.name if shown else ""

    @cached_property
    def own_number(self) -> str:
        """The number of ours that was called, or that we showed when calling, where the rows tell it."""
        incoming = self.kind == Kind.INCOMING
        number = self.called if incoming else normalise(self.root.src)
        # Click-to-call shows the number it calls; a blind transfer may leave its target where ours was.
        theirs = {leg.to for leg in self.paid} if incoming else {self.peer}
        return number.text if number.is_e164 and number.text not in theirs else ""

    @cached_property
    def tenants(self) -> tuple[str, ...]:
        rows = (*self.root_rows, *self.rows)
        codes = [name for row in rows for name in (row.tenant, row.accountcode)]
        endpoints = [
            self.channels.tenant_of(channel)
            for row in rows
            for channel in (row.channel, row.dstchannel)
        ]
        return tuple(dict.fromkeys(name for name in (*codes, *endpoints) if name))

    @cached_property
    def is_guess(self) -> bool:
        """Whether the rows cannot know the true seconds.

        So it is where the PBX answered a channel before it dialled (answered in the moment the row starts), where more
        than one person talked, and where the PBX rang our phone first (click-to-call: the caller "is" the number).
        """
        answered_by_pbx = any(
            row.answer and row.answer - row.start < SECOND // 10 and row.duration == row.billsec > 0
            for row in self.rows
        )
        originated = self.kind == Kind.OUTGOING and (
            self.root.src == self.root.dst or is_local(self.root.channel)
        )
        return answered_by_pbx or originated or len(self.people) > 1

    @cached_property
    def outcome(self) -> Outcome:
        if self.parties:
            return Outcome.ANSWERED
        answered = any(row.disposition == ANSWERED for row in self.rows)
        if self.kind == Kind.INTERNAL and answered and not self.rang:
            return Outcome.SERVICE
        machine = self._machine_outcome({row.app for row in self.rows})
        return machine if machine and self.kind != Kind.OUTGOING else self._last_outcome()

    @cached_property
    def rang(self) -> bool:
        """Whether there was an attempt to reach a person."""
        return any(row.dstchannel or row.app in {"Dial", "Queue"} for row in self.rows)

    def _machine_outcome(self, apps: set[str]) -> Outcome | None:
        if {"VoiceMail", "VoiceMailMain"} & apps:
            return Outcome.VOICEMAIL
        if "Queue" in apps:
            return Outcome.QUEUE_ABANDON
        if self.rang or not self.root.answer:
            return None
        in_menu = MENUS & apps or any(MENU_EXTENSIONS.match(row.dst) for row in self.rows)
        return Outcome.IVR_ABANDON if in_menu else Outcome.CLOSED

    def _last_outcome(self) -> Outcome:
        """How the last attempt ended: a second operator may have been tried, or a forward followed."""
        tried = [row for row in self.rows if row.disposition in OUTCOMES]
        last = max(reversed(tried), key=lambda row: row.end, default=None)
        return OUTCOMES[last.disposition] if last else Outcome.NO_ANSWER

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(
            self._step(row) for row in self.rows if row.dstchannel and not is_local(row.dstchannel)
        )

    def _step(self, row: Row) -> Step:
        answered = row.disposition == ANSWERED
        outcome = OUTCOMES.get(row.disposition, Outcome.NO_ANSWER)
        life = self.events.whole(row.dstchannel)
        # After an IVR or a queue a row begins, and is answered, before the phone even rang.
        began = max(row.start, min(life.started, row.end)) if life else row.start
        answer = max(row.answer, min(life.answered, row.end)) if life else row.answer
        return Step(
            who=self.who(row.dstchannel),
            began=began,
            answered=answer if answered else 0,
            ended=row.end,
            outcome=Outcome.ANSWERED if answered else outcome,
            outside=self.channels.is_trunk(row.dstchannel),
        )
