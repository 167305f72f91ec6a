"""A growing Master.csv: every line once, whatever logrotate, half-written lines and restarts do."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import Account
from calls.ingest import following, inbox, pipeline
from calls.ingest.following import Follower
from calls.ingest.records import CdrError
from calls.models import Call, FollowedFile, InboxRecord, Pbx
from tests.conftest import RECORDED
from tests.records import HERE

pytestmark = pytest.mark.django_db
LINES = (HERE / "asterisk/master.csv").read_bytes().splitlines(keepends=True)


class Asterisk:
    """Writes to a Master.csv, and a logrotate beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0

    def write(self, lines: int) -> None:
        with self.path.open("ab") as file:
            file.writelines(LINES[self.written : self.written + lines])
        self.written += lines

    def write_half_a_line(self) -> None:
        with self.path.open("ab") as file:
            file.write(LINES[self.written][:100])

    def write_its_other_half(self) -> None:
        with self.path.open("ab") as file:
            file.write(LINES[self.written][100:])
        self.written += 1

    def rename(self) -> None:
        for number in (2, 1):
            older = self.path.with_name(f"Master.csv.{number}")
            if older.exists():
                older.rename(self.path.with_name(f"Master.csv.{number + 1}"))
        self.path.rename(self.path.with_name("Master.csv.1"))

    def copy_and_truncate(self) -> None:
        shutil.copy(self.path, self.path.with_name("Master.csv.1"))
        os.truncate(self.path, 0)


@pytest.fixture
def writer(tmp_path: Path) -> Asterisk:
    return Asterisk(tmp_path / "Master.csv")


@pytest.fixture
def follower(asterisk: Pbx, writer: Asterisk) -> Follower:
    return Follower(asterisk, writer.path)


def stored() -> list[bytes]:
    return [
        bytes(body) for body in InboxRecord.objects.order_by("id").values_list("body", flat=True)
    ]


def written(count: int) -> list[bytes]:
    return [line.rstrip(b"\n") for line in LINES[:count]]


def test_lines_are_stored_as_they_come(follower: Follower, writer: Asterisk) -> None:
    found = []
    for lines in (3, 0, 5, 1):
        writer.write(lines)
        found.append(follower.step(RECORDED))

    assert found == [3, 0, 5, 1]
    assert stored() == written(9)


def test_a_line_is_taken_when_it_is_whole(follower: Follower, writer: Asterisk) -> None:
    writer.write(2)
    writer.write_half_a_line()
    early = follower.step(RECORDED)

    writer.write_its_other_half()
    late = follower.step(RECORDED)

    assert (early, late) == (2, 1)
    assert stored() == written(3)


def test_a_file_that_is_not_there_yet_is_waited_for(follower: Follower, writer: Asterisk) -> None:
    before = follower.step(RECORDED)
    writer.write(1)

    assert (before, follower.step(RECORDED)) == (0, 1)


def test_what_was_written_just_before_a_rename_is_read_from_the_renamed_file(
    follower: Follower, writer: Asterisk
) -> None:
    writer.write(3)
    follower.step(RECORDED)
    writer.write(2)
    writer.rename()
    between = follower.step(RECORDED)
    writer.write(4)

    assert (between, follower.step(RECORDED)) == (0, 6)
    assert stored() == written(9)


def test_what_was_written_just_before_a_copy_is_read_from_the_copy(
    follower: Follower, writer: Asterisk
) -> None:
    writer.write(3)
    follower.step(RECORDED)
    writer.write(2)
    writer.copy_and_truncate()
    writer.write(4)

    assert follower.step(RECORDED) == 6
    assert stored() == written(9)


def test_a_truncated_file_that_grew_beyond_where_we_were_is_noticed(
    follower: Follower, writer: Asterisk
) -> None:
    writer.write(2)
    follower.step(RECORDED)
    writer.copy_and_truncate()
    writer.write(20)

    assert follower.step(RECORDED) == 20
    assert stored() == written(22)


def test_several_rotations_while_nobody_followed_lose_nothing(
    asterisk: Pbx, follower: Follower, writer: Asterisk
) -> None:
    writer.write(3)
    follower.step(RECORDED)
    for second in range(1, 4):
        writer.write(2)
        os.utime(writer.path, (second, second))
        writer.rename()
    writer.write(1)

    restarted = Follower(asterisk, writer.path)

    assert restarted.step(RECORDED) == 7
    assert sorted(stored()) == sorted(written(10))


