"""Records through import, through a followed file and through HTTP, up to the visible, priced row.

The floor, measured in the same run: COPY of the very rows that come out into a bare table without an index.

    ./run bench ingest [RECORDS]
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection

from django.db import connection

from benchmarks.support import feeds
from benchmarks.support.stack import Stack, until
from calls.models import Call, InboxRecord

RECORDS = 20_000
SENDERS = 8
STEADY_RATE, STEADY_SECONDS = 200, 20


def main(running: Stack, arguments: Sequence[str]) -> int:
    records = int(arguments[0]) if arguments else RECORDS
    plant = feeds.plant()
    running.start("web", "worker", "beat")
    until(running.answers)
    if arguments[1:] == ["http"]:
        bodies = feeds.freeswitch_bodies(records // 2)
        measure("FreeSWITCH over HTTP", len(bodies), lambda: post(running, plant, bodies))
        return 0
    lines, bodies = feeds.asterisk_lines(records), feeds.freeswitch_bodies(records // 2)
    measure("import of one Master.csv", records, lambda: import_lines(running, plant, lines))
    floor()
    measure("the same again", records, lambda: import_lines(running, plant, lines))
    with emptied():
        measure("a followed Master.csv", records, lambda: follow(running, plant, lines))
    with emptied():
        measure("FreeSWITCH files", len(bodies), lambda: import_bodies(running, plant, bodies))
    with emptied():
        measure("FreeSWITCH over HTTP", len(bodies), lambda: post(running, plant, bodies))
    with emptied():
        steady(running, plant, bodies)
    return 0


def measure(name: str, records: int, work: Callable[[], None]) -> None:
    """Print how many records a second became visible, priced rows."""
    began = time.monotonic()
    work()
    until(lambda: feeds.settled(records))
    seconds = time.monotonic() - began
    print(f"{name:28}{records / seconds:9,.0f} records/s {seconds:8.1f} s", flush=True)


@contextmanager
def emptied() -> Iterator[None]:
    feeds.empty()
    yield


def floor() -> None:
    """COPY the calls that are there into a table of the same columns and nothing else."""
    with connection.cursor() as cursor:
        with cursor.copy("COPY (TABLE calls_call) TO STDOUT") as copy:
            rows = b"".join(bytes(piece) for piece in copy)
        cursor.execute("CREATE TABLE bare AS SELECT * FROM calls_call WITH NO DATA")
        began = time.monotonic()
        with cursor.copy("COPY bare FROM STDIN") as copy:
            copy.write(rows)
        seconds = time.monotonic() - began
        cursor.execute("DROP TABLE bare")
    calls = Call.objects.count()
    records = InboxRecord.objects.count()
    print(f"{'floor: COPY of its calls':28}{records / seconds:9,.0f} records/s {seconds:8.1f} s"
          f"   ({calls:,} rows)", flush=True)  # fmt: skip


def import_lines(running: Stack, plant: feeds.Plant, lines: Sequence[bytes]) -> None:
    file = running.folder / "import.csv"
    file.write_bytes(b"\n".join(lines))
    running.manage("import_cdr", "--pbx", plant.asterisk.name, file)


def import_bodies(running: Stack, plant: feeds.Plant, bodies: Sequence[bytes]) -> None:
    folder = running.folder / "files"
    folder.mkdir(exist_ok=True)
    for number, body in enumerate(bodies):
        (folder / f"{number}.cdr.json").write_bytes(body)
    running.manage("import_cdr", "--pbx", plant.freeswitch.name, *sorted(folder.iterdir()))


def follow(running: Stack, plant: feeds.Plant, lines: Sequence[bytes]) -> None:
    master = running.folder / "Master.csv"
    master.write_bytes(b"".join(line + b"\n" for line in lines))
    running.commands["follower"] = feeds.follower(plant, master)
    running.start("follower")


def post(running: Stack, plant: feeds.Plant, bodies: Sequence[bytes]) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        parts = [bodies[place::SENDERS] for place in range(SENDERS)]
        list(senders.map(lambda part: _post_all(running, plant.freeswitch_path, part), parts))
    seconds = time.monotonic() - began
    print(f"{'  acknowledged':28}{len(bodies) / seconds:9,.0f} records/s {seconds:8.1f} s")


def _post_all(running: Stack, path: str, bodies: Sequence[bytes]) -> None:
    client = HTTPConnection("127.0.0.1", running.web_port, timeout=60)
    for body in bodies:
        client.request("POST", path, body)
        response = client.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}")
    client.close()


def steady(running: Stack, plant: feeds.Plant, bodies: Sequence[bytes]) -> None:
    """Print how long after its acknowledgement a record is visible, while they come at an even pace."""
    wanted = list(bodies[: STEADY_RATE * STEADY_SECONDS])
    acknowledged: list[float] = []
    visible: list[float] = []
    with ThreadPoolExecutor(SENDERS + 1) as threads:
        watching = threads.submit(_watch, len(wanted), visible)
        began = time.monotonic()
        for number, body in enumerate(wanted):
            time.sleep(max(0.0, began + number / STEADY_RATE - time.monotonic()))
            threads.submit(_acknowledge, running, plant.freeswitch_path, body, acknowledged)
        watching.result()
    lags = sorted(then - sent for sent, then in zip(sorted(acknowledged), visible, strict=True))
    p99 = lags[int(len(lags) * 0.99)]
    print(f"at {STEADY_RATE} records/s: acknowledged → visible, median {statistics.median(lags):.2f} s,"
          f" p99 {p99:.2f} s, worst {lags[-1]:.2f} s")  # fmt: skip


def _acknowledge(running: Stack, path: str, body: bytes, times: list[float]) -> None:
    if running.ask("POST", path, body) != 200:
        raise RuntimeError("a record was not acknowledged")
    times.append(time.monotonic())


def _watch(count: int, visible: list[float]) -> None:
    """Note when the n-th record was worked off: they are folded in the order in which they came."""
    while len(visible) < count:
        done = InboxRecord.objects.exclude(state=InboxRecord.State.PENDING).count()
        visible += [time.monotonic()] * (done - len(visible))
        time.sleep(0.02)
    connection.close()
