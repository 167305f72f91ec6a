"""Recorded calls again, as other calls at other times: the same stories with ids of their own."""

import re
from datetime import UTC, datetime, timedelta

# When the first of the recorded calls began, at either PBX.
RECORDED_SECOND = 1795403264
UUID_HEAD = re.compile(rb"[0-9a-f]{8}(?=(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
EPOCH = re.compile(rb"17954\d{5}")
UNIQUEID = re.compile(rb"(17954\d{5})\.(\d+)")
CHANNEL = re.compile(rb"(?<=-)[0-9a-f]{8}(?=[;\"&,])")
TIME = re.compile(rb"2026-11-23 \d\d:\d\d:\d\d")
# The recordings used fewer ids and channels than this.
IDS = 4096


def freeswitch_copy(body: bytes, number: int, began: int) -> bytes:
    """Copy ``number`` of a recorded body, as if the recording had begun at the epoch second ``began``."""
    shift = began - RECORDED_SECOND
    body = EPOCH.sub(lambda found: b"%d" % (int(found[0]) + shift), body)
    return UUID_HEAD.sub(lambda found: b"%08x" % (int(found[0], 16) ^ number), body)


def asterisk_copy(line: bytes, number: int, began: int) -> bytes:
    """Copy ``number`` of a line of master.csv (times in UTC), as ``freeswitch_copy``."""
    shift = began - RECORDED_SECOND
    line = UNIQUEID.sub(
        lambda found: b"%d.%d" % (int(found[1]) + shift, int(found[2]) + number * IDS), line
    )
    line = CHANNEL.sub(lambda found: b"%08x" % (int(found[0], 16) + number * IDS), line)
    return TIME.sub(lambda found: _shifted(found[0], shift), line)


def _shifted(text: bytes, seconds: int) -> bytes:
    moment = datetime.fromisoformat(text.decode()).replace(tzinfo=UTC)
    return f"{moment + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}".encode()
