"""Records of real calls, made by a real Asterisk and a real FreeSWITCH, with the truth beside them."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calls.ingest.formats import FORMATS, asterisk, asterisk_csv
from calls.ingest.records import Leg, Switch

HERE = Path(__file__).parent
FREESWITCH = Switch("freeswitch-json", ("external",))
ASTERISK = Switch("asterisk-csv", ("carrier*",))
SWITCHES = {"freeswitch": FREESWITCH, "master.csv": ASTERISK, "full.csv": ASTERISK}
ZONES = {"freeswitch": "UTC", "master.csv": "UTC", "full.csv": "Europe/Warsaw"}


@dataclass(frozen=True)
class Scenario:
    """A recorded call: its raw records, and what the customer must see (None: no row)."""

    name: str
    feed: str
    layout: str
    bodies: tuple[bytes, ...]
    expected: dict[str, Any] | None

    @property
    def switch(self) -> Switch:
        return SWITCHES[self.feed]

    @property
    def legs(self) -> list[Leg]:
        parse = FORMATS[self.switch.source].parse
        return [parse(body, self.layout, ZONES[self.feed]) for body in self.bodies]


def freeswitch_scenarios() -> list[Scenario]:
    bodies = {path.stem[-36:]: path.read_bytes() for path in (HERE / "freeswitch/json").iterdir()}
    return [
        Scenario(
            truth["id"],
            "freeswitch",
            "",
            tuple(bodies[uuid] for uuid in truth["uuids"]),
            truth["expected"],
        )
        for truth in json.loads((HERE / "freeswitch/truth.json").read_text())
    ]


def asterisk_scenarios(feed: str) -> list[Scenario]:
    layout, lines = asterisk_csv.split((HERE / "asterisk" / feed).read_bytes())
    by_call: dict[str, list[bytes]] = {}
    for line in lines:
        linkedid = asterisk_csv.parse(line, layout, ZONES[feed]).facts["linkedid"]
        by_call.setdefault(linkedid, []).append(line)
    return [
        Scenario(
            truth["id"],
            feed,
            layout,
            tuple(line for linkedid in truth["linkedids"] for line in by_call[linkedid]),
            truth["expected"],
        )
        for truth in json.loads((HERE / "asterisk/truth.json").read_text())
    ]


def asterisk_events() -> tuple[str, dict[str, list[bytes]]]:
    """The header of cel.csv, and its lines by scenario."""
    layout, lines = asterisk.split((HERE / "asterisk/cel.csv").read_bytes())
    place = layout.split(",").index("linkedid")
    by_call: dict[str, list[bytes]] = {}
    for line in lines:
        linkedid = next(csv.reader([line.decode(errors="replace")]))[place]
        by_call.setdefault(linkedid, []).append(line)
    truths = json.loads((HERE / "asterisk/truth.json").read_text())
    return layout, {
        truth["id"]: [line for linkedid in truth["linkedids"] for line in by_call[linkedid]]
        for truth in truths
    }


def all_scenarios() -> list[Scenario]:
    return [
        *freeswitch_scenarios(),
        *asterisk_scenarios("master.csv"),
        *asterisk_scenarios("full.csv"),
    ]
