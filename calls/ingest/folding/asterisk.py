"""Asterisk CDR rows → one call.

A row tells of two channels: who dialled (``channel``) and whom (``dstchannel``). ANSWERED only says that the dialling
channel was answered, by a person or by the PBX itself, so a person answered only where an ANSWERED row leads to a
phone or a trunk. Where the PBX answered first, or the call was transferred, rows cannot tell the true seconds: the
call is then marked ``estimated``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

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
from calls.numbers import Number, NumberKind, normalise

ANSWERED = "ANSWERED"
MENUS = {"BackGround", "WaitExten", "Read", "IVRDemo"}
MENU_EXTENSIONS = re.compile(r"^([stiheo#*]|\d)$")
WITHHELD = {"", "anonymous", "unknown", "restricted", "private", "unavailable"}
OUTCOMES = {
    "BUSY": Outcome.BUSY,
    "FAILED": Outcome.FAILED,
    "CONGESTION": Outcome.FAILED,
    "CANCEL": Outcome.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who talked, on ``row``; ``since`` and ``until`` as well as the row can tell."""

    who: str
    answered: int
    since: int
    until: int


class Channels:
    """What the names of channels say: ``PJSIP/acme-101-0000001c``, ``Local/103@ctx-00000004;1``."""

    def __init__(self, switch: Switch) -> None:
        self.trunks = switch.trunks
        self.extension = re.compile(switch.extension_pattern)

    @staticmethod
    def endpoint(channel: str) -> str:
        return re.sub(r"-[0-9a-f]{8}$", "", channel.partition("/")[2])

    def is_trunk(self, channel: str) -> bool:
        name = self.endpoint(channel)
        technology = channel.partition("/")[0]
        return any(
            fnmatchcase(name, pattern) or fnmatchcase(f"{technology}/{name}", pattern)
            for pattern in self.trunks
        )

    def extension_of(self, channel: str) -> str:
        """The extension of one of our phones, '' for a trunk, a Local channel or no channel."""
        if not channel or is_local(channel) or self.is_trunk(channel):
            return ""
        found = self.extension.search(self.endpoint(channel))
        return found[found.lastindex or 0] if found else ""

    def tenant_of(self, channel: str) -> str:
        """What stands before the extension in an endpoint's name: ``acme`` of ``acme-101``."""
        name, extension = self.endpoint(channel), self.extension_of(channel)
        return name.removesuffix(extension).rstrip("-_") if extension else ""

    def dialled(self, data: str, towards: str) -> Number | None:
        """The number sent to a trunk, out of Dial's ``PJSIP/48501234567@carrier&…,30,tT`` or ``SIP/carrier/…``."""
        for target in data.split(",")[0].split("&"):
            rest = target.partition("/")[2]
            number, at, peer = rest.partition("@")
            if not at:
                peer, _, number = rest.partition("/")
            same = self.endpoint(towards) == peer if towards else self.is_trunk(f"/{peer}")
            if number and same:
                return normalise(number)
        return None


def is_local(channel: str) -> bool:
    return channel.startswith("Local/")


def other_half(channel: str) -> str:
    """``Local/x;1`` ↔ ``Local/x;2``."""
    return f"{channel[:-1]}{'2' if channel.endswith('1') else '1'}"


def fold(legs: Sequence[Leg], switch: Switch) -> FoldedCall:
    rows = sorted((Row(**leg.facts) for leg in legs), key=lambda row: (row.start, _order(row)))
    call = _Call(rows, Channels(switch))
    return call.folded(call.root.uniqueid or min(legs, key=lambda leg: (leg.started, leg.key)).key)


def _order(row: Row) -> tuple[int, str]:
    return (int(row.sequence) if row.sequence.isdecimal() else 0, row.channel + row.dstchannel)


