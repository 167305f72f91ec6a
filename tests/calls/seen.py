"""What the customer sees of a call, so that tests compare all of it at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from calls.ingest.folding import fold
from calls.ingest.grouping import components
from calls.ingest.records import SECOND, FoldedCall, Kind, Leg, Switch


@dataclass(frozen=True, kw_only=True)
class Seen:
    """``paid``: to whom and for how many seconds. ``extension``: whose call it is. Seconds as on the list."""

    kind: str
    caller: str
    outcome: str = "answered"
    missed: bool = False
    did: str = ""
    callee: str = ""
    extension: str = ""
    people: tuple[str, ...] = ()
    wait: float = 0
    talk: float = 0
    paid: tuple[tuple[str, int], ...] = ()
    estimated: bool = False
    complete: bool = True


def incoming(caller: str, extension: str, *people: str, **others: object) -> Seen:
    return Seen(kind="incoming", caller=caller, extension=extension, people=people, **others)  # type: ignore[arg-type]


def missed(caller: str, extension: str, outcome: str, **others: object) -> Seen:
    return Seen(
        kind="incoming",
        missed=True,
        caller=caller,
        extension=extension,
        outcome=outcome,
        **others,  # type: ignore[arg-type]
    )


def outgoing(caller: str, callee: str, *people: str, **others: object) -> Seen:
    return Seen(
        kind="outgoing",
        caller=caller,
        extension=caller,
        callee=callee,
        people=people,
        **others,  # type: ignore[arg-type]
    )


def internal(caller: str, callee: str, *people: str, **others: object) -> Seen:
    return Seen(
        kind="internal",
        caller=caller,
        extension=caller,
        callee=callee,
        people=people,
        **others,  # type: ignore[arg-type]
    )


def seen(legs: Iterable[Leg], switch: Switch) -> list[Seen]:
    """The calls that these legs make, in the order of their beginnings."""
    calls = [fold(group, switch) for group in components(legs)]
    return [_seen(call) for call in sorted(calls, key=lambda call: call.started)]


def _seen(call: FoldedCall) -> Seen:
    came_in = call.kind == Kind.INCOMING
    return Seen(
        kind=call.kind.value,
        outcome=call.outcome.value,
        missed=call.missed,
        caller=call.peer if came_in else call.extension,
        did=call.own_number if came_in else "",
        callee="" if came_in else call.peer,
        extension=call.extension,
        people=call.people,
        wait=round(call.wait / SECOND, 2),
        talk=round(call.talk / SECOND, 2),
        paid=tuple((leg.to, leg.seconds) for leg in call.paid),
        estimated=call.estimated,
        complete=call.complete,
    )