def test_a_restart_goes_on_where_it_was(
    asterisk: Pbx, follower: Follower, writer: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.write(50)
    follower.step(RECORDED)
    writer.write(1)
    read: list[int] = []
    real = following._pieces

    def pieces(path: Path, offset: int, *, last_line_too: bool) -> Iterator[tuple[bytes, bytes]]:
        read.append(offset)
        return real(path, offset, last_line_too=last_line_too)

    monkeypatch.setattr(following, "_pieces", pieces)

    assert Follower(asterisk, writer.path).step(RECORDED) == 1
    assert read == [sum(map(len, LINES[:50]))]


def test_how_far_we_are_is_written_with_the_records_or_not_at_all(
    follower: Follower, writer: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.write(2)
    follower.step(RECORDED)
    writer.write(3)

    def failing(position: FollowedFile) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(FollowedFile, "save", failing)
        with pytest.raises(OSError, match="killed"):
            follower.step(RECORDED)
    after_the_kill = stored()

    follower.step(RECORDED)

    assert (after_the_kill, stored()) == (written(2), written(5))


def test_big_files_are_read_in_pieces_and_lines_stay_whole(
    follower: Follower, writer: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "CHUNK", 333)
    writer.write(96)

    assert follower.step(RECORDED) == 96
    assert stored() == written(96)


def test_a_file_with_a_header_keeps_it_for_the_lines_that_come_later(
    asterisk: Pbx, tmp_path: Path
) -> None:
    Pbx.objects.update(time_zone="Europe/Warsaw")
    asterisk.refresh_from_db()
    lines = (HERE / "asterisk/full.csv").read_bytes().splitlines(keepends=True)
    path = tmp_path / "full.csv"
    follower = Follower(asterisk, path)
    for start in range(0, len(lines), 10):
        with path.open("ab") as file:
            file.writelines(lines[start : start + 10])
        follower.step(RECORDED)

    while pipeline.fold_batch(asterisk, RECORDED):
        pass

    assert InboxRecord.objects.filter(state="quarantined").count() == 0
    assert Call.objects.count() == 53


def test_following_and_importing_the_same_file_makes_the_same_calls(
    asterisk: Pbx, follower: Follower, writer: Asterisk
) -> None:
    inbox.receive(asterisk, written(40), now=RECORDED)
    writer.write(96)

    assert follower.step(RECORDED) == 56


def test_a_second_feed_under_other_ids_is_refused(
    asterisk: Pbx, follower: Follower, writer: Asterisk
) -> None:
    Pbx.objects.update(record_ids="content")
    asterisk.refresh_from_db()
    follower.pbx = asterisk
    writer.write(1)

    with pytest.raises(CdrError, match="gets its records with content"):
        follower.step(RECORDED)
    assert stored() == []


def test_a_line_that_was_cut_is_set_aside_and_those_after_it_come_in(
    asterisk: Pbx, follower: Follower, writer: Asterisk
) -> None:
    writer.write(1)
    follower.step(RECORDED)
    with writer.path.open("ab") as file:
        file.write(LINES[1].split(b',"DOCUMENTATION"')[0] + b',"DOCUMENTATION"\n')
    follower.step(RECORDED)
    writer.write(1)
    follower.step(RECORDED)
    pipeline.fold_inbox()

    found = InboxRecord.objects.order_by("id").values_list("state", "reason")
    assert list(found) == [("folded", ""), ("quarantined", "other_ids"), ("folded", "")]


def test_a_file_that_begins_with_its_header_alone_is_checked_with_its_first_row(
    asterisk: Pbx, follower: Follower, writer: Asterisk
) -> None:
    header, row, *_ = (HERE / "asterisk/full.csv").read_bytes().splitlines(keepends=True)
    for line in (header, row):
        with writer.path.open("ab") as file:
            file.write(line)
        follower.step(RECORDED)

    assert Pbx.objects.get().record_ids == "uniqueid+sequence"


def test_a_file_without_ids_is_refused_after_another_feed_brought_some(
    asterisk: Pbx, follower: Follower, writer: Asterisk
) -> None:
    writer.path.touch()
    follower.step(RECORDED)
    inbox.check_feed(Pbx.objects.get(), written(96), "")
    cut = (line.split(b',"DOCUMENTATION"')[0] + b',"DOCUMENTATION"\n' for line in LINES)
    writer.path.write_bytes(b"".join(cut))

    with pytest.raises(CdrError, match="the same calls would be counted twice"):
        follower.step(RECORDED)
    assert (stored(), Pbx.objects.get().record_ids) == ([], "uniqueid+sequence")


def test_a_line_that_comes_alone_is_a_record_whatever_it_says(
    acme: Account, tmp_path: Path
) -> None:
    columns = {
        "start": "Date",
        "duration": "Time",
        "talk": "Talk",
        "caller": "From",
        "called": "To",
        "name": "Name",
    }
    pbx = Pbx.objects.create(name="other", source="csv", account=acme, columns=columns)
    path = tmp_path / "calls.csv"
    lines = [
        b"2026-11-23 04:07:44;10;5;501234567;221234501;Jan",
        b"2026-11-23 05:07:44;10;5;501234567;221234501;Date",
        b"Date;Time;Talk;From;To;Name",
    ]
    path.write_bytes(b"Date;Time;Talk;From;To;Name\n")
    for line in lines:
        with path.open("ab") as file:
            file.write(line + b"\n")
        Follower(pbx, path).step(RECORDED)

    assert stored() == lines


def test_the_command_reads_what_is_there(
    asterisk: Pbx, writer: Asterisk, capsys: pytest.CaptureFixture[str]
) -> None:
    writer.write(4)

    call_command("follow_cdr", str(writer.path), pbx="asterisk", once=True)

    assert capsys.readouterr().out == "4 new records\n"
    assert stored() == written(4)
