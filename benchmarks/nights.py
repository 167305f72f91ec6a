"""All of 400 nights on a moved clock, each looked at table by table; the suite takes fewer of the ordinary ones.

./run bench nights
"""

import time
from collections.abc import Sequence

from benchmarks.support.stack import Stack
from calls.retention import purge
from tests.calls import nights


def main(running: Stack, arguments: Sequence[str]) -> int:
    firms = nights.firms()
    rows = sum(len(each.hours) for each in firms)
    print(f"{rows:,} calls of {len(firms)} firms", flush=True)
    # There is nobody whom the purge could disturb.
    purge.REST = 0
    began = time.monotonic()
    nights.check_nights(firms, nights.NIGHTS)
    print(f"{len(nights.NIGHTS)} nights right in {time.monotonic() - began:.0f} s")
    return 0
