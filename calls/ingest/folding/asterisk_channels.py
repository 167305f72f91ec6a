"""What the names of Asterisk's channels say: ``PJSIP/acme-101-0000001c``, ``Local/103@ctx-00000004;1``."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache

from calls.ingest.records import Switch
from calls.numbers import Number, normalise

# What a technology appends to make a name unique.
COUNTER = re.compile(r"-[0-9a-f]{8}$")
COUNTERS = {"IAX2": re.compile(r"-\d+$"), "DAHDI": re.compile(r"-[0-9a-f]+$")}
# No text field of a row is longer, so what comes last in one of this length may be cut.
LONGEST = 79


@dataclass(frozen=True, slots=True)
class Target:
    """One of those whom Dial rang; ``number`` is '' for a phone."""

    technology: str
    endpoint: str
    number: str

    @property
    def channel(self) -> str:
        return f"{self.technology}/{self.endpoint}"


@lru_cache(maxsize=1000)
def endpoint_of(channel: str) -> str:
    technology, _, name = channel.partition("/")
    return COUNTERS.get(technology, COUNTER).sub("", name)


class Channels:
    """Reads the names, knowing the PBX's configuration. One for each call, whose rows repeat a few names."""

    endpoint = staticmethod(endpoint_of)

    def __init__(self, switch: Switch) -> None:
        self.trunks = switch.trunks
        self.extension = re.compile(switch.extension_pattern)
        self.is_trunk = cache(self._is_trunk)
        self.extension_of = cache(self._extension_of)

    def _is_trunk(self, channel: str) -> bool:
        technology, endpoint = channel.partition("/")[0], self.endpoint(channel)
        # An ISDN span's channel names the number as well: DAHDI/i1/501234567-1f.
        names = {endpoint, endpoint.partition("/")[0]}
        return any(
            fnmatchcase(name, pattern) or fnmatchcase(f"{technology}/{name}", pattern)
            for pattern in self.trunks
            for name in names
        )

    def _extension_of(self, channel: str) -> str:
        """The extension of one of our phones, '' for a trunk, a Local channel or no channel."""
        if not channel or is_local(channel) or self.is_trunk(channel):
            return ""
        found = self.extension.search(self.endpoint(channel))
        return found[found.lastindex or 0] if found else ""

    def phone(self, channel: str) -> str:
        """Who one of our phones is: its extension, or its endpoint's name where that holds none."""
        if is_local(channel) or self.is_trunk(channel):
            return ""
        return self.extension_of(channel) or self.endpoint(channel)

    def tenant_of(self, channel: str) -> str:
        """What stands before the extension in an endpoint's name: ``acme`` of ``acme-101``."""
        name, extension = self.endpoint(channel), self.extension_of(channel)
        return name.removesuffix(extension).rstrip("-_") if extension else ""

    def sent(self, data: str) -> list[Number]:
        """The numbers that Dial, given ``data``, sent to trunks."""
        return [
            normalise(target.number)
            for target in targets(data)
            if target.number and self.is_trunk(target.channel)
        ]

    def sent_to(self, channel: str, data: str) -> list[Number]:
        """The numbers that Dial, given ``data``, may have sent to this very channel."""
        technology, endpoint = channel.partition("/")[0], self.endpoint(channel)
        return [
            normalise(target.number)
            for target in targets(data)
            if target.number
            # A card is dialled by its group (DAHDI/g1), and its channels are called otherwise.
            and (target.endpoint == endpoint or target.technology == technology == "DAHDI")
        ]


def targets(data: str) -> list[Target]:
    """Whom Dial was to ring, out of its ``PJSIP/48501234567@carrier&SIP/carrier/48501234567&…,30,tT``."""
    names, comma, _ = data.partition(",")
    found = [_target(name) for name in names.split("&")]
    cut = not comma and len(data.encode()) >= LONGEST
    return found[:-1] if cut else found


def _target(name: str) -> Target:
    technology, _, rest = name.partition("/")
    head, slash, tail = rest.partition("/")
    if slash and technology != "Local":
        # With a slash the peer comes first, maybe with its account before (IAX2/user@peer/48501234567).
        return Target(technology, head.rpartition("@")[2], tail.partition("@")[0])
    number, at, peer = head.partition("@")
    return Target(technology, peer, number) if at else Target(technology, head, "")


def is_local(channel: str) -> bool:
    return channel.startswith("Local/")


def other_half(channel: str) -> str:
    """``Local/x;1`` ↔ ``Local/x;2``."""
    return f"{channel[:-1]}{'2' if channel.endswith('1') else '1'}"
