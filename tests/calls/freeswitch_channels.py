"""Records of FreeSWITCH's channels, written as mod_json_cdr would: a test tells who rang whom, and when."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from calls.ingest.formats.freeswitch_json import parse
from calls.ingest.records import SECOND, Switch
from tests.calls.seen import Seen, seen

BEGIN = 1_795_410_000
SWITCH = Switch("freeswitch-json", ("external",))
Times = tuple[float, float | None, float]


def uuid(letter: str) -> str:
    """Channels are called a, b, c … in tests."""
    return f"{letter * 8}-0000-4000-8000-000000000000" if letter else ""


def channel(
    letter: str,
    direction: str,
    times: Times,
    *,
    number: str,
    caller: str,
    name: str,
    profile: str = "internal",
    context: str = "firma",
    bridged: float = 0,
    partner: str = "",
    parent: str = "",
    rang: Sequence[str] = (),
    apps: str = "",
    cause: str = "NORMAL_CLEARING",
    disposition: str = "",
    variables: Mapping[str, str] | None = None,
) -> bytes:
    """One record. ``times``: start, answer (None: never) and end; ``bridged``: when, with ``partner``.

    ``rang``: the channels that it dialled, ``"b:101"`` each. Seconds and µs are those of whole records.
    """
    start, answer, end = times
    rung = [f"{uuid(entry[0])};Outbound Call;{entry[2:]}" for entry in rang]
    flat = {
        "uuid": uuid(letter),
        "direction": direction,
        "sofia_profile_name": profile,
        "start_stamp": "2026-11-23%2006%3A00%3A00",
        "start_uepoch": _uepoch(start),
        "answer_uepoch": "0" if answer is None else _uepoch(answer),
        "bridge_uepoch": _uepoch(bridged) if bridged else "0",
        "end_uepoch": _uepoch(end),
        "billmsec": "0" if answer is None else str(round((end - answer) * 1000)),
        "bridge_uuid": uuid(partner),
        "originating_leg_uuid": uuid(parent),
        "originated_legs": _array(rung),
        "hangup_cause": cause,
        "originate_disposition": disposition,
        **(variables or {}),
    }
    profile_now = {"destination_number": "rewritten", "caller_id_number": "rewritten"}
    arrived = {
        "destination_number": number,
        "caller_id_number": caller,
        "caller_id_name": caller,
        "context": context,
        "chan_name": name,
    }
    record = {
        "variables": {key: value for key, value in flat.items() if value},
        "callflow": [{"caller_profile": profile_now}, {"caller_profile": arrived}],
        "app_log": {"applications": [{"app_name": app} for app in apps.split()]},
    }
    return json.dumps(record).encode()


def from_outside(
    letter: str,
    times: Times,
    *,
    caller: str = "+48601000001",
    number: str = "+48221000101",
    profile: str = "external",
    context: str = "public",
    apps: str = "transfer bridge",
    **others: Any,
) -> bytes:
    """The channel of somebody who calls one of our numbers."""
    name = f"sofia/{profile}/{caller}@sip.operator.example"
    return channel(
        letter,
        "inbound",
        times,
        caller=caller,
        number=number,
        name=name,
        profile=profile,
        context=context,
        apps=apps,
        **others,
    )


def from_phone(
    letter: str,
    extension: str,
    number: str,
    times: Times,
    *,
    apps: str = "bridge",
    **others: Any,
) -> bytes:
    """The channel of a phone of ours that dials."""
    variables = {"user_name": extension, "accountcode": "firma", "domain_name": "firma.example"}
    return channel(
        letter,
        "inbound",
        times,
        caller=extension,
        number=number,
        name=f"sofia/internal/{extension}@firma.example",
        apps=apps,
        variables=variables,
        **others,
    )


def to_phone(
    letter: str,
    extension: str,
    times: Times,
    *,
    caller: str = "+48601000001",
    member: str = "",
    **others: Any,
) -> bytes:
    """The channel towards a phone of ours; ``member``: the caller in the queue for whom it was rung."""
    variables = {"dialed_user": extension, "cc_member_session_uuid": uuid(member)}
    return channel(
        letter,
        "outbound",
        times,
        caller=caller,
        number=extension,
        name=f"sofia/internal/{extension}@127.0.0.1:16101",
        variables=variables,
        **others,
    )


def to_operator(
    letter: str,
    number: str,
    times: Times,
    *,
    gateway: str = "operator",
    member: str = "",
    **others: Any,
) -> bytes:
    """The channel towards a number outside."""
    variables = {"sip_gateway_name": gateway, "cc_member_session_uuid": uuid(member)}
    return channel(
        letter,
        "outbound",
        times,
        caller="+48221000101",
        number=number,
        name=f"sofia/external/{number}",
        profile="external",
        variables=variables,
        **others,
    )


def loopback(
    letter: str,
    side: str,
    number: str,
    times: Times,
    *,
    half: str,
    caller: str = "+48601000001",
    **others: Any,
) -> bytes:
    """Half of a pair inside the PBX: side a was dialled, side b dials on."""
    return channel(
        letter,
        "outbound" if side == "a" else "inbound",
        times,
        caller=caller,
        number=number,
        name=f"loopback/{number}-{side}",
        profile="",
        variables={"other_loopback_leg_uuid": uuid(half)},
        **others,
    )


def calls(*records: bytes, switch: Switch = SWITCH) -> list[Seen]:
    """What the customer sees of these records."""
    return seen([parse(record) for record in records], switch)


def _uepoch(second: float) -> str:
    return str(BEGIN * SECOND + round(second * SECOND))


def _array(entries: Sequence[str]) -> str:
    return f"ARRAY::{'|:'.join(entries)}" if len(entries) > 1 else "".join(entries)
