"""One call's story as the channels that a FreeSWITCH would have recorded of it. Pure; all times are µs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from billing.demo.people import Contact
from calls.ingest.records import Leg, Link, Switch

SWITCH = Switch("freeswitch-json", ("external",))
CONTEXT = "demo"
QUEUE = "callcenter"
CLEARED = "NORMAL_CLEARING"
CANCELLED = "ORIGINATOR_CANCEL"
LOST_RACE = "LOSE_RACE"
DOWN = "NORMAL_TEMPORARY_FAILURE"
GATEWAY, SECOND_GATEWAY = "operator", "zapas"

NewId = Callable[[], str]
# Of calls.ingest.formats.freeswitch_json.Channel. Making Channels to take them apart again takes as long as the rest.
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ring:
    """A phone that rang, or a number ``outside`` to which a desk forwards; ``answered`` is 0 if nobody did."""

    who: str
    began: int
    ended: int
    answered: int = 0
    cause: str = CLEARED
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call from outside. ``picked_up`` is when a machine answered it, ``machines`` are the applications it met.

    ``consulted``: the last ring is a question of the one before, who then put the caller through.
    """

    tenant: str
    called: str
    caller: Contact
    hidden: bool
    began: int
    ended: int
    rings: Sequence[Ring] = ()
    picked_up: int = 0
    machines: Sequence[str] = ()
    consulted: bool = False


@dataclass(frozen=True, slots=True)
class Dialled:
    """A call that one of our desks makes; ``number`` as the person dialled it."""

    tenant: str
    desk: str
    number: str
    began: int
    ended: int
    answered: int = 0
    cause: str = CLEARED


def incoming(call: Incoming, new_id: NewId) -> list[Leg]:
    """The caller's own leg, then one for each ring, in their order; a consultation makes one more."""
    caller_id, ids = new_id(), [new_id() for _ in call.rings]
    rings = list(zip(ids, call.rings, strict=True))
    legs = [_caller(call, caller_id, rings)]
    if not call.consulted:
        return legs + [_rung(call, ring_id, ring, caller_id) for ring_id, ring in rings]
    asking_id = new_id()
    legs += [_rung(call, ring_id, ring, caller_id) for ring_id, ring in rings[:-1]]
    return [*legs, _put_through(call, ids[-1], caller_id, asking_id), _asking(call, asking_id, ids)]


def outgoing(
    call: Dialled, new_id: NewId, *, to: str, shown: str, failed_over: bool = False
) -> list[Leg]:
    """The desk's leg and the operator's; ``failed_over``: a first operator's gateway was down."""
    desk_id, far_id = new_id(), new_id()
    towards = {"caller": shown, "start": call.began, "parent": desk_id}
    far_end = _leg(
        far_id,
        **_gateway(to, SECOND_GATEWAY if failed_over else GATEWAY),
        **towards,
        **_answer(call.answered, call.ended, desk_id),
        cause=call.cause,
    )
    if not failed_over:
        return [_desk(call, desk_id, [far_id]), far_end]
    down_id = new_id()
    down = _leg(down_id, **_gateway(to, GATEWAY), **towards, end=call.began, cause=DOWN)
    return [_desk(call, desk_id, [far_id, down_id]), far_end, down]


def internal(call: Dialled, new_id: NewId) -> list[Leg]:
    """Two desks: the one that dialled and the one that rang."""
    desk_id, other_id = new_id(), new_id()
    other = _leg(
        other_id,
        **_phone(call.tenant, call.number),
        caller=call.desk,
        start=call.began,
        parent=desk_id,
        **_answer(call.answered, call.ended, desk_id),
        cause=call.cause,
    )
    return [_desk(call, desk_id, [other_id]), other]


def service(call: Dialled, application: str, new_id: NewId) -> list[Leg]:
    """A desk and a machine of the PBX's own, such as the voicemail box."""
    return [_desk(call, new_id(), [], application)]


