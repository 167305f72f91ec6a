"""Lines of another PBX's CSV → one call. What a line says is believed; lines that share a call id are one call."""

import re
from collections.abc import Sequence
from functools import cached_property

from calls.ingest.formats.mapped_csv import Entry
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
from calls.numbers import normalise

# What the disposition of a call that nobody answered may say, in part.
OUTCOMES = {
    "busy": Outcome.BUSY,
    "reject": Outcome.REJECTED,
    "cancel": Outcome.CANCELLED,
    "fail": Outcome.FAILED,
    "congestion": Outcome.FAILED,
    "voicemail": Outcome.VOICEMAIL,
}
WITHHELD = {"", "anonymous", "unknown", "restricted", "private", "unavailable", "withheld"}


def fold(legs: Sequence[Leg], switch: Switch) -> FoldedCall:
    return _Call([(leg.key, Entry(**leg.facts)) for leg in legs], switch).folded()


class _Call:
    """What the customer sees of a call; its lines in the order of their beginnings."""

    def __init__(self, lines: list[tuple[str, Entry]], switch: Switch) -> None:
        self.key, self.root = lines[0]
        self.lines = lines
        self.pattern = re.compile(switch.extension_pattern)

    def folded(self) -> FoldedCall:
        start = self.root.start
        ended = max(entry.end for _, entry in self.lines)
        answers = [entry.answer for _, entry in self.answered]
        return FoldedCall(
            key=self.key,
            started=start,
            ended=ended,
            tenants=tuple(dict.fromkeys(each.account for _, each in self.lines if each.account)),
            kind=self.kind,
            outcome=self.outcome,
            extension=self.extension,
            extensions=self.extensions,
            peer="" if self.hidden else normalise(self.outside).text,
            peer_name=self.root.name if self.kind == Kind.INCOMING and not self.hidden else "",
            hidden=self.hidden,
            own_number=self.own_number,
            people=tuple(dict.fromkeys(self.far_end(entry) for _, entry in self.answered)),
            wait=min(answers, default=ended) - start,
            talk=union([(entry.answer, entry.end) for _, entry in self.answered]),
            estimated=self.estimated,
            complete=True,
            paid=self.paid,
            steps=self.steps,
        )

    @cached_property
    def answered(self) -> list[tuple[str, Entry]]:
        return [(key, entry) for key, entry in self.lines if entry.answer]

    @cached_property
    def kind(self) -> Kind:
        return self.kind_of(self.root)

    @cached_property
    def estimated(self) -> bool:
        """One line's seconds are the PBX's own; several that were answered may overlap in what they count."""
        return len(self.answered) > 1 or any(entry.estimated for _, entry in self.answered)

    @cached_property
    def extension(self) -> str:
        first = self.answered[0][1] if self.answered else self.root
        return self.own(first if self.kind == Kind.INCOMING else self.root)

    @cached_property
    def extensions(self) -> tuple[str, ...]:
        return tuple(sorted({self.own(entry) for _, entry in self.lines} - {""}))

    @cached_property
    def hidden(self) -> bool:
        return self.kind == Kind.INCOMING and self.root.caller.casefold() in WITHHELD

    @cached_property
    def outside(self) -> str:
        return self.root.caller if self.kind == Kind.INCOMING else self.root.called

    @cached_property
    def own_number(self) -> str:
        """The number of ours that was called, or that we showed when calling, where it is one."""
        ours = self.root.called if self.kind == Kind.INCOMING else self.root.caller
        number = normalise(ours)
        return number.text if number.is_e164 and self.kind != Kind.INTERNAL else ""

    @cached_property
    def outcome(self) -> Outcome:
        return Outcome.ANSWERED if self.answered else self.outcome_of(self.lines[-1][1])

    @cached_property
    def paid(self) -> tuple[PaidLeg, ...]:
        return tuple(
            PaidLeg(
                key,
                normalise(entry.called).text,
                entry.answer,
                (entry.end - entry.answer) // SECOND,
                entry.estimated,
            )
            for key, entry in self.answered
            if self.kind_of(entry) == Kind.OUTGOING
        )

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(
            Step(
                who=self.far_end(entry),
                began=entry.start,
                answered=entry.answer,
                ended=entry.end,
                outcome=self.outcome_of(entry),
                outside=self.kind_of(entry) == Kind.OUTGOING,
            )
            for _, entry in self.lines
        )

    def kind_of(self, entry: Entry) -> Kind:
        if entry.direction:
            return Kind(entry.direction)
        if not self.phone(entry.caller):
            return Kind.INCOMING
        return Kind.INTERNAL if self.phone(entry.called) else Kind.OUTGOING

    def own(self, entry: Entry) -> str:
        """The one of ours whose line it is."""
        ours = entry.called if self.kind_of(entry) == Kind.INCOMING else entry.caller
        return entry.extension or self.phone(ours)

    def far_end(self, entry: Entry) -> str:
        """Who was called: a phone of ours, else a number."""
        if self.kind_of(entry) == Kind.INCOMING and self.own(entry):
            return self.own(entry)
        return self.phone(entry.called) or normalise(entry.called).text

    def phone(self, name: str) -> str:
        """The extension that a name is of; '' for a number outside, however it is written."""
        match = None if normalise(name).space else self.pattern.search(name)
        return match[1] if match else ""

    @staticmethod
    def outcome_of(entry: Entry) -> Outcome:
        if entry.answer:
            return Outcome.ANSWERED
        said = entry.disposition.casefold()
        return next(
            (outcome for word, outcome in OUTCOMES.items() if word in said), Outcome.NO_ANSWER
        )
