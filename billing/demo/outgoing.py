"""The calls that the firm's own people make, outside and among themselves. Pure."""

from billing.demo import people
from billing.demo.legs import CANCELLED, CLEARED, Dialled, internal, outgoing, service
from billing.demo.office import Office, Story
from billing.demo.people import Contact
from calls.ingest.records import Kind, Outcome

VOICEMAIL_BOX = "*98"
# How a dialled call ends: cause, outcome, shortest and longest ringing in seconds, weight.
ENDS = (
    (CLEARED, Outcome.ANSWERED, 4, 24, 74),
    ("NO_ANSWER", Outcome.NO_ANSWER, 28, 45, 12),
    (CANCELLED, Outcome.CANCELLED, 5, 25, 8),
    ("USER_BUSY", Outcome.BUSY, 0.3, 2, 5),
    ("NORMAL_TEMPORARY_FAILURE", Outcome.FAILED, 0.1, 1, 1),
)


def call_out(office: Office, contact: Contact, began: int) -> Story:
    """A desk rings somebody outside."""
    desk = office.anybody(began)
    call, outcome = _dial(office, desk, dialled(contact.number), began)
    failed_over = outcome == Outcome.ANSWERED and office.chance(0.01)
    shown = office.firm.lines[0].number
    legs = outgoing(call, office.new_id, to=contact.number, shown=shown, failed_over=failed_over)
    answered_by = (contact.number,) if call.answered else ()
    return Story(Kind.OUTGOING, outcome, answered_by, contact, call.ended, legs)


def call_somebody(office: Office, began: int) -> Story:
    """Mostly a customer; now and then a stranger, a service, or a place without a rate."""
    roll, firm, rng = office.rng.random(), office.firm, office.rng
    if roll < 0.005:
        contact = people.far_away(rng)
    elif roll < 0.03:
        contact = people.service(rng)
    elif roll < 0.2:
        contact = people.stranger(firm, rng)
    else:
        contact = office.somebody()
    return call_out(office, contact, began)


def call_colleague(office: Office, began: int) -> Story:
    """A desk rings another, or asks for its voice messages."""
    desk = office.anybody(began)
    called = office.colleague(began, desk)
    if called is None or office.chance(0.1):
        return _hear_messages(office, desk, began)
    call, outcome = _dial(office, desk, called, began)
    if call.answered:
        office.occupy(called, call.ended)
    answered_by = (called,) if call.answered else ()
    legs = internal(call, office.new_id)
    return Story(Kind.INTERNAL, outcome, answered_by, Contact(called), call.ended, legs)


def dialled(number: str) -> str:
    """As one dials it in Poland: without +48, and 00 instead of another country's +."""
    if number.startswith("+48"):
        return number[3:]
    return number.replace("+", "00")


def _dial(office: Office, desk: str, number: str, began: int) -> tuple[Dialled, Outcome]:
    rng = office.rng
    cause, outcome, least, most, _ = rng.choices(ENDS, [end[-1] for end in ENDS])[0]
    rung = began + office.seconds(least, most)
    answered = rung if outcome == Outcome.ANSWERED else 0
    ended = rung + office.talk() if answered else rung
    office.occupy(desk, ended)
    return Dialled(office.tenant, desk, number, began, ended, answered, cause), outcome


def _hear_messages(office: Office, desk: str, began: int) -> Story:
    ended = began + office.seconds(10, 90)
    office.occupy(desk, ended)
    call = Dialled(office.tenant, desk, VOICEMAIL_BOX, began, ended, answered=began)
    legs = service(call, "voicemail", office.new_id)
    return Story(Kind.INTERNAL, Outcome.SERVICE, (), Contact(VOICEMAIL_BOX), ended, legs)
