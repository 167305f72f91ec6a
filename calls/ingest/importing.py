"""Files into the inbox and on into calls, with progress."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from tqdm import tqdm

from calls.ingest import inbox, pipeline
from calls.ingest.formats import asterisk
from calls.models import InboxRecord, Pbx


def import_files(pbx: Pbx, files: Sequence[Path]) -> Iterator[str]:
    """Store the files' records, then fold what waits; yields lines that say what became of them.

    Raises CdrError for a feed that this PBX cannot have, OSError for a file that cannot be read.
    """
    before, received, new = _states(pbx), 0, 0
    for path in tqdm(files, desc="reading", unit="file", disable=None):
        layout, bodies = _records(path.read_bytes())
        received += len(bodies)
        if bodies:
            source = inbox.source_of(bodies[0])
            inbox.check_feed(pbx, source, inbox.record_ids(source, bodies, layout))
            with transaction.atomic():
                new += inbox.receive(pbx, bodies, now=timezone.now(), layout=layout)
    yield f"{received} records read, {new} of them new, {received - new} known already."
    _fold(pbx)
    after = _states(pbx)
    for state in InboxRecord.State:
        if count := after[state.value] - before[state.value]:
            yield f"{count:+} {state.value}"


def _records(content: bytes) -> tuple[str, list[bytes]]:
    """The layout of a file and its raw records: a JSON file is one record, a CSV file has one a line."""
    if inbox.source_of(content) == "freeswitch-json":
        return "", [content]
    layout, lines = asterisk.split(content)
    return layout, list(lines)


def _fold(pbx: Pbx) -> None:
    waiting = InboxRecord.objects.filter(pbx=pbx, state=InboxRecord.State.PENDING).count()
    with tqdm(total=waiting, desc="folding", unit="record", disable=None) as bar:
        for done in pipeline.fold_all_of(pbx):
            bar.update(done)


def _states(pbx: Pbx) -> Counter[str]:
    states = InboxRecord.objects.filter(pbx=pbx).order_by().values_list("state")
    return Counter(dict(states.annotate(count=Count("id"))))
