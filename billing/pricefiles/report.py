"""What a comparison found, as plain data that is kept with the import and shown on its page."""

from datetime import datetime
from typing import Any

from billing.pricefiles.comparing import Change, Comparison, Kind
from billing.pricefiles.content import NAMES, Content, Version

# Of each kind so many are shown, and all are counted.
SHOWN = 200


def report(comparison: Comparison, unused: tuple[str, ...], touched: int | None) -> dict[str, Any]:
    """Counts of all, the first of each kind. ``touched``: charged calls that re-rating would look at."""
    earliest = comparison.earliest()
    return {
        "counts": {kind.value: comparison.count(kind) for kind in Kind}
        | {"unchanged": comparison.unchanged, "findings": len(comparison.findings)},
        "changes": {kind.value: _first(comparison.changes, kind) for kind in Kind},
        "findings": [
            {"line": each.line, "fault": each.fault.value, "value": each.value}
            for each in comparison.findings[:SHOWN]
        ],
        "earliest": earliest.isoformat() if earliest else None,
        "touched": touched,
        "unused": list(unused),
    }


def _first(changes: list[Change], kind: Kind) -> list[dict[str, Any]]:
    found = [change for change in changes if change.kind is kind][:SHOWN]
    return [_shown(change) for change in found]


def _shown(change: Change) -> dict[str, Any]:
    space, prefix = change.key
    return {
        "line": change.line,
        "space": space,
        "prefix": prefix,
        "since": change.since.isoformat(),
        "until": _until(change.after),
        "name": (change.after or change.before).content.name,  # type: ignore[union-attr] # one of them is there
        "before": _said(change.before),
        "after": None if change.kind is Kind.ENDED else _said(change.after),
        "differs": _differing(change.before, change.after),
    }


def _until(version: Version | None) -> str | None:
    return version.valid_to.isoformat() if version and version.valid_to else None


def _said(version: Version | None) -> dict[str, str | int] | None:
    return _plain(version.content) if version else None


def _plain(content: Content) -> dict[str, str | int]:
    return {
        name: value if isinstance(value, int) else "" if value is None else str(value)
        for name, value in ((name, getattr(content, name)) for name in NAMES)
    }


def _differing(before: Version | None, after: Version | None) -> list[str]:
    if before is None or after is None:
        return []
    return [name for name in NAMES if getattr(before.content, name) != getattr(after.content, name)]


def kinds(kept: dict[str, Any]) -> list[dict[str, Any]]:
    """The changes of a kept report by kind, times as times: ``kind, count, changes``."""
    return [
        {
            "kind": kind.value,
            "count": kept["counts"][kind.value],
            "changes": [_with_times(change) for change in kept["changes"][kind.value]],
        }
        for kind in Kind
        if kept.get("counts", {}).get(kind.value)
    ]


def _with_times(change: dict[str, Any]) -> dict[str, Any]:
    times = {
        name: change[name] and datetime.fromisoformat(change[name]) for name in ("since", "until")
    }
    return {**change, **times}
