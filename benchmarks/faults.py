"""Records are sent while everything is killed at random, again and again: nothing may be lost or doubled.

FreeSWITCH's records are posted, and tried again as FreeSWITCH does; what it gives up on becomes a fallback file, which
is imported. Asterisk's are lines of a growing Master.csv that is followed. Web, workers, scheduler, follower, Valkey
(with its data and without them) and PostgreSQL are killed with -9 and started again. At the end every record must be
accounted for, and calls and charges must be those of an undisturbed delivery.

    ./run bench faults [RECORDS [SEED]]
"""

import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path

from django.db import connection

from benchmarks.support import feeds
from benchmarks.support.stack import Stack, until

RECORDS = 20_000
# As FreeSWITCH does it with retries=2, only that it waits for whole seconds.
ATTEMPTS, DELAY = 3, 0.3
SENDERS = 6
VICTIMS = ["web", "worker", "beat", "follower", "valkey", "valkey without its data", "postgres"]


@dataclass(frozen=True)
class Result:
    """What became of the records: how many were sent, which way, and what is there now."""

    posted: int
    acknowledged: int
    given_up: int
    followed: int
    kills: dict[str, int]
    states: dict[str, int]
    calls: int
    charges: int
    same_calls: bool
    same_charges: bool

    @property
    def is_right(self) -> bool:
        """Every record is there once and was worked off, and calls and charges are those of a calm day."""
        return (
            self.acknowledged + self.given_up == self.posted
            and sum(self.states.values()) == self.posted + self.followed
            and "pending" not in self.states
            and self.same_calls
            and self.same_charges
        )


class Sender:
    """FreeSWITCH: posts a record, tries again, and gives up with a file."""

    def __init__(self, stack: Stack, path: str, fallback: Path) -> None:
        self.stack, self.path, self.fallback = stack, path, fallback
        self.fallback.mkdir()

    def send(self, number: int, body: bytes) -> bool:
        """Whether the record was acknowledged; if not, it is in a file."""
        for _ in range(ATTEMPTS):
            with suppress(OSError, HTTPException):
                if self.stack.ask("POST", self.path, body) // 100 == 2:
                    return True
            time.sleep(DELAY)
        (self.fallback / f"{number}.cdr.json").write_bytes(body)
        return False


def disturb(stack: Stack, chance: random.Random) -> str:
    """Kill one of all, and start it again a little later."""
    victim = chance.choice(VICTIMS)
    name = victim.split()[0]
    stack.kill(name)
    if victim != name:
        shutil.rmtree(stack.folder / "valkey")
    time.sleep(chance.uniform(0, 1.5))
    stack.start(name)
    return victim


def run(running: Stack, records: int, chance: random.Random) -> Result:
    plant = feeds.plant()
    master = running.folder / "Master.csv"
    running.commands["follower"] = feeds.follower(plant, master)
    bodies = feeds.freeswitch_bodies(records // 2)
    lines = feeds.asterisk_lines(records - len(bodies))
    order = chance.sample(range(len(bodies)), len(bodies))
    running.start("web", "worker", "beat", "follower")
    until(running.answers)
    sender = Sender(running, plant.freeswitch_path, running.folder / "fallback")
    kills: Counter[str] = Counter()
    with ThreadPoolExecutor(SENDERS) as threads:
        sent = [threads.submit(sender.send, number, bodies[number]) for number in order]
        written = 0
        while written < len(lines) or not all(each.done() for each in sent):
            # The file grows with what is posted, by half lines too.
            share = sum(each.done() for each in sent) / len(sent)
            written += _write(master, lines, written, int(share * len(lines)))
            time.sleep(chance.uniform(0.2, 1))
            kills[disturb(running, chance)] += 1
    acknowledged = sum(each.result() for each in sent)
    files = sorted(sender.fallback.iterdir())
    if files:
        running.manage("import_cdr", "--pbx", plant.freeswitch.name, *files)
    # Ours was cut as well.
    connection.close()
    until(lambda: feeds.settled(records))
    feeds.settle()
    disturbed, states = feeds.rows(), feeds.states()
    running.kill("web", "worker", "beat", "follower")
    feeds.deliver_undisturbed(plant, bodies, lines)
    calm = feeds.rows()
    return Result(
        posted=len(bodies),
        acknowledged=acknowledged,
        given_up=len(files),
        followed=len(lines),
        kills=dict(kills),
        states=states,
        calls=len(disturbed.calls),
        charges=len(disturbed.charges),
        same_calls=disturbed.calls == calm.calls,
        same_charges=disturbed.charges == calm.charges,
    )


def _write(master: Path, lines: Sequence[bytes], begin: int, end: int) -> int:
    """Append these lines, the last one in two pieces; returns their number."""
    text = b"".join(line + b"\n" for line in lines[begin:end])
    for piece in (text[:-40], text[-40:]):
        with master.open("ab") as file:
            file.write(piece)
        time.sleep(0.05)
    return end - begin


def main(running: Stack, arguments: Sequence[str]) -> int:
    records = int(arguments[0]) if arguments else RECORDS
    seed = int(arguments[1]) if arguments[1:] else random.SystemRandom().randrange(10_000)
    print(f"{records} records, seed {seed}", flush=True)
    result = run(running, records, random.Random(seed))  # noqa: S311
    print(json.dumps(asdict(result), indent=1))
    print("nothing lost, nothing doubled" if result.is_right else "NOT what was sent")
    return 0 if result.is_right else 1
