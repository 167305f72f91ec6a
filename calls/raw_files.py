"""Raw records in a ZIP file, byte for byte as they came."""

import json
import zipfile
from collections.abc import Iterator

from calls.inbox_querysets import InboxQuerySet
from calls.models import InboxRecord

# A ZIP keeps its table of contents until the end, so there is a limit to what one holds.
MOST_RECORDS = 10_000
# A record may have a megabyte, so few are read at a time.
BATCH = 50


class _Sink:
    """What a ZipFile writes to: gives away what was written since it was last asked."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        data = bytes(self.written)
        self.written.clear()
        return data


def zipped(records: InboxQuerySet) -> Iterator[bytes]:
    """The newest records, each in a file of its own, and ``records.ndjson``, which says where each came from and why
    it was refused."""
    sink, index = _Sink(), []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for record in _newest(records):
            name = f"{record.pbx.name}/{record.pk}.{_suffix(record)}"
            archive.writestr(name, bytes(record.body))
            index.append(json.dumps({"file": name, **_described(record)}, ensure_ascii=False))
            yield sink.taken()
        archive.writestr("records.ndjson", "".join(f"{line}\n" for line in index))
    yield sink.taken()


def _newest(records: InboxQuerySet) -> Iterator[InboxRecord]:
    whole = records.defer(None).select_related("pbx").order_by("-pk")
    remaining, before = MOST_RECORDS, None
    while remaining > 0:
        batch = whole if before is None else whole.filter(pk__lt=before)
        found = list(batch[: min(BATCH, remaining)])
        yield from found
        if len(found) < BATCH:
            return
        remaining, before = remaining - len(found), found[-1].pk


def _suffix(record: InboxRecord) -> str:
    return "json" if record.pbx.source.startswith("freeswitch") else "csv"


def _described(record: InboxRecord) -> dict[str, str]:
    return {
        "received_at": record.received_at.isoformat(),
        "state": record.state,
        "reason": record.reason,
        "message": record.message,
        "layout": record.layout,
    }
