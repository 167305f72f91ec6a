"""Rows of a Master.csv, written as Asterisk would: a test tells who was connected with whom, and when."""

import csv
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime

from calls.ingest.formats.asterisk_csv import parse
from calls.ingest.records import Leg, Switch
from tests.calls.seen import Seen, seen

BEGIN = 1_795_410_000
SWITCH = Switch("asterisk-csv", ("carrier*",))
Cell = str | int


@dataclass
class Rows:
    """The rows of a call; what they have in common is said once, ``userfield`` is what the dialplan noted.

    Channels are PJSIP's unless named in full. The first one gives all rows their linkedid.
    """

    src: str = "48601000001"
    dst: str = "48221234501"
    userfield: str = "did=48221234501"
    account: str = "acme"
    system: str = ""
    uniqueids: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Cell]] = field(default_factory=list)

    def row(
        self,
        channel: str,
        dstchannel: str,
        app: str,
        times: tuple[int, int | None, int],
        disposition: str = "ANSWERED",
        *,
        src: str | None = None,
        dst: str | None = None,
        linked: str = "",
    ) -> "Rows":
        """``app`` with its data after a blank; ``times``: start, answer (None: never) and end, in seconds.

        ``linked``: the channel whose uniqueid is the linkedid.
        """
        start, answer, end = times
        name, _, data = app.partition(" ")
        uniqueid = self._uniqueid(channel, start)
        linkedid = self._uniqueid(linked, start) if linked else next(iter(self.uniqueids.values()))
        caller = self.src if src is None else src
        self.rows.append(
            {
                "accountcode": self.account,
                "src": caller,
                "dst": self.dst if dst is None else dst,
                "dcontext": "ctx",
                "clid": f'"" <{caller}>',
                "channel": channel_name(channel),
                "dstchannel": channel_name(dstchannel),
                "lastapp": name,
                "lastdata": data,
                "start": _local(start),
                "answer": "" if answer is None else _local(answer),
                "end": _local(end),
                "duration": end - start,
                "billsec": 0 if answer is None else end - answer,
                "disposition": disposition,
                "amaflags": "DOCUMENTATION",
                "uniqueid": uniqueid,
                "userfield": self.userfield,
                "peeraccount": self.account,
                "linkedid": linkedid,
                "sequence": len(self.rows) + 1,
            }
        )
        return self

    def _uniqueid(self, channel: str, start: int) -> str:
        count = len(self.uniqueids) + 1
        return self.uniqueids.setdefault(channel, f"{self.system}{BEGIN + start}.{count}")

    def lines(self, columns: int = 21) -> list[bytes]:
        """16 columns are Asterisk's default, 18 are with ``loguniqueid`` and ``loguserfield``, 21 are all."""
        return [_line([*row.values()][:columns]) for row in self.rows]

    def legs(self, columns: int = 21) -> list[Leg]:
        return [parse(line, "", "UTC") for line in self.lines(columns)]

    def seen(self, switch: Switch = SWITCH, columns: int = 21) -> list[Seen]:
        return seen(self.legs(columns), switch)


def channel_name(channel: str) -> str:
    """``acme-101-1b`` as ``PJSIP/acme-101-0000001b``."""
    if not channel or "/" in channel:
        return channel
    endpoint, _, counter = channel.rpartition("-")
    return f"PJSIP/{endpoint}-{counter:0>8}"


def _local(second: int) -> str:
    return datetime.fromtimestamp(BEGIN + second, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _line(values: list[Cell]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerow(values)
    return text.getvalue().encode()
