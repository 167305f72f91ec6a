"""Where the fields stand in the CSV of a PBX that callpanel does not know by itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMES = (
    *("start", "end", "duration", "talk", "caller", "called", "extension"),
    *("direction", "disposition", "id", "call", "account", "name"),
)
KINDS = ("incoming", "outgoing", "internal")
DIRECTIONS = {
    **dict.fromkeys(("in", "inbound", "incoming"), "incoming"),
    **dict.fromkeys(("out", "outbound", "outgoing"), "outgoing"),
    **dict.fromkeys(("internal", "local"), "internal"),
}
ANSWERS = ("answer", "answered")


@dataclass(frozen=True, slots=True)
class Columns:
    """By our name the file's header, or the number of the column (from 1) where the file has no header.

    ``directions``: what stands in the column of the direction, and which kind of call it means. ``answers``: what the
    disposition of an answered call says. Values are compared in small letters.
    """

    places: tuple[tuple[str, str | int], ...] = ()
    time_format: str = ""
    directions: tuple[tuple[str, str], ...] = tuple(DIRECTIONS.items())
    answers: tuple[str, ...] = ANSWERS

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Columns":
        """``data`` as the admin has checked it: our names, and beside them time_format, directions and answers."""
        own = {str(word).casefold(): kind for word, kind in data.get("directions", {}).items()}
        return cls(
            places=tuple((name, data[name]) for name in NAMES if name in data),
            time_format=data.get("time_format", ""),
            directions=tuple((own or DIRECTIONS).items()),
            answers=tuple(str(word).casefold() for word in data.get("answers", ())) or ANSWERS,
        )

    @property
    def numbered(self) -> bool:
        """Whether the columns are told by their numbers, so that there is no header line."""
        return all(isinstance(place, int) for _, place in self.places)

    def has(self, name: str) -> bool:
        return any(name == ours for ours, _ in self.places)
