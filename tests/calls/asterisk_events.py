"""Channel events, written as Asterisk would beside the rows of ``asterisk_rows``: who lived when, who met whom."""

import csv
import io
import json
from dataclasses import dataclass, field

from calls.ingest.formats import asterisk
from calls.ingest.records import Leg, Switch
from tests.calls.asterisk_rows import BEGIN, SWITCH, Rows, channel_name
from tests.calls.seen import Seen, seen

HEADER = "eventtype,eventtime,channame,uniqueid,linkedid,eventextra"


@dataclass
class Events:
    """The events of the call of these rows. Channels are called as there; seconds count from the same beginning.

    A fraction is added to every time: events of whole seconds would not be believed.
    """

    rows: Rows
    fraction: str = "000007"
    written: list[tuple[str, str, str, str, str, str]] = field(default_factory=list)
    uniqueids: dict[str, str] = field(default_factory=dict)
    linked: dict[str, str] = field(default_factory=dict)
    bridges: int = 0

    def life(
        self, channel: str, start: int, answer: int | None, end: int | None, *, linked: str = ""
    ) -> "Events":
        """A channel from its creation to its end (None: not yet). ``linked``: the channel that gives the linkedid."""
        self.uniqueids.setdefault(channel, f"{BEGIN + start}.{900 + len(self.uniqueids)}")
        self.linked[channel] = linked or next(iter(self.rows.uniqueids))
        self._write("CHAN_START", start, channel)
        if answer is not None:
            self._write("ANSWER", answer, channel)
        if end is not None:
            self._write("HANGUP", end, channel, hangupcause=16)
        return self

    def met(self, since: int, until: int, *channels: str) -> "Events":
        """These channels shared a bridge, which gives all of them the linkedid of the first."""
        self.bridges += 1
        bridge = f"{self.bridges:08x}-1111-2222-3333-444444444444"
        for event, second in (("BRIDGE_ENTER", since), ("BRIDGE_EXIT", until)):
            for channel in channels:
                self.bridge_event(event, second, channel, bridge, first=channels[0])
        return self

    def bridge_event(
        self, event: str, second: int, channel: str, bridge: str, *, first: str = ""
    ) -> "Events":
        return self._write(event, second, channel, first, bridge_id=bridge)

    def transferred(self, second: int, by: str, other: str, caller: str, target: str) -> "Events":
        """``by`` and ``other`` are the two channels of who puts the caller through to the target."""
        names = {"channel2": other, "transferee_channel": caller, "transfer_target_channel": target}
        extra = {f"{name}_name": channel_name(channel) for name, channel in names.items()}
        extra |= {f"{name}_uniqueid": self._uniqueid(channel) for name, channel in names.items()}
        return self._write("ATTENDEDTRANSFER", second, by, **extra)

    def _write(
        self, event: str, second: int, channel: str, first: str = "", **extra: str | int
    ) -> "Events":
        uniqueid, linkedid = self._uniqueid(channel), self._uniqueid(self.linked[first or channel])
        time, name = f"{BEGIN + second}.{self.fraction}", channel_name(channel)
        self.written.append((event, time, name, uniqueid, linkedid, json.dumps(extra)))
        return self

    def _uniqueid(self, channel: str) -> str:
        return self.rows.uniqueids.get(channel) or self.uniqueids[channel]

    def lines(self) -> list[bytes]:
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(self.written)
        return text.getvalue().encode().splitlines()

    def legs(self) -> list[Leg]:
        legs = (asterisk.parse(line, HEADER, "UTC") for line in self.lines())
        return [leg for leg in legs if leg]

    def seen(self, switch: Switch = SWITCH) -> list[Seen]:
        """The calls that rows and events make together."""
        return seen([*self.rows.legs(), *self.legs()], switch)
