"""Real records, damaged in every way that a wire, a disk, a shipper or a joker may damage them, and sent in batches.

``Storm`` sends them through the real view and the real pipeline, and then accounts for each.
"""

import base64
import csv
import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from accounts.models import Account
from calls.ingest import pipeline
from calls.ingest.formats.asterisk_fields import BASE, NEW_COLUMNS
from calls.models import InboxRecord, Pbx, TenantCode
from tests.calls.freeswitch_encoder import encoded_twice
from tests.records import HERE

ACCOUNTED = {"folded", "quarantined", "unassigned", "expired"}
# What belongs to one recorded call only: uuids, the counters of Asterisk's ids, and those of its channels.
UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
COUNTER = re.compile(rb"(?<=\d{10}\.)\d+")
CHANNEL = re.compile(rb"(?<=-)[0-9a-f]{8}(?=[\";,])")
HUGE = [
    b"9" * 400,
    b"-1",
    b"1e999",
    b"NaN",
    b"Infinity",
    b"0x7f",
    b"99999999999999999999",
    b"1" * 5000,
]
ODD = [
    *(b"\x00", b"\xff\xfe", b"\xc5", b"\xed\xa0\x80", b"\\ud800", b"\r", b"\n", b"\t", b'"', b"'"),
    *(
        b"\\",
        b"%00",
        b"%22",
        b"%",
        b"{",
        b"}",
        b"[",
        b"]",
        b"<",
        b">",
        b",",
        b";",
        b"|:",
        b"ARRAY::",
    ),
    *("łódź".encode(), "💥".encode(), "\u202e".encode(), b"=cmd|' /C calc'!A0", b"<script>"),
]
COLUMNS = {
    "start": "Start",
    "duration": "Duration",
    "talk": "Talk",
    "caller": "From",
    "called": "To",
    "disposition": "Status",
    "id": "ID",
    "call": "Call",
    "account": "Account",
    "name": "Name",
}
HEADER = b"Start;Duration;Talk;From;To;Status;ID;Call;Account;Name"


@dataclass(frozen=True)
class Herd:
    """Sound records of one kind, what is sent before a batch of them, and how they are put into one."""

    pbx: str
    bodies: Sequence[bytes]
    together: Callable[[list[bytes]], bytes] = b"\n".join
    most: int = 8


def renewed(body: bytes, chance: random.Random) -> bytes:
    """The record of another call: the same, with ids that no other record has."""
    fresh: dict[bytes, bytes] = {}

    def other(match: "re.Match[bytes]") -> bytes:
        return fresh.setdefault(match[0], shaped(match[0]))

    def shaped(old: bytes) -> bytes:
        if old.isdigit() and len(old) != 8:
            return b"%d" % chance.getrandbits(50)
        digits = iter(b"%032x" % chance.getrandbits(128))
        return bytes(byte if byte == ord("-") else next(digits) for byte in old)

    for pattern in (UUID, COUNTER, CHANNEL):
        body = pattern.sub(other, body)
    return body


