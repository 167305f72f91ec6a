"""Following a growing file, such as Asterisk's Master.csv: every line is stored once it is whole, wherever logrotate
puts it.

How far a file was read is committed together with its records, so neither a kill nor a restart loses a line. In doubt
a file is read again from its beginning: the inbox knows what it has.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from calls.ingest import batches, inbox
from calls.ingest.formats import ASTERISK, asterisk_cel
from calls.models import FollowedFile, Pbx

CHUNK = 1024 * 1024
FINGERPRINT = 128
NOTED_EVERY = timedelta(seconds=10)
PACKED = {".gz", ".bz2", ".xz", ".zst"}


@dataclass(slots=True)
class Follower:
    """One file of one PBX; ``step`` takes over what was added since the last time."""

    pbx: Pbx
    path: Path

    def step(self, now: datetime) -> int:
        """Store the whole lines that were added; returns the number of records that were new.

        The entry is read anew each time: it may have been changed, or got its ids by another feed.

        Raises CdrError for a feed that this PBX cannot have, OSError for a file that cannot be read.
        """
        self.pbx.refresh_from_db()
        try:
            return self._step(now)
        except FileNotFoundError:
            return 0  # Between the two halves of a rotation, or before the first call.

    def _step(self, now: datetime) -> int:
        position = FollowedFile.objects.filter(pbx=self.pbx, path=str(self.path)).first()
        if position is None:
            position = _begun(FollowedFile(pbx=self.pbx, path=str(self.path)), self.path)
        stored = 0
        if not self._continues(position):
            stored = self._finish_rotated(position, now)
            _begun(position, self.path)
        stored += self._read(self.path, position, now, last_line_too=False)
        self._note_end(position, now)
        return stored

    def _note_end(self, position: FollowedFile, now: datetime) -> None:
        """Keep, now and then, that there was nothing more in the file."""
        if position.pk and (not position.checked_at or now - position.checked_at >= NOTED_EVERY):
            FollowedFile.objects.filter(pk=position.pk).update(checked_at=now)

    def _continues(self, position: FollowedFile) -> bool:
        """Whether the file is the one that was read so far, only longer."""
        return self.path.stat().st_ino == position.inode and _fits(self.path, position)

    def _finish_rotated(self, position: FollowedFile, now: datetime) -> int:
        """Read the rest of the file that stood here before, renamed or copied, and all that rotated after it."""
        beside = self._beside()
        while beside and not _is_former(beside[0], position):
            beside.pop(0)
        stored = 0
        for former in beside:
            stored += self._read(former, position, now, last_line_too=True)
            _begun(position, self.path)
        return stored

    def _beside(self) -> list[Path]:
        """The readable files that rotation made of this one, oldest first."""
        found = self.path.parent.glob(f"{self.path.name}?*")
        plain = (each for each in found if each.is_file() and each.suffix not in PACKED)
        return sorted(plain, key=lambda each: each.stat().st_mtime)

    def _read(
        self, path: Path, position: FollowedFile, now: datetime, *, last_line_too: bool
    ) -> int:
        stored = 0
        for piece, before in _pieces(path, position.offset, last_line_too=last_line_too):
            with transaction.atomic():
                stored += self._store(piece, position, now)
                position.before = _digest(before)
                position.save()
        return stored

    def _store(self, piece: bytes, position: FollowedFile, now: datetime) -> int:
        begins = position.offset == 0
        layout, bodies = batches.split(piece, self.pbx.switch, continued=not begins)
        if begins:
            position.layout = layout
        # Further on, a line without ids is a damaged one: it is set aside, and those after it come in.
        if bodies and (begins or not self.pbx.record_ids):
            inbox.check_feed(self.pbx, bodies, position.layout)
        new = inbox.receive(self.pbx, bodies, now=now, layout=position.layout)
        if bodies:
            position.holds_rows = not self._has_events(bodies, position.layout)
        position.offset += len(piece)
        return new

    def _has_events(self, bodies: list[bytes], layout: str) -> bool:
        return self.pbx.source == ASTERISK and any(
            asterisk_cel.is_event(body, layout) for body in bodies
        )


def _begun(position: FollowedFile, path: Path) -> FollowedFile:
    """The position at the beginning of the file that is at ``path`` now."""
    position.inode = path.stat().st_ino
    position.offset, position.before, position.layout = 0, b"", ""
    return position


def _is_former(path: Path, position: FollowedFile) -> bool:
    """Whether this is the file that the position is in."""
    renamed = path.stat().st_ino == position.inode
    return (renamed or position.offset > 0) and _fits(path, position)


def _fits(path: Path, position: FollowedFile) -> bool:
    """Whether the bytes before the offset are still those that were read."""
    with path.open("rb") as file:
        return _digest(_before(file, position.offset)) == bytes(position.before)


def _before(file: BinaryIO, offset: int) -> bytes:
    """The bytes before the offset, at which the file then stands."""
    file.seek(max(0, offset - FINGERPRINT))
    return file.read(min(FINGERPRINT, offset))


def _digest(before: bytes) -> bytes:
    """What is remembered of the bytes before an offset: they themselves would name callers."""
    return hashlib.sha256(before).digest() if before else b""


def _pieces(path: Path, offset: int, *, last_line_too: bool) -> Iterator[tuple[bytes, bytes]]:
    """Whole lines from ``offset`` on, about a megabyte at a time, each with the last bytes up to its end.

    A line without its end comes only from a finished file.
    """
    with path.open("rb") as file:
        before, rest = _before(file, offset), b""
        while chunk := file.read(CHUNK):
            whole, newline, rest = (rest + chunk).rpartition(b"\n")
            if newline:
                before = (before + whole + newline)[-FINGERPRINT:]
                yield whole + newline, before
        if last_line_too and rest:
            yield rest, (before + rest)[-FINGERPRINT:]
