"""Files into the inbox and on into calls, with progress."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from tqdm import tqdm

from calls.ingest import batches, inbox, pipeline
from calls.models import InboxRecord, Pbx

BATCH = 1000


def import_files(pbx: Pbx, files: Sequence[Path]) -> Iterator[str]:
    """Store the files' records, then fold what waits; yields lines that say what became of them.

    Raises CdrError for a feed that this PBX cannot have, OSError for a file that cannot be read.
    """
    before, received, new = _states(pbx), 0, 0
    for layout, bodies in _in_batches(pbx, files):
        received += len(bodies)
        inbox.check_feed(pbx, bodies, layout)
        with transaction.atomic():
            new += inbox.receive(pbx, bodies, now=timezone.now(), layout=layout)
    yield f"{received} records read, {new} of them new, {received - new} known already."
    _fold(pbx)
    after = _states(pbx)
    for state in InboxRecord.State:
        if count := after[state.value] - before[state.value]:
            yield f"{count:+} {state.value}"


def _in_batches(pbx: Pbx, files: Sequence[Path]) -> Iterator[tuple[str, list[bytes]]]:
    """Records of one layout: thousands of files with a record each are not as many transactions."""
    for layout, alike in groupby(_records(pbx, files), key=itemgetter(0)):
        bodies = (body for _, body in alike)
        while batch := list(islice(bodies, BATCH)):
            yield layout, batch


def _records(pbx: Pbx, files: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    for path in tqdm(files, desc="reading", unit="file", disable=None):
        layout, bodies = batches.split(path.read_bytes(), pbx.switch)
        yield from ((layout, body) for body in bodies)


def _fold(pbx: Pbx) -> None:
    waiting = InboxRecord.objects.filter(pbx=pbx, state=InboxRecord.State.PENDING).count()
    with tqdm(total=waiting, desc="folding", unit="record", disable=None) as bar:
        for done in pipeline.fold_all_of(pbx):
            bar.update(done)


def _states(pbx: Pbx) -> Counter[str]:
    states = InboxRecord.objects.filter(pbx=pbx).order_by().values_list("state")
    return Counter(dict(states.annotate(count=Count("id"))))
