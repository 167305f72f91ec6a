"""Calls for tests, in one line each."""

from datetime import datetime
from itertools import count
from typing import Any

from accounts.models import Account
from calls import partitions
from calls.models import Call, Pbx
from tests.conftest import RECORDED

_ids = count(1)


def make_call(account: Account, *, at: datetime = RECORDED, **fields: Any) -> Call:
    """An incoming call that 101 answered, unless ``fields`` say otherwise."""
    partitions.ensure(Call._meta.db_table, [partitions.month_of(at)])
    if "pbx" not in fields:
        fields["pbx"] = Pbx.objects.get_or_create(name="built", source="freeswitch-json")[0]
    values: dict[str, Any] = {
        "kind": "incoming",
        "outcome": "answered",
        "missed": False,
        "provisional": False,
        "estimated": False,
        "direction": "mobile",
        "extension": "101",
        "extensions": ["101"],
        "peer": "+48501234567",
        "peer_name": "",
        "hidden": False,
        "own_number": "+48221234567",
        "people": ["101"],
        "wait_s": 5,
        "talk_s": 60,
        "paid": [],
        "legs": [],
        "charging": "free",
        "cost": None,
    }
    return Call.objects.create(
        account=account, started_at=at, id=next(_ids), **{**values, **fields}
    )


def make_missed(account: Account, **fields: Any) -> Call:
    lost = {"outcome": "no_answer", "missed": True, "people": [], "talk_s": 0}
    return make_call(account, **{**lost, **fields})


def make_outgoing(account: Account, **fields: Any) -> Call:
    dialled = {"kind": "outgoing", "people": [fields.get("peer", "+48501234567")]}
    return make_call(account, **{**dialled, **fields})
