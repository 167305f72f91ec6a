"""Ten thousand damaged records over the real view and the real pipeline: none an error, none lost, no other harmed.

./run test benchmarks/mutations.py -s
RECORDS=100000 SEED=7 ./run test benchmarks/mutations.py -s
"""

import os
import time
from collections import Counter

import pytest
import time_machine
from django.test import Client

from calls import tasks
from calls.models import InboxRecord
from tests.conftest import RECORDED
from tests.mutants import ACCOUNTED, Storm

RECORDS = int(os.environ.get("RECORDS", "10000"))
SEED = int(os.environ.get("SEED", "1"))


@pytest.mark.django_db
def test_mutations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.fold_inbox, "apply_async", lambda **options: None)
    client = Client(raise_request_exception=False)
    began = time.monotonic()
    with time_machine.travel(RECORDED, tick=False):
        storm = Storm(SEED)
        while storm.damaged < RECORDS:
            storm.send(client)
        found = storm.accounts()
    reasons = Counter(InboxRecord.objects.exclude(reason="").values_list("state", "reason"))

    print(f"\nseed {SEED}, {time.monotonic() - began:.0f} s")
    for name in ("damaged", "sound", "statuses", "stored", "rows", "states"):
        print(f"{name:>10}: {found[name]}")
    print(f"{'harmed':>10}: {len(found['harmed'])} of the sound ones")
    for (state, reason), count in reasons.most_common():
        print(f"{count:>10}  {state} {reason}")
    assert set(found["statuses"]) <= {200, 400, 409, 413, 415}
    assert found["rows"] == found["stored"]
    assert set(found["states"]) <= ACCOUNTED
    assert found["harmed"] == []
    assert not reasons.get(("quarantined", "error"))
