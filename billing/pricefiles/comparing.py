"""What a file would change in a price list. Pure.

A list is read as layers: of the versions of a prefix that hold at a moment, the one that began last wins. So a new
price needs only its beginning, and whatever it covers shows again where it ends.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from billing.pricefiles.content import (
    PLAIN,
    Content,
    Fault,
    FileRow,
    Finding,
    Key,
    Version,
)
from billing.pricefiles.reading import FileContent


class Kind(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Change:
    """From ``since`` on ``before`` becomes ``after``, a version as it will be stored; None: no price any more.

    ``line`` is None for what ends because the file does not name it.
    """

    kind: Kind
    line: int | None
    since: datetime
    before: Version | None
    after: Version | None

    @property
    def key(self) -> Key:
        version = self.after or self.before
        assert version is not None, "a change has one side at least"  # noqa: S101
        return version.key


@dataclass(slots=True)
class Comparison:
    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unchanged: int = 0

    def count(self, kind: Kind) -> int:
        return sum(change.kind is kind for change in self.changes)

    def earliest(self) -> datetime | None:
        """From when on something costs another price."""
        return min((change.since for change in self.changes), default=None)


def compare(
    file: FileContent, stored: Iterable[Version], effective: datetime, *, complete: bool
) -> Comparison:
    """``effective``: from when rows without dates of their own hold.

    ``complete``: what the file does not name ends then.
    """
    by_key: dict[Key, list[Version]] = defaultdict(list)
    for version in stored:
        by_key[version.key].append(version)
    rows: dict[Key, list[FileRow]] = defaultdict(list)
    for row in file.rows:
        rows[row.key].append(row)
    result = Comparison(findings=list(file.findings))
    for key, of_key in rows.items():
        _Layers(by_key.get(key, ()), effective, result).place_all(of_key)
    if complete:
        missing = by_key.keys() - rows.keys() - file.named
        for key in sorted(missing):
            result.changes += _endings(by_key[key], effective)
    result.findings.sort(key=lambda finding: finding.line)
    return result


def _endings(versions: Sequence[Version], at: datetime) -> list[Change]:
    """What holds then holds no longer; what begins later stays."""
    return [
        Change(
            Kind.ENDED,
            None,
            at,
            version,
            replace(version, valid_to=at) if version.valid_from < at else None,
        )
        for version in versions
        if version.holds(at)
    ]


class _Layers:
    """The versions of one prefix while the rows of a file are laid over them."""

    def __init__(self, stored: Sequence[Version], effective: datetime, result: Comparison) -> None:
        self.versions = list(stored)
        self.later = {version.valid_from for version in stored}
        self.effective = effective
        self.result = result

    def place_all(self, rows: Sequence[FileRow]) -> None:
        placed: dict[datetime, FileRow] = {}
        for row in sorted(rows, key=lambda row: (self._since(row), row.line)):
            since = self._since(row)
            if since in placed:
                same = placed[since].given == row.given and placed[since].valid_to == row.valid_to
                self._find(row, Fault.REPEATED if same else Fault.CONTRADICTED, row.prefix)
            elif row.valid_to and row.valid_to <= since:
                self._find(row, Fault.ENDS_EARLY, row.prefix)
            else:
                self._check_overlap(row, placed)
                placed[since] = row
                self._place(row, since)

    def _since(self, row: FileRow) -> datetime:
        return row.valid_from or self.effective

    def _check_overlap(self, row: FileRow, placed: dict[datetime, FileRow]) -> None:
        """A row that says when it ends, and another of the file that begins before that."""
        since = self._since(row)
        if any(other.valid_to and since < other.valid_to for other in placed.values()):
            self._find(row, Fault.OVERLAPPING, row.prefix)

    def _place(self, row: FileRow, since: datetime) -> None:
        exact = next((each for each in self.versions if each.valid_from == since), None)
        current = exact or self._at(since)
        content = _content(row, current)
        if exact is not None:
            said = row.says_end and (row.valid_to is not None or row.valid_from is not None)
            after = replace(
                exact, content=content, valid_to=row.valid_to if said else exact.valid_to
            )
            self._replace(row, exact, after)
        elif current is None or current.content != content:
            self._insert(row, since, current, content)
        elif row.valid_to in (None, current.valid_to):
            self.result.unchanged += 1
        elif row.valid_from is None:
            self._replace(row, current, replace(current, valid_to=row.valid_to))
        else:
            self._insert(row, since, current, content)

    def _at(self, moment: datetime) -> Version | None:
        holding = [version for version in self.versions if version.holds(moment)]
        return max(holding, key=lambda version: version.valid_from, default=None)

    def _replace(self, row: FileRow, before: Version, after: Version) -> None:
        if before == after:
            self.result.unchanged += 1
            return
        self.versions[self.versions.index(before)] = after
        since = before.valid_from if before.content != after.content else _first_end(before, after)
        self._change(Kind.CHANGED, row, since, before, after)

    def _insert(
        self, row: FileRow, since: datetime, current: Version | None, content: Content
    ) -> None:
        after = Version(None, row.space, row.prefix, since, row.valid_to, content)
        self.versions.append(after)
        self._change(Kind.NEW if current is None else Kind.CHANGED, row, since, current, after)

    def _change(
        self, kind: Kind, row: FileRow, since: datetime, before: Version | None, after: Version
    ) -> None:
        self.result.changes.append(Change(kind, row.line, since, before, after))
        if row.valid_from is None and any(moment > after.valid_from for moment in self.later):
            self._find(
                row,
                Fault.LATER,
                f"{row.prefix}: {min(m for m in self.later if m > after.valid_from).isoformat()}",
            )

    def _find(self, row: FileRow, fault: Fault, value: str) -> None:
        self.result.findings.append(Finding(row.line, fault, value))


def _content(row: FileRow, current: Version | None) -> Content:
    """What the file has no column for stays as it is, or is plain in a new rate."""
    content = replace(current.content if current else PLAIN, **row.given)
    return content if content.name else replace(content, name=row.prefix or "*")


def _first_end(before: Version, after: Version) -> datetime:
    """From when on it matters that a version ends at another time."""
    return min(end for end in (before.valid_to, after.valid_to) if end is not None)