def mutated(body: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """The record after one to four accidents."""
    for _ in range(chance.randint(1, 4)):
        body = chance.choice(ACCIDENTS)(body, others, chance)
    return body


def flip_bits(body: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    damaged = bytearray(body)
    for _ in range(min(len(damaged), chance.choice([1, 1, 2, 8, 64]))):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def truncate(body: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = sorted((chance.randint(0, len(body)), chance.randint(0, len(body))))
    return chance.choice([body[:end], body[start:], body[:start] + body[end:]])


def duplicate(body: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = sorted((chance.randint(0, len(body)), chance.randint(0, len(body))))
    return body[:end] + body[start:end] * chance.choice([1, 1, 3]) + body[end:]


def splice(body: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    other = chance.choice(others)
    return body[: chance.randint(0, len(body))] + other[chance.randint(0, len(other)) :]


def insert(body: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randint(0, len(body))
    return body[:at] + chance.choice(ODD) * chance.choice([1, 1, 2, 50]) + body[at:]


def replace_number(body: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    numbers = list(re.finditer(rb"\d+", body))
    if not numbers:
        return body
    number = chance.choice(numbers)
    return body[: number.start()] + chance.choice(HUGE) + body[number.end() :]


def encode_otherwise(body: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    text = body.decode("utf-8", errors="replace")
    otherwise: list[Callable[[], bytes]] = [
        lambda: text.encode("utf-16"),
        lambda: text.encode("iso8859-2", errors="replace"),
        lambda: text.encode("utf-8-sig"),
        lambda: text.encode("utf-7"),
        lambda: base64.b64encode(body),
        lambda: b"cdr=" + body,
        lambda: encoded_twice(body or b"{}"),
        lambda: json.dumps({"log": text}).encode(),
        lambda: gzip.compress(body, mtime=0),
    ]
    return chance.choice(otherwise)()


ACCIDENTS = [flip_bits, truncate, duplicate, splice, insert, replace_number, encode_otherwise]


def herds() -> list[Herd]:
    folder = HERE / "freeswitch"
    channels = [path.read_bytes().strip() for path in sorted((folder / "json").iterdir())]
    wrapped = [
        path.read_bytes().strip()
        for kind in ("form", "xml", "json_plain")
        for path in sorted((folder / kind).iterdir())
    ]
    master = (HERE / "asterisk/master.csv").read_bytes().splitlines()
    header, *full = (HERE / "asterisk/full.csv").read_bytes().splitlines()
    names = [*BASE, "uniqueid", "userfield", *NEW_COLUMNS]
    rows = [dict(zip(names, row, strict=True)) for row in csv.reader(map(_text, master))]
    return [
        Herd("freeswitch", channels),
        Herd("freeswitch", channels, _array),
        Herd("freeswitch", [*wrapped, *map(encoded_twice, channels)], most=1),
        Herd("asterisk", master),
        Herd("asterisk", [json.dumps(row).encode() for row in rows]),
        Herd("asterisk", [json.dumps(row).encode() for row in rows], _array),
        Herd("local", full, lambda lines: b"\n".join([header, *lines])),
        Herd("other", [_exported(row) for row in rows], lambda lines: b"\n".join([HEADER, *lines])),
    ]


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace")


def _array(bodies: list[bytes]) -> bytes:
    return b"[" + b",".join(bodies) + b"]"


def _exported(row: dict[str, str]) -> bytes:
    fields = (
        "start",
        "duration",
        "billsec",
        "src",
        "dst",
        "disposition",
        "uniqueid",
        "linkedid",
        "accountcode",
    )
    return ";".join([*(row[name] for name in fields), "x"]).encode()


@dataclass
class Storm:
    """Batches of sound and damaged records, and what became of them."""

    seed: int
    chance: random.Random = field(init=False)
    herds: list[Herd] = field(default_factory=herds)
    addresses: dict[str, str] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    damaged: int = 0
    stored: int = 0
    sound: dict[str, list[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        acme = Account.objects.create(name="Acme", slug="acme")
        for name, source, zone in [
            ("freeswitch", "freeswitch-json", "UTC"),
            ("asterisk", "asterisk-csv", "UTC"),
            ("local", "asterisk-csv", "Europe/Warsaw"),
            ("other", "csv", "UTC"),
        ]:
            columns = COLUMNS if source == "csv" else {}
            pbx = Pbx(name=name, source=source, time_zone=zone, columns=columns)
            pbx.trunks = "external" if source == "freeswitch-json" else "carrier*"
            secret = pbx.renew_secret()
            pbx.save()
            for code in ("acme", "beta", "firma", "firma.example"):
                TenantCode.objects.create(pbx=pbx, code=code, account=acme)
            self.addresses[name] = f"/in/{name}/{secret}/"
            self.sound[name] = []

    def send(self, client: Client) -> None:
        """One batch, of which some records are damaged, or sometimes the batch itself."""
        herd = self.chance.choice(self.herds)
        count = self.chance.randint(1, herd.most)
        bodies = [renewed(self.chance.choice(herd.bodies), self.chance) for _ in range(count)]
        hurt = {number for number in range(count) if self.chance.random() < 0.6} or {0}
        for number in hurt:
            bodies[number] = mutated(bodies[number], herd.bodies, self.chance)
        self.damaged += len(hurt)
        response: Any = client.post(
            self.addresses[herd.pbx], herd.together(bodies), content_type="application/json"
        )
        self.statuses[response.status_code] += 1
        if response.status_code == 200:
            self.stored += int(response.content.split()[0])
            # An accident may open a quote or a brace for all that follows in an array; lines are safe from each other.
            if herd.together is not _array:
                untouched = set(range(count)) - hurt
                self.sound[herd.pbx] += [bodies[number] for number in untouched]

    def accounts(self) -> dict[str, Any]:
        """Fold all of it; what an operator could count."""
        pipeline.fold_inbox()
        states = Counter(InboxRecord.objects.values_list("state", flat=True))
        harmed = [
            (name, state, bytes(body))
            for name, bodies in self.sound.items()
            for state, body in self._states_of(name, bodies)
            if state not in {"folded", "unassigned"}
        ]
        return {
            "damaged": self.damaged,
            "statuses": dict(self.statuses),
            "stored": self.stored,
            "rows": sum(states.values()),
            "states": dict(states),
            "sound": sum(map(len, self.sound.values())),
            "harmed": harmed,
        }

    def _states_of(self, name: str, bodies: list[bytes]) -> list[tuple[str, bytes]]:
        rows = InboxRecord.objects.filter(pbx__name=name, body__in=bodies)
        states = {bytes(body): state for state, body in rows.values_list("state", "body")}
        return [(states.get(body, "lost"), body) for body in bodies]
