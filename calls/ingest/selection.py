"""Which of the records that were set aside are meant: all that is not said leaves open. No Django, no database."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Selection:
    """``called`` and ``tenants`` are those of calls that are nobody's; None: whichever.

    ``dismissal``: records that this decision dismissed; without it, dismissed ones are never meant.
    """

    record: int | None = None
    pbx: str = ""
    state: str = ""
    reason: str = ""
    called: str | None = None
    tenants: tuple[str, ...] | None = None
    dismissal: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, list[str]]) -> "Selection":
        """From the parameters of an address, by name. Raises ValueError for an id that is no number."""

        def first(name: str) -> str:
            return next(iter(query.get(name, [])), "")

        return cls(
            record=_id(first("record")),
            pbx=first("pbx"),
            state=first("state"),
            reason=first("reason"),
            called=first("called") if "called" in query else None,
            tenants=tuple(query.get("tenant", ())) if "called" in query else None,
            dismissal=_id(first("dismissal")),
        )

    def query(self) -> str:
        """The parameters of an address that says the same."""
        pairs = [(name, value) for name, value in asdict(self).items() if value]
        named = [(name, value) for name, value in pairs if name not in {"called", "tenants"}]
        if self.called is not None:
            named.append(("called", self.called))
        return urlencode([*named, *(("tenant", tenant) for tenant in self.tenants or ())])

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Selection":
        tenants = data["tenants"]
        return cls(**{**data, "tenants": None if tenants is None else tuple(tenants)})


def _id(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(f"{text[:40]!r} is no id")
    return int(text)
