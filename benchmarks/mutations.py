"""Ten thousand damaged records over the real view and the real pipeline: none an error, none lost, no other harmed.

./run bench mutations [RECORDS [SEED]]
"""

import time
from collections import Counter
from collections.abc import Sequence

import time_machine
from django.test import Client

from benchmarks.support.stack import Stack
from calls.models import InboxRecord
from tests.conftest import RECORDED
from tests.mutants import ACCOUNTED, Storm

RECORDS = 10_000
ANSWERS = {200, 400, 409, 413, 415}


def main(running: Stack, arguments: Sequence[str]) -> int:
    records, seed = (*map(int, arguments), *(RECORDS, 1)[len(arguments) :])
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    began = time.monotonic()
    with time_machine.travel(RECORDED, tick=False):
        storm = Storm(seed)
        while storm.damaged < records:
            storm.send(client)
        found = storm.accounts()
    reasons = Counter(InboxRecord.objects.exclude(reason="").values_list("state", "reason"))

    print(f"seed {seed}, {time.monotonic() - began:.0f} s")
    for name in ("damaged", "sound", "statuses", "stored", "rows", "states"):
        print(f"{name:>10}: {found[name]}")
    print(f"{'harmed':>10}: {len(found['harmed'])} of the sound ones")
    for (state, reason), count in reasons.most_common():
        print(f"{count:>10}  {state} {reason}")
    right = (
        set(found["statuses"]) <= ANSWERS
        and found["rows"] == found["stored"]
        and set(found["states"]) <= ACCOUNTED
        and not found["harmed"]
        and not reasons.get(("quarantined", "error"))
    )
    print("each accounted for" if right else "NOT each accounted for")
    return 0 if right else 1
