"""How a call from outside goes on: menu, queue, ring group, forward, transfer, or nobody at all. Pure."""

from dataclasses import dataclass, field

from billing.demo.legs import CANCELLED, LOST_RACE, QUEUE, Incoming, Ring, incoming
from billing.demo.office import MINUTE, Office, Story
from billing.demo.people import Contact, Line, Way
from calls.ingest.records import Kind, Outcome

MENU = "play_and_get_digits"
VOICEMAIL = "voicemail"
# How a call ends that nobody takes: cause, outcome, shortest and longest ringing in seconds, weight.
UNANSWERED = (
    (CANCELLED, Outcome.CANCELLED, 6, 28, 50),
    ("NO_ANSWER", Outcome.NO_ANSWER, 30, 30, 20),
    ("NO_ANSWER", Outcome.VOICEMAIL, 25, 25, 24),
    ("CALL_REJECTED", Outcome.REJECTED, 2, 8, 6),
)
# How often nobody takes a call that one, two or more phones ring for.
MISSED = (0.3, 0.14, 0.08)


@dataclass(slots=True)
class Arrival:
    """An incoming call while it is being told: ``clock`` is how far its story has come."""

    office: Office
    line: Line
    caller: Contact
    hidden: bool
    began: int
    clock: int
    outcome: Outcome = Outcome.CLOSED
    people: list[str] = field(default_factory=list)
    rings: list[Ring] = field(default_factory=list)
    machines: list[str] = field(default_factory=list)
    picked_up: int = 0
    consulted: bool = False

    def machine(self, name: str) -> None:
        """An application of the PBX takes the call."""
        self.machines.append(name)
        self.picked_up = self.picked_up or self.clock

    def wait(self, least: float, most: float) -> None:
        self.clock += self.office.seconds(least, most)

    def connect(self, who: str, since: int, *, outside: bool = False) -> None:
        """Somebody who has rung ``since`` answers now and talks."""
        answered, self.clock = self.clock, self.clock + self.office.talk()
        self.rings.append(Ring(who, since, self.clock, answered, outside=outside))
        self.people.append(who)
        self.outcome = Outcome.ANSWERED
        if not outside:
            self.office.occupy(who, self.clock)

    def ring_in_vain(self, who: str, since: int, cause: str, *, outside: bool = False) -> None:
        self.rings.append(Ring(who, since, self.clock, cause=cause, outside=outside))

    def story(self) -> Story:
        call = Incoming(
            tenant=self.office.tenant,
            called=self.line.number,
            caller=self.caller,
            hidden=self.hidden,
            began=self.began,
            ended=self.clock,
            rings=tuple(self.rings),
            picked_up=self.picked_up,
            machines=tuple(self.machines),
            consulted=self.consulted,
        )
        legs = incoming(call, self.office.new_id)
        people = tuple(self.people)
        return Story(
            Kind.INCOMING, self.outcome, people, self.caller, self.clock, legs, self.hidden
        )


def call_in(office: Office, caller: Contact, began: int, *, is_open: bool) -> Story:
    """Somebody calls one of the firm's numbers."""
    lines = office.firm.lines
    line = office.rng.choices(lines, [line.share for line in lines])[0]
    arrival = Arrival(office, line, caller, office.chance(0.03), began, began)
    if is_open:
        WAYS[line.way](arrival)
        _perhaps_transfer(arrival)
    else:
        _after_hours(arrival)
    return arrival.story()


def _menu(call: Arrival) -> None:
    call.machine(MENU)
    call.wait(4, 22)
    if call.office.chance(0.08):
        call.outcome = Outcome.IVR_ABANDON
    elif call.office.chance(0.5):
        _queue(call)
    else:
        _group(call)


def _queue(call: Arrival) -> None:
    """The caller waits for the first free desk, as long as patience lasts."""
    call.machine(QUEUE)
    office, desks = call.office, call.line.desks
    patience = call.clock + office.seconds(30, 60) + int(office.rng.expovariate(1 / 2) * MINUTE)
    rung = max(call.clock, office.free_from(desks))
    free = office.free(desks, rung)
    answered = rung + (office.seconds(3, 16) if office.chance(0.93) else office.seconds(60, 400))
    if answered <= patience:
        call.clock = answered
        _answer_one(call, free, rung)
        return
    call.clock = patience
    call.outcome = Outcome.QUEUE_ABANDON
    if rung < patience:
        for desk in free:
            call.ring_in_vain(desk, rung, CANCELLED)