class _Call:
    """The rows of one call and what follows from how they are connected."""

    def __init__(self, rows: list[Row], channels: Channels) -> None:
        self.rows = rows
        self.channels = channels

    def folded(self, key: str) -> FoldedCall:
        parties, extension = self.parties, self.extension
        return FoldedCall(
            key=key,
            # Whole seconds, so that a file with fractions and one without them tell of the same call.
            started=self.started // SECOND * SECOND,
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
            people=tuple(dict.fromkeys(party.who for party in parties)),
            wait=max(0, (parties[0].answered if parties else self.caller_left) - self.started),
            talk=union([(party.since, party.until) for party in parties]),
            estimated=self.estimated,
            complete=self.complete,
            paid=self.paid,
            steps=self.steps,
        )

    @cached_property
    def own_records(self) -> list[Row]:
        """Rows of channels that began a call: those whose uniqueid is the linkedid."""
        return [row for row in self.rows if row.linkedid and row.uniqueid == row.linkedid]

    @cached_property
    def root(self) -> Row:
        """The first row of the channel that the call began with."""
        return (self.own_records or self.rows)[0]

    @cached_property
    def root_rows(self) -> list[Row]:
        return [row for row in self.rows if row.channel == self.root.channel]

    @cached_property
    def started(self) -> int:
        return min(row.start for row in self.rows)

    @cached_property
    def caller_left(self) -> int:
        return max(row.end for row in self.root_rows)

    @cached_property
    def complete(self) -> bool:
        """Whether the first channel's own record is there, for each linkedid; unknown without linkedids."""
        return {row.linkedid for row in self.rows} <= {
            "",
            *(row.linkedid for row in self.own_records),
        }

    @cached_property
    def kind(self) -> Kind:
        if self.channels.is_trunk(self.root.channel):
            return Kind.INCOMING
        number = normalise(self.root.dst)
        if self.reaches_trunk and number.kind != NumberKind.INTERNAL:
            return Kind.OUTGOING
        return Kind.OUTGOING if number.space else Kind.INTERNAL

    @cached_property
    def reaches_trunk(self) -> bool:
        return any(
            self.channels.is_trunk(row.dstchannel) or self.channels.dialled(row.data, "")
            for row in self.rows
        )

    def answering(self, row: Row) -> Row | None:
        """The row that names who really answered ``row``, seen through Local channels; None for a machine."""
        for _ in self.rows:
            if row.disposition != ANSWERED or not row.dstchannel:
                return None
            if not is_local(row.dstchannel):
                return row
            half = other_half(row.dstchannel)
            behind = [other for other in self.rows if other.channel == half and other.dstchannel]
            row = min(behind, key=lambda other: other.disposition != ANSWERED, default=row)
            if not behind:
                return None
        return None

    def who(self, row: Row) -> str:
        """The person at the row's dialled end: an extension, or a number outside."""
        if self.channels.is_trunk(row.dstchannel):
            sent = self.channels.dialled(row.data, row.dstchannel)
            return sent.text if sent and sent.space else normalise(row.dst).text
        return self.channels.extension_of(row.dstchannel)

    @cached_property
    def far_ends(self) -> list[Row]:
        """Answered rows towards the operator, but for the incoming channel itself."""
        return [
            row
            for row in self.rows
            if row.disposition == ANSWERED
            and row.dstchannel != self.root.channel
            and self.channels.is_trunk(row.dstchannel)
        ]

    def party(self, row: Row) -> Party | None:
        """The person whom ``row`` connected, if it was one."""
        final = self.answering(row)
        person = self.who(final) if final else ""
        if final is None or not person:
            return None
        return Party(person, final.answer, final.end - final.billsec * SECOND, final.end)

    @cached_property
    def parties(self) -> list[Party]:
        if self.kind == Kind.OUTGOING:
            return self._outgoing_parties()
        return self._in_order(self.party(row) for row in self.root_rows)

    def _outgoing_parties(self) -> list[Party]:
        """The far end first, then those of ours to whom it was handed over."""
        if not self.far_ends:
            return []
        trunks = {row.dstchannel for row in self.far_ends}
        first = self._in_order(self.party(row) for row in self.far_ends)
        handed = self._in_order(self.party(row) for row in self.rows if row.channel in trunks)
        joined = [
            Party(extension, row.answer, row.end - row.billsec * SECOND, row.end)
            for row in self.far_ends
            if (extension := self.channels.extension_of(row.channel)) not in {"", self.extension}
        ]
        return [*first, *handed, *joined]

    @staticmethod
    def _in_order(parties: Iterable[Party | None]) -> list[Party]:
        return sorted((party for party in parties if party), key=lambda party: party.answered)

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
        first = dialled[0]
        return PaidLeg(
            key=f"{first.uniqueid or first.channel} {trunk}",
            to=self.who(first),
            answered=first.answer,
            seconds=union(spans) // SECOND,
            estimated=self.estimated,
        )

    @cached_property
    def own_phones(self) -> list[str]:
        names = (
            self.channels.extension_of(channel)
            for row in self.rows
            for channel in (row.channel, row.dstchannel)
        )
        return list(dict.fromkeys(name for name in names if name))

    @cached_property
    def extension(self) -> str:
        """The one of ours whose call it is: who rang out, who answered first, or who was rung first."""
        if self.kind != Kind.INCOMING:
            own = self.channels.extension_of(self.root.channel)
            return own or next(iter(self.own_phones), "")
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
        dialled = normalise(self.root.dst)
        if self.kind == Kind.OUTGOING:
            sent = (self.channels.dialled(row.data, row.dstchannel) for row in self.rows)
            return next((number.text for number in sent if number and number.space), dialled.text)
        return dialled.text

    @cached_property
    def peer_name(self) -> str:
        shown = self.kind == Kind.INCOMING and not self.hidden
        return self.root.name if shown else ""

    @cached_property
    def own_number(self) -> str:
        """The number of ours that was called, or that we showed when calling, where the rows tell it."""
        if self.kind == Kind.INCOMING:
            named = (row.did for row in self.rows if row.did)
            number = normalise(next(named, self.root.dst.removeprefix("did-")))
        else:
            number = normalise(self.root.src)
        is_peer = self.kind != Kind.INCOMING and number.text == self.peer
        return number.text if number.is_e164 and not is_peer else ""

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
    def estimated(self) -> bool:
        """Whether the rows cannot know the true seconds.

        So it is where the PBX answered a channel before it dialled (answered in the moment the row starts), where more
        than one person talked, and where the PBX rang our phone first (click-to-call: the caller "is" the number).
        """
        answered_by_pbx = any(
            row.answer and row.answer - row.start < SECOND // 10 and row.duration == row.billsec > 0
            for row in self.rows
        )
        originated = self.kind == Kind.OUTGOING and self.root.src == self.root.dst
        return answered_by_pbx or originated or len({party.who for party in self.parties}) > 1

    @cached_property
    def outcome(self) -> Outcome:
        if self.parties:
            return Outcome.ANSWERED
        dispositions = [row.disposition for row in self.rows]
        if self.kind == Kind.INTERNAL and ANSWERED in dispositions:
            return Outcome.SERVICE
        machine = self._machine_outcome({row.app for row in self.rows})
        if self.kind == Kind.INCOMING and machine:
            return machine
        return next(
            (OUTCOMES[name] for name in dispositions if name in OUTCOMES), Outcome.NO_ANSWER
        )

    def _machine_outcome(self, apps: set[str]) -> Outcome | None:
        if {"VoiceMail", "VoiceMailMain"} & apps:
            return Outcome.VOICEMAIL
        if "Queue" in apps:
            return Outcome.QUEUE_ABANDON
        if any(row.dstchannel or row.app == "Dial" for row in self.rows) or not self.root.answer:
            return None
        in_menu = MENUS & apps or any(MENU_EXTENSIONS.match(row.dst) for row in self.rows)
        return Outcome.IVR_ABANDON if in_menu else Outcome.CLOSED

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        shown = [row for row in self.rows if row.dstchannel and not is_local(row.dstchannel)]
        return tuple(
            Step(
                who=self.who(row),
                began=row.start,
                answered=row.answer if row.disposition == ANSWERED else 0,
                ended=row.end,
                outcome=Outcome.ANSWERED
                if row.disposition == ANSWERED
                else OUTCOMES.get(row.disposition, Outcome.NO_ANSWER),
                outside=self.channels.is_trunk(row.dstchannel),
            )
            for row in shown
        )
