"""A firm's year of calls, one after the other; the same seed and the same present tell the same year. Pure."""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from billing.demo import legs
from billing.demo.incoming import call_in
from billing.demo.legs import Dialled, Incoming, Ring
from billing.demo.office import Office, Story
from billing.demo.outgoing import call_colleague, call_out, call_somebody, dialled
from billing.demo.people import Firm, stranger
from billing.demo.shapes import moments
from calls.ingest.records import SECOND, Kind, Outcome, micros

ZONE = ZoneInfo("Europe/Warsaw")


def year(firm: Firm, now: datetime, count: int, seed: int) -> Iterator[Story]:
    """About ``count`` calls of the 13 months before ``now``, in the order in which they began."""
    office = _office(firm, seed)
    for began, is_open in moments(firm.rhythm, now, ZONE, count, office.rng):
        story = _story(office, began, is_open=is_open)
        if story.ended < micros(now):
            yield story


def just_now(firm: Firm, now: datetime, seed: int) -> list[Story]:
    """Two calls that ended a moment ago and of which one record each is still on its way."""
    office = _office(firm, seed + 1)
    return [_with_lost_race(office, micros(now)), _with_failed_gateway(office, micros(now))]


def _office(firm: Firm, seed: int) -> Office:
    return Office(firm, Random(f"{seed} {firm.slug}"))  # noqa: S311 - no secret is made of it


def _story(office: Office, began: int, *, is_open: bool) -> Story:
    promise = office.due(began) if is_open else None
    if promise is None:
        story = _fresh_story(office, began, is_open=is_open)
    elif promise.by_us:
        story = call_out(office, promise.contact, began)
    else:
        story = call_in(office, promise.contact, began, is_open=True)
    rung_back_in_vain = bool(promise) and story.kind == Kind.OUTGOING and not story.people
    if rung_back_in_vain or (story.missed and not story.hidden):
        office.promise(story.peer, story.ended)
    return story


def _fresh_story(office: Office, began: int, *, is_open: bool) -> Story:
    roll = office.rng.random()
    if is_open and roll < 0.06:
        return call_colleague(office, began)
    if roll < (0.38 if is_open else 0.15):
        return call_somebody(office, began)
    unknown = office.chance(0.25)
    caller = stranger(office.firm, office.rng) if unknown else office.somebody()
    return call_in(office, caller, began, is_open=is_open)


def _with_lost_race(office: Office, now: int) -> Story:
    """A ring group, answered; the record of the phone that lost has not come yet."""
    caller = office.somebody()
    began, answered, ended = now - 190 * SECOND, now - 182 * SECOND, now - 25 * SECOND
    winner, loser = list(office.firm.desks)[:2]
    call = Incoming(
        tenant=office.tenant,
        called=office.firm.lines[0].number,
        caller=caller,
        hidden=False,
        began=began,
        ended=ended,
        rings=(
            Ring(winner, began, ended, answered),
            Ring(loser, began, answered, cause=legs.LOST_RACE),
        ),
    )
    came = legs.incoming(call, office.new_id)[:-1]
    return Story(Kind.INCOMING, Outcome.ANSWERED, (winner,), caller, ended, came)


def _with_failed_gateway(office: Office, now: int) -> Story:
    """An outgoing call by the second operator; the record of the attempt at the first has not come yet."""
    called = office.somebody()
    began, answered, ended = now - 95 * SECOND, now - 86 * SECOND, now - 12 * SECOND
    desk = list(office.firm.desks)[2]
    call = Dialled(office.tenant, desk, dialled(called.number), began, ended, answered)
    shown = office.firm.lines[0].number
    came = legs.outgoing(call, office.new_id, to=called.number, shown=shown, failed_over=True)[:-1]
    return Story(Kind.OUTGOING, Outcome.ANSWERED, (called.number,), called, ended, came)
