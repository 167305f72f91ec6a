"""What the configuration of a PBX keeps from us, read off its records. Pure.

Nothing is said of few records: chance must not look like a setting.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from calls.ingest.folding.asterisk_channels import LONGEST, Channels
from calls.ingest.formats.asterisk_fields import UNIQUEID
from calls.ingest.records import SECOND, Leg, Switch

Facts = dict[str, Any]
# Fewer records of a kind say nothing.
FEW = 20
# What is rare on a good PBX too needs more to be missed.
MANY = 300
SOME_UNANSWERED = 30
# Names are cut only here and there.
SEVERAL = 5
# Applications that connect a channel with another one.
CONNECTING = {"Dial", "AppDial", "Queue", "AppQueue"}
QUARTER = 15 * 60
# Between the creation of a channel and its first row.
PROMPT = 60
SHORTEST_NUMBER = 7


@dataclass(frozen=True, slots=True)
class Finding:
    """``count`` records out of ``out_of`` show it."""

    code: str
    count: int
    out_of: int


@dataclass(frozen=True, slots=True)
class Receipts:
    """What came in a day: new records, records that were there already, refused ones by reason."""

    records: int = 0
    repeated: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def refused_for(self, reason: str) -> int:
        return self.refused.get(reason, 0)


def find(switch: Switch, legs: Sequence[Leg], receipts: Receipts) -> list[Finding]:
    """What can be said of a PBX by the legs of its latest calls, all legs of each, and by what came in."""
    if switch.source.startswith("freeswitch"):
        return [*_of_freeswitch(legs, receipts), *_repeated(receipts)]
    rows = [leg.facts for leg in legs if not leg.is_event]
    return [*_of_asterisk(rows, Channels(switch)), *_zone(rows, receipts), *_repeated(receipts)]


def _of_freeswitch(legs: Sequence[Leg], receipts: Receipts) -> Iterator[Finding]:
    there = {leg.key for leg in legs}
    named = {uuid for leg in legs for uuid in leg.facts.get("expected", ())}
    if len(named) >= FEW and not named & there:
        yield Finding("no_b_legs", len(named), len(named))
    broken = receipts.refused_for("not_json")
    if broken >= FEW and broken * 2 >= receipts.records:
        yield Finding("broken_json", broken, receipts.records)


def _of_asterisk(rows: Sequence[Facts], channels: Channels) -> Iterator[Finding]:
    yield from _far_ends(rows)
    yield from _unanswered(rows)
    for column, code in (("uniqueid", "no_uniqueid"), ("linkedid", "no_linkedid")):
        if len(rows) >= FEW and not any(row.get(column) for row in rows):
            yield Finding(code, len(rows), len(rows))
    cut = [row for row in rows if _is_cut(row.get("name", ""))]
    if len(cut) >= SEVERAL:
        yield Finding("cut_names", len(cut), len(rows))
    incoming = [row for row in rows if _is_incoming(row, channels)]
    unknown = [row for row in incoming if not _knows_called(row)]
    if len(unknown) >= FEW:
        yield Finding("no_did", len(unknown), len(incoming))


def _far_ends(rows: Sequence[Facts]) -> Iterator[Finding]:
    connected = [
        row for row in rows if row.get("disposition") == "ANSWERED" and row.get("app") in CONNECTING
    ]
    if len(connected) >= FEW and not any(row.get("dstchannel") for row in connected):
        yield Finding("no_dstchannel", len(connected), len(connected))


def _unanswered(rows: Sequence[Facts]) -> Iterator[Finding]:
    """With unanswered=no only those calls in vain have a row that made some phone ring."""
    unanswered = [row for row in rows if row.get("disposition") != "ANSWERED"]
    if len(rows) < MANY or len(unanswered) < SOME_UNANSWERED:
        return
    if all(row.get("dstchannel") for row in unanswered):
        yield Finding("unanswered_off", len(unanswered), len(rows))


def _is_cut(name: str) -> bool:
    """Whether a name fills its field, with a quotation mark before it; its last character may be half a one."""
    return len(name.encode()) >= LONGEST - 2 or name.endswith("\ufffd")


def _is_incoming(row: Facts, channels: Channels) -> bool:
    first = not row.get("linkedid") or row["linkedid"] == row.get("uniqueid")
    return first and channels.is_trunk(row.get("channel", ""))


def _knows_called(row: Facts) -> bool:
    called = row.get("did") or row.get("dst", "")
    return len(called.lstrip("+")) >= SHORTEST_NUMBER and called.lstrip("+").isdigit()


def _zone(rows: Sequence[Facts], receipts: Receipts) -> Iterator[Finding]:
    """Times before their channel existed are refused; times hours after it, again and again, are as wrong."""
    early = receipts.refused_for("wrong_zone")
    if early >= FEW:
        yield Finding("wrong_zone", early, receipts.records)
        return
    delays = [delay for row in rows if (delay := _delay(row)) is not None]
    shifted = [delay for delay in delays if delay >= QUARTER and delay % QUARTER <= PROMPT]
    if len(delays) >= FEW and len(shifted) * 2 > len(delays):
        yield Finding("wrong_zone", len(shifted), len(delays))


def _delay(row: Facts) -> int | None:
    """Seconds from the creation of the row's channel to its start."""
    created = UNIQUEID.search(row.get("uniqueid", ""))
    return row["start"] // SECOND - int(created[1]) if created else None


def _repeated(receipts: Receipts) -> Iterator[Finding]:
    if receipts.repeated >= FEW and receipts.repeated * 10 >= receipts.records:
        yield Finding("repeated", receipts.repeated, receipts.records + receipts.repeated)
