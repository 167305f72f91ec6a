"""Five times as many records as can be folded: the inbox takes them, the pages stay quick, the lag goes to zero.

./run bench overload [SECONDS]
"""

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection

from django.conf import settings
from django.test import Client

from accounts.models import Account, Membership, Role, User
from benchmarks.support import feeds
from benchmarks.support.stack import Stack, until
from calls.models import InboxRecord

SECONDS = 10
FACTOR = 5
# By these it is found out how many can be folded.
SAMPLE = 10_000
CALM_SECONDS = 10


def main(running: Stack, arguments: Sequence[str]) -> int:
    seconds = int(arguments[0]) if arguments else SECONDS
    plant = feeds.plant()
    cookie = sign_in(Account.objects.get(slug="acme"))
    running.manage("collectstatic", "--no-input", "-v0")
    running.start("web", "worker", "beat")
    until(running.answers)
    master = running.folder / "Master.csv"
    running.commands["follower"] = feeds.follower(plant, master)
    capacity = fold_capacity(running, SAMPLE)
    rate = FACTOR * capacity
    lines = feeds.asterisk_lines(SAMPLE + rate * seconds)
    print(f"folded and priced: {capacity:,} records/s; now {rate:,} records/s for {seconds} s")

    calm = Reader(running, cookie)
    time.sleep(CALM_SECONDS)
    calm.show("list, nothing else going on")
    busy = Reader(running, cookie)
    began = time.monotonic()
    with master.open("ab") as file:
        for second in range(seconds):
            part = lines[SAMPLE + rate * second : SAMPLE + rate * (second + 1)]
            file.write(b"".join(line + b"\n" for line in part))
            file.flush()
            time.sleep(max(0.0, began + second + 1 - time.monotonic()))
            print(f"  after {second + 1:3} s: {lag():8,} wait")
    busy.show("list, while they come in")
    after = Reader(running, cookie)
    until(lambda: feeds.settled(len(lines)), seconds=600)
    after.show("list, while the lag shrinks")
    print(f"lag 0 after {time.monotonic() - began:.0f} s; {feeds.states()}")
    # The list has many more calls by now: only this says what the others' work adds.
    again = Reader(running, cookie)
    time.sleep(CALM_SECONDS)
    again.show("list, all of them there, calm")
    return 0


def fold_capacity(running: Stack, records: int) -> int:
    """Records a second from a growing file to priced rows."""
    lines = feeds.asterisk_lines(records)
    master = running.folder / "Master.csv"
    master.write_bytes(b"".join(line + b"\n" for line in lines))
    began = time.monotonic()
    running.start("follower")
    until(lambda: feeds.settled(records))
    return int(records / (time.monotonic() - began))


def lag() -> int:
    return InboxRecord.objects.filter(state=InboxRecord.State.PENDING).count()


def sign_in(account: Account) -> str:
    """The cookie of an owner who is signed in."""
    user = User.objects.create_user("owner@acme.example", "pass")
    Membership.objects.create(account=account, user=user, role=Role.OWNER)
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@dataclass
class Reader:
    """Somebody who looks at the list again and again, and a clock beside them."""

    running: Stack
    cookie: str
    milliseconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self) -> None:
        client = HTTPConnection("127.0.0.1", self.running.web_port, timeout=60)
        while not self.stopping.wait(0.1):
            began = time.perf_counter()
            client.request("GET", "/accounts/acme/calls/", headers={"Cookie": self.cookie})
            response = client.getresponse()
            response.read()
            if response.status != 200:
                raise RuntimeError(f"the list answered {response.status}")
            self.milliseconds.append(1000 * (time.perf_counter() - began))

    def show(self, name: str) -> None:
        self.stopping.set()
        self.thread.join()
        p95 = sorted(self.milliseconds)[int(len(self.milliseconds) * 0.95)]
        median = statistics.median(self.milliseconds)
        print(f"{name:32} median {median:6.1f} ms   p95 {p95:6.1f} ms", flush=True)
