"""How the rows of one Asterisk call hang together: with which it began, and who talked with whom.

A row tells of two channels: who dialled (``channel``) and whom (``dstchannel``). ANSWERED only says that the dialling
channel was answered, by a person or by the PBX itself, so a person answered only where an ANSWERED row leads to a
phone or a trunk. The outside party of an incoming call is the channel that it came in on, of an outgoing one the
answered channel at the operator.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from calls.ingest.folding.asterisk_channels import Channels, is_local, other_half
from calls.ingest.formats.asterisk_csv import Row
from calls.ingest.records import SECOND, Kind
from calls.numbers import Number, NumberKind, normalise

ANSWERED = "ANSWERED"
# The application of a channel that the PBX itself called, for click-to-call.
ORIGINATED = "AppDial2"
# What a call is about, where its channels began several: the outside party before our own.
KINDS = [Kind.INCOMING, Kind.OUTGOING, Kind.INTERNAL]


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who talked; ``since`` and ``until`` as well as the row can tell."""

    who: str
    channel: str
    answered: int
    since: int
    until: int


class Connections:
    """The rows of one call, in the order of their beginnings."""

    def __init__(self, rows: list[Row], channels: Channels) -> None:
        self.rows = rows
        self.channels = channels

    @cached_property
    def beginnings(self) -> list[Row]:
        """The first row of each channel that nobody dialled."""
        known: set[str] = set()
        found = []
        for row in self.rows:
            if row.channel not in known and not row.channel.endswith(";2"):
                found.append(row)
            known |= {row.channel, row.dstchannel}
        return found

    @cached_property
    def own_records(self) -> list[Row]:
        """Rows of channels that began a call: those whose uniqueid is the linkedid."""
        return [row for row in self.rows if row.linkedid and row.uniqueid == row.linkedid]

    @cached_property
    def root(self) -> Row:
        """The first row of the channel that the call is about.

        Somebody who called from outside comes before our own phones: whoever asks a colleague before putting them
        through may have begun earlier.
        """
        own = [row for row in self.beginnings if row in self.own_records]
        return min(
            own or self.beginnings or self.rows, key=lambda row: KINDS.index(self.kind_of(row))
        )

    @cached_property
    def root_rows(self) -> list[Row]:
        return [row for row in self.rows if row.channel == self.root.channel]

    @cached_property
    def kind(self) -> Kind:
        return self.kind_of(self.root)

    def kind_of(self, row: Row) -> Kind:
        """What the call would be if it had begun with this row."""
        if self.channels.is_trunk(row.channel):
            return Kind.INCOMING
        if is_local(row.channel) and self.reaches_trunk:
            return Kind.OUTGOING
        # After a blind transfer a row may hold the number it was transferred to.
        if self.channels.extension_of(row.dstchannel):
            return Kind.INTERNAL
        dialled = self.dialled(row)
        outside = dialled.space or (self.reaches_trunk and dialled.kind != NumberKind.INTERNAL)
        return Kind.OUTGOING if outside else Kind.INTERNAL

    @staticmethod
    def dialled(row: Row) -> Number:
        """What was dialled; click-to-call names it as the caller, and when our phone was not answered only there."""
        return normalise(row.src if row.app == ORIGINATED else row.dst)

    @cached_property
    def reaches_trunk(self) -> bool:
        return any(
            self.channels.is_trunk(row.dstchannel) or self.channels.sent(row.data)
            for row in self.rows
        )

    @cached_property
    def called(self) -> Number:
        """The number of ours that was called, where the rows tell it."""
        if self.kind != Kind.INCOMING:
            return normalise("")
        named = (row.did for row in self.rows if row.did)
        return normalise(next(named, self.root.dst.removeprefix("did-")))

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

    def who(self, channel: str) -> str:
        """The person at a dialled channel: an extension, a number outside, or at least the trunk that led there."""
        if self.channels.is_trunk(channel):
            return self.number_of(channel) or self.channels.endpoint(channel)
        return self.channels.phone(channel)

    def number_of(self, trunk: str) -> str:
        """The number that was dialled on this channel at the operator, '' where no row tells it."""
        rows = [row for row in self.rows if row.dstchannel == trunk]
        sent = next((number for row in rows if (number := self._sent(row))), normalise(""))
        dialled = normalise(rows[0].dst)
        # The first row of a call that came in holds the number of ours that was called.
        known = (dialled.space and dialled != self.called) or self.kind == Kind.OUTGOING
        return dialled.text if known and not sent.space else sent.text

    def _sent(self, row: Row) -> Number | None:
        """What this row's Dial sent to its trunk; where it rang several numbers there, they were rung in order."""
        numbers = self.channels.sent_to(row.dstchannel, row.data)
        endpoint = self.channels.endpoint(row.dstchannel)
        together = {
            other.dstchannel
            for other in self.rows
            if (other.channel, other.data) == (row.channel, row.data)
            and self.channels.endpoint(other.dstchannel) == endpoint
        }
        place = sorted(together).index(row.dstchannel)
        return numbers[place % len(numbers)] if numbers else None

    @cached_property
    def far_ends(self) -> list[Row]:
        """Answered rows towards the operator, but not those towards somebody who called us."""
        arrived = {row.channel for row in self.beginnings}
        return [
            row
            for row in self.rows
            if row.disposition == ANSWERED
            and row.dstchannel not in arrived
            and self.channels.is_trunk(row.dstchannel)
        ]

    @cached_property
    def outside(self) -> set[str]:
        """The channels with which our people talk; of an internal call those of both its ends."""
        if self.kind == Kind.OUTGOING:
            return {row.dstchannel for row in self.far_ends}
        if self.kind == Kind.INCOMING:
            return {self.root.channel}
        answered = {row.dstchannel for row in self.root_rows if row.disposition == ANSWERED}
        return {self.root.channel, *answered} - {""}

    @cached_property
    def parties(self) -> list[Party]:
        """Those with whom the caller talked, or for an outgoing call the far end and those it was handed to."""
        rows = [row for row in self.rows if row.channel in self.outside]
        if self.kind == Kind.INTERNAL:
            return self._in_order(map(self._dialled_party, rows))
        joined = [row for row in self.rows if row.dstchannel in self.outside]
        far_ends = self.far_ends if self.kind == Kind.OUTGOING else []
        return self._in_order(
            (*map(self._dialled_party, (*far_ends, *rows)), *map(self._dialling_party, joined))
        )

    @cached_property
    def people(self) -> tuple[str, ...]:
        """Whoever rang out is none of those who answered, even if they took the call back from a colleague."""
        own = self.own_extension if self.kind == Kind.OUTGOING else ""
        return tuple(dict.fromkeys(party.who for party in self.parties if party.who != own))

    @cached_property
    def own_extension(self) -> str:
        """The phone of ours that began the call; click-to-call may have rung it through a Local channel."""
        return self.channels.phone(self.root.channel) or next(iter(self.own_phones), "")

    @cached_property
    def own_phones(self) -> list[str]:
        names = (
            self.channels.phone(channel)
            for row in self.rows
            for channel in (row.channel, row.dstchannel)
        )
        return list(dict.fromkeys(name for name in names if name))

    @staticmethod
    def _in_order(parties: Iterable[Party | None]) -> list[Party]:
        return sorted((party for party in parties if party), key=lambda party: party.answered)

    def _dialled_party(self, row: Row) -> Party | None:
        """The person whom ``row`` connected, if it was one."""
        final = self.answering(row)
        person = self.who(final.dstchannel) if final else ""
        return _party(person, final.dstchannel, final) if final and person else None

    def _dialling_party(self, row: Row) -> Party | None:
        """The phone of ours that ``row`` connected with the outside party, if it was one."""
        person = self.channels.phone(row.channel)
        return _party(person, row.channel, row) if person else None


def _party(who: str, channel: str, row: Row) -> Party:
    return Party(who, channel, row.answer, row.end - row.billsec * SECOND, row.end)
