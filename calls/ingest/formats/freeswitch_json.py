"""FreeSWITCH mod_json_cdr, mod_format_cdr and mod_xml_cdr: one body is one channel's record."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from calls.ingest.formats import freeswitch_body
from calls.ingest.records import CdrError, Leg, Link, Switch, clean, compact

HIDING = {"id", "user", "header", "full"}


@dataclass(frozen=True, slots=True)
class Channel:
    """What folding needs of a FreeSWITCH channel. Ids are channel uuids, times µs; '' and 0 mean absent."""

    uuid: str
    inbound: bool = False
    name: str = ""
    profile: str = ""
    gateway: str = ""
    context: str = ""
    user: str = ""
    dialled_user: str = ""
    tenants: list[str] = field(default_factory=list)
    number: str = ""
    caller: str = ""
    caller_name: str = ""
    hidden: bool = False
    start: int = 0
    answer: int = 0
    bridge: int = 0
    end: int = 0
    billed_ms: int = 0
    parent: str = ""
    partner: str = ""
    partner_number: str = ""
    half: str = ""
    member: str = ""
    expected: list[str] = field(default_factory=list)
    cause: str = ""
    disposition: str = ""
    apps: list[str] = field(default_factory=list)


def parse(body: bytes, layout: str = "", switch: Switch | None = None) -> Leg:
    """One channel's record as a leg. ``layout`` and ``switch`` are not needed: the times are epochs.

    Raises CdrError ``not_json``, ``not_xml``, ``other_shape`` or ``bad_times``.
    """
    channel = read(body)
    uuids = (channel.uuid, channel.parent, channel.partner, channel.half, channel.member)
    return Leg(
        key=channel.uuid,
        started=channel.start,
        ended=channel.end,
        links=tuple(Link(uuid[:64]) for uuid in dict.fromkeys(uuids) if uuid),
        facts=compact(channel),
    )


def record_ids(body: bytes, layout: str, switch: Switch) -> str:
    """FreeSWITCH records always carry the channel's uuid. Raises CdrError for what does not look like one."""
    if not freeswitch_body.is_freeswitch(body):
        raise CdrError("other_shape", "This does not look like a record of FreeSWITCH.")
    return "uuid"


def read(body: bytes) -> Channel:
    record = _load(body)
    variables = _Variables(record["variables"])
    profile = _original_profile(record)
    originated = _originated(variables["originated_legs"])
    partner = variables["bridge_uuid"].lower()
    return Channel(
        uuid=variables["uuid"].lower(),
        inbound=variables["direction"] == "inbound",
        name=profile.get("chan_name") or variables["channel_name"],
        profile=variables["sofia_profile_name"],
        gateway=variables["sip_gateway_name"],
        context=profile.get("context", ""),
        user=variables["user_name"],
        dialled_user=variables["dialed_user"],
        tenants=[name for name in (variables["accountcode"], variables["domain_name"]) if name],
        number=profile.get("destination_number") or variables["sip_req_user"],
        caller=profile.get("caller_id_number") or variables["sip_from_user"],
        caller_name=re.sub(r"\\(.)", r"\1", profile.get("caller_id_name", ""))[:100],
        hidden=_is_hidden(variables),
        **_times(variables),
        parent=variables["originating_leg_uuid"].lower(),
        partner=partner,
        partner_number=originated.get(partner, ""),
        half=variables["other_loopback_leg_uuid"].lower(),
        member=variables["cc_member_session_uuid"].lower(),
        expected=sorted(originated),
        cause=variables["hangup_cause"],
        disposition=variables["originate_disposition"],
        apps=_applications(record),
    )


def _load(body: bytes) -> dict[str, Any]:
    record = freeswitch_body.load(body)
    variables = record.get("variables")
    uuid = variables.get("uuid") if isinstance(variables, dict) else None
    if not isinstance(uuid, str) or not 0 < len(uuid) <= 64:
        raise CdrError(
            "other_shape", "The record has no variables.uuid: is it one of mod_json_cdr?"
        )
    return record


class _Variables:
    """The flat channel variables: every value a string, absent ones empty, percent-encoding undone."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        # No record says whether its values are encoded; these always hold a blank, which would be.
        self.encoded = any(
            "%20" in str(values.get(name, "")) for name in ("start_stamp", "Event-Date-Local")
        )

    def __getitem__(self, name: str) -> str:
        value = self.values.get(name)
        text = "" if value is None else str(value)
        # The encoder may cut a character in two, hence errors="replace".
        return clean(unquote(text, errors="replace") if self.encoded else text)

    def time(self, name: str) -> int:
        text = self[name] or "0"
        try:
            value = int(text)
        except ValueError as error:
            raise CdrError("bad_times", f"{name} is {text[:40]!r}, not a number.") from error
        if value < 0:
            raise CdrError("bad_times", f"{name} is negative ({value}).")
        return value


def _times(variables: _Variables) -> dict[str, int]:
    start, answer, bridge, end = (
        variables.time(f"{name}_uepoch") for name in ("start", "answer", "bridge", "end")
    )
    if not start <= end:
        raise CdrError("bad_times", "The record ends before it starts.")
    if answer and not start <= answer <= end:
        raise CdrError("bad_times", "The answer lies outside the record's time.")
    longest = (end - answer) // 1000 + 1 if answer else 0
    return {
        "start": start,
        "answer": answer,
        "bridge": bridge if start <= bridge <= end else 0,
        "end": end,
        "billed_ms": min(variables.time("billmsec"), longest),
    }


def _original_profile(record: dict[str, Any]) -> dict[str, str]:
    """The caller profile as the call arrived: callflow is newest first, and later entries are rewritten on the way."""
    flow = record.get("callflow")
    profile = (
        flow[-1].get("caller_profile") if isinstance(flow, list) and _is_dict(flow[-1:]) else None
    )
    if not isinstance(profile, dict):
        return {}
    return {name: clean(value) for name, value in profile.items() if isinstance(value, str)}


def _is_dict(entries: list[Any]) -> bool:
    return bool(entries) and isinstance(entries[0], dict)


def _is_hidden(variables: _Variables) -> bool:
    privacy = set(re.split(r"[;,\s]+", variables["sip_Privacy"].lower()))
    return (
        bool(privacy & HIDING)
        or variables["sip_from_host"].lower() == "anonymous.invalid"
        or variables["sip_from_user"].lower() == "anonymous"
    )


def _originated(text: str) -> dict[str, str]:
    """The numbers by uuid out of ``uuid;name;number`` entries, one or an ``ARRAY::a|:b``."""
    entries = text.removeprefix("ARRAY::").split("|:") if text else []
    return {entry.split(";")[0].lower(): entry.rpartition(";")[2] for entry in entries}


def _applications(record: dict[str, Any]) -> list[str]:
    log = record.get("app_log")
    entries = log.get("applications") if isinstance(log, dict) else None
    names = [
        clean(str(entry.get("app_name", "")), 40)
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    ]
    return [name for name in dict.fromkeys(names) if name not in {"set", "export", "hash"}]