def _caller(call: Incoming, uuid: str, rings: list[tuple[str, Ring]]) -> Leg:
    number = call.caller.number
    answered = [(ring_id, ring) for ring_id, ring in rings if ring.answered]
    answer = call.picked_up or (answered[0][1].answered if answered else 0)
    cause = rings[-1][1].cause if rings else ""
    dialled = sorted(ring_id for ring_id, _ in (rings[:-1] if call.consulted else rings))
    return _leg(
        uuid,
        inbound=True,
        name=f"sofia/external/{number}@sip.operator.example",
        profile="external",
        context="public",
        tenants=[call.tenant],
        number=call.called,
        caller=number,
        caller_name="Anonymous" if call.hidden else call.caller.name or number,
        hidden=call.hidden,
        start=call.began,
        answer=answer,
        bridge=_bridged(call, answered[-1][1]) if answered else 0,
        end=call.ended,
        billed_ms=(call.ended - answer) // 1000 if answer else 0,
        partner=answered[-1][0] if answered else "",
        # A queue dials by itself: its calls are not the caller's own.
        expected=[] if QUEUE in call.machines else dialled,
        cause=CLEARED if answer else cause,
        disposition="SUCCESS" if answered else cause,
        apps=["transfer", *call.machines, *(["bridge"] if rings else [])],
    )


def _bridged(call: Incoming, last: Ring) -> int:
    """When the caller was connected with the last person: after a consultation, once the first hung up."""
    return call.rings[-2].ended if call.consulted else last.answered


def _rung(call: Incoming, uuid: str, ring: Ring, caller_id: str) -> Leg:
    number = call.caller.number
    return _leg(
        uuid,
        **(_gateway(ring.who, GATEWAY) if ring.outside else _phone(call.tenant, ring.who)),
        caller=number,
        caller_name=call.caller.name or number,
        start=ring.began,
        **{"member" if QUEUE in call.machines else "parent": caller_id},
        **_answer(ring.answered, ring.ended, caller_id),
        cause=ring.cause,
    )


def _put_through(call: Incoming, uuid: str, caller_id: str, asking_id: str) -> Leg:
    """The second desk: rung by the first one, and connected with the caller when that one hung up."""
    first, second = call.rings[-2:]
    answer = _answer(second.answered, second.ended, caller_id)
    return _leg(
        uuid,
        **_phone(call.tenant, second.who),
        caller=first.who,
        start=second.began,
        parent=asking_id,
        **{**answer, "bridge": first.ended},
        cause=second.cause,
    )


def _asking(call: Incoming, uuid: str, ids: list[str]) -> Leg:
    first, second = call.rings[-2:]
    question = Dialled(
        call.tenant, first.who, second.who, second.began, first.ended, second.answered
    )
    return _desk(question, uuid, ids[-1:])


def _desk(call: Dialled, uuid: str, dialled: list[str], application: str = "bridge") -> Leg:
    return _leg(
        uuid,
        inbound=True,
        name=f"sofia/internal/{call.desk}@{call.tenant}",
        profile="internal",
        context=CONTEXT,
        user=call.desk,
        tenants=[call.tenant],
        number=call.number,
        caller=call.desk,
        caller_name=call.desk,
        start=call.began,
        **_answer(call.answered, call.ended, dialled[0] if dialled else ""),
        expected=sorted(dialled),
        cause=call.cause,
        disposition="SUCCESS" if call.answered else call.cause,
        apps=[application],
    )


def _phone(tenant: str, desk: str) -> Fields:
    return {
        "name": f"sofia/internal/{desk}@{tenant}",
        "profile": "internal",
        "context": CONTEXT,
        "dialled_user": desk,
        "tenants": [tenant],
        "number": desk,
    }


def _gateway(number: str, gateway: str) -> Fields:
    return {
        "name": f"sofia/external/{number}",
        "profile": "external",
        "gateway": gateway,
        "context": CONTEXT,
        "number": number,
    }


def _answer(answered: int, ended: int, partner: str) -> Fields:
    if not answered:
        return {"end": ended}
    return {
        "answer": answered,
        "bridge": answered,
        "end": ended,
        "billed_ms": (ended - answered) // 1000,
        "partner": partner,
    }


def _leg(uuid: str, **fields: Any) -> Leg:
    """As the reader of a record makes it: without empty fields, and linked by the uuids in it."""
    linked = (uuid, fields.get("parent"), fields.get("partner"), fields.get("member"))
    return Leg(
        key=uuid,
        started=fields["start"],
        ended=fields["end"],
        links=tuple(Link(other) for other in dict.fromkeys(linked) if other),
        facts={"uuid": uuid, **{name: value for name, value in fields.items() if value}},
    )