def _group(call: Arrival) -> None:
    """All free desks ring at once."""
    desks = call.office.free(call.line.desks, call.clock)
    if not desks:
        rung = call.clock
        call.wait(0.1, 0.4)
        call.ring_in_vain(call.line.desks[0], rung, "USER_BUSY")
        call.outcome = Outcome.BUSY
    elif call.office.chance(MISSED[min(len(desks), 3) - 1]):
        _unanswered(call, desks)
    else:
        rung = call.clock
        call.wait(3, 18)
        _answer_one(call, desks, rung)


def _forward(call: Arrival) -> None:
    """The desk rings first, then the mobile of whoever is out, on the firm's own account."""
    desk, rung = call.line.desks[0], call.clock
    if call.office.free(call.line.desks, rung):
        call.wait(4, 12)
        if call.office.chance(0.45):
            call.connect(desk, rung)
            return
        call.ring_in_vain(desk, rung, "NO_ANSWER")
    _ring_mobile(call)


def _ring_mobile(call: Arrival) -> None:
    mobile, rung = call.office.firm.mobile, call.clock
    call.wait(5, 20)
    if call.office.chance(0.75):
        call.connect(mobile, rung, outside=True)
    else:
        call.ring_in_vain(mobile, rung, CANCELLED, outside=True)
        call.outcome = Outcome.CANCELLED


def _answer_one(call: Arrival, desks: list[str], rung: int) -> None:
    """One of the desks wins, and the others stop ringing."""
    winner = call.office.rng.choice(desks)
    for desk in desks:
        if desk != winner:
            call.ring_in_vain(desk, rung, LOST_RACE)
    call.connect(winner, rung)


def _unanswered(call: Arrival, desks: list[str]) -> None:
    ways = [way for way in UNANSWERED if len(desks) == 1 or way[1] != Outcome.REJECTED]
    cause, outcome, least, most, _ = call.office.rng.choices(ways, [way[-1] for way in ways])[0]
    rung = call.clock
    call.wait(least, most)
    for desk in desks:
        call.ring_in_vain(desk, rung, cause)
    if outcome == Outcome.VOICEMAIL:
        call.machine(VOICEMAIL)
        call.wait(8, 50)
    call.outcome = outcome


def _perhaps_transfer(call: Arrival) -> None:
    """Some calls that a desk took go on to a colleague: straight away, or after a question."""
    if not call.people or call.rings[-1].outside or QUEUE in call.machines:
        return
    first = call.rings[-1]
    colleague = call.office.colleague(call.clock, first.who)
    if colleague is None or not call.office.chance(0.12):
        return
    if call.office.chance(0.35):
        _ask_and_put_through(call, first, colleague)
    else:
        rung = call.clock
        call.wait(2, 9)
        call.connect(colleague, rung)


def _ask_and_put_through(call: Arrival, first: Ring, colleague: str) -> None:
    handed_over = call.clock
    rung = max(first.answered, handed_over - call.office.seconds(15, 40))
    call.clock = handed_over + call.office.talk()
    call.rings.append(Ring(colleague, rung, call.clock, (rung + handed_over) // 2))
    call.people.append(colleague)
    call.office.occupy(colleague, call.clock)
    call.consulted = True


def _after_hours(call: Arrival) -> None:
    if call.line.way == Way.FORWARD and call.office.chance(0.5):
        _ring_mobile(call)
        return
    call.machine("playback")
    call.wait(5, 25)
    if call.office.chance(0.3):
        call.machine(VOICEMAIL)
        call.wait(8, 50)
        call.outcome = Outcome.VOICEMAIL


WAYS = {Way.MENU: _menu, Way.QUEUE: _queue, Way.GROUP: _group, Way.FORWARD: _forward}
