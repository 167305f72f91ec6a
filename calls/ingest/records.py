"""The plain records that travel from a PBX's CDR to a row on the list. No Django, no database.

All times are integers: microseconds since the epoch, UTC. 0 means «never».
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

SECOND = 1_000_000
ALWAYS = (0, 1 << 62)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CdrError(Exception):
    """A record that cannot be taken: ``code`` groups such records, the message says what to do.

    ``called`` and ``tenants``: by what the owner of a call was looked for in vain.
    """

    def __init__(
        self, code: str, message: str, *, called: str = "", tenants: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.called = called
        self.tenants = tenants


def moment(micros: int) -> datetime:
    """µs since the epoch as an aware datetime. OverflowError beyond the year 9999."""
    return EPOCH + timedelta(microseconds=micros)


def micros(moment: datetime) -> int:
    """An aware datetime as µs since the epoch."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def clean(text: str, length: int = 4000) -> str:
    """The text as PostgreSQL can store it: no NUL, no half of a surrogate pair, not endless."""
    return text.replace("\x00", "")[:length].encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Link:
    """A name that legs of the same call share, such as a linkedid or a channel.

    Names that a PBX uses again (channels of an Asterisk that was restarted) are bound to a time: two legs are linked
    when they have a key in common while both hold it.
    """

    key: str
    since: int = ALWAYS[0]
    until: int = ALWAYS[1]

    def meets(self, other: "Link") -> bool:
        return self.key == other.key and self.since <= other.until and other.since <= self.until


@dataclass(frozen=True, slots=True)
class Leg:
    """One record of a call. ``key`` is the PBX's own id of it; ``facts`` is what folding needs, as small JSON."""

    key: str
    started: int
    ended: int
    links: tuple[Link, ...]
    facts: dict[str, Any]

    @property
    def is_event(self) -> bool:
        """Whether it only tells when something happened in a call: what call it was, other legs have to tell."""
        return "event" in self.facts

    def to_json(self) -> dict[str, Any]:
        links = [
            link.key if (link.since, link.until) == ALWAYS else [link.key, link.since, link.until]
            for link in self.links
        ]
        return {"key": self.key, "span": [self.started, self.ended], "links": links, **self.facts}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Leg":
        facts = dict(data)
        key, (started, ended), links = facts.pop("key"), facts.pop("span"), facts.pop("links")
        return cls(
            key,
            started,
            ended,
            tuple(Link(link) if isinstance(link, str) else Link(*link) for link in links),
            facts,
        )


def compact(record: Any) -> dict[str, Any]:
    """A dataclass as a dict without its empty fields, which their defaults bring back."""
    fields = ((name, getattr(record, name)) for name in record.__dataclass_fields__)
    return {name: value for name, value in fields if value}


@dataclass(frozen=True, slots=True)
class Switch:
    """What folding has to know of a PBX's configuration."""

    source: str
    trunks: tuple[str, ...]
    extension_pattern: str = r"(?:^|-)(\d{2,6})$"


class Kind(StrEnum):
    OUTGOING = "outgoing"
    INCOMING = "incoming"
    INTERNAL = "internal"


class Outcome(StrEnum):
    """How a call ended. Everything but ANSWERED makes an incoming call a missed one."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"
    VOICEMAIL = "voicemail"
    IVR_ABANDON = "ivr_abandon"
    QUEUE_ABANDON = "queue_abandon"
    CLOSED = "closed"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class PaidLeg:
    """An answered leg towards the operator: what a charge is for. ``seconds`` are whole, rounded down."""

    key: str
    to: str
    answered: int
    seconds: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a call's story: somebody was rung (or a machine picked up) from ``began`` to ``ended``."""

    who: str
    began: int
    answered: int
    ended: int
    outcome: str
    outside: bool = False


@dataclass(frozen=True, slots=True)
class FoldedCall:
    """One phone call as a person would count it.

    ``key`` is the first leg's id. ``tenants`` are the names by which the PBX calls the owner, best first.
    ``people`` are those who talked with the caller (for an outgoing call: the far end first), in their order.
    ``estimated``: the records cannot tell the seconds exactly. ``complete``: no further leg is expected.
    """

    key: str
    started: int
    ended: int
    tenants: tuple[str, ...]
    kind: Kind
    outcome: Outcome
    extension: str
    extensions: tuple[str, ...]
    peer: str
    peer_name: str
    hidden: bool
    own_number: str
    people: tuple[str, ...]
    wait: int
    talk: int
    estimated: bool
    complete: bool
    paid: tuple[PaidLeg, ...]
    steps: tuple[Step, ...] = field(default=(), compare=False)

    @property
    def missed(self) -> bool:
        return self.kind == Kind.INCOMING and self.outcome != Outcome.ANSWERED


def union(intervals: list[tuple[int, int]]) -> int:
    """The microseconds covered by at least one of the intervals ``(begin, end)``."""
    covered, reached = 0, 0
    for begin, end in sorted(intervals):
        begin = max(begin, reached)
        if end > begin:
            covered += end - begin
            reached = end
    return covered
