"""A number in all the notations in which a PBX writes it, and legs and calls without it. Pure."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from calls.ingest.records import FoldedCall, Leg, Link, PaidLeg
from calls.masking import ERASED, erased
from calls.numbers import HIDDEN_DIGIT, normalise

# What stands before a number: a country's code, a prefix to get out, a carrier's.
PREFIX = r"(?<![0-9])[0-9]{0,4}"
# The second that an Asterisk's channel began may look like a number: 1795403337.12.
NO_TIME = r"(?![0-9])(?!\.[0-9])"
SEPARATOR = r"[ ()./-]{0,2}"
# The facts of a leg that hold a caller's name, by the kind of PBX.
NAMES = {"asterisk": ("name",), "freeswitch": ("caller_name",), "csv": ("name",)}
BLANKED = re.compile(f"[0-9]{HIDDEN_DIGIT}{{{ERASED}}}")
RUNS = re.compile(r"(?<![0-9])[0-9]{7,19}(?![0-9])")


@dataclass(frozen=True)
class Blank:
    """One E.164 number, in canonical form, and what is written in its place."""

    number: str

    @cached_property
    def digits(self) -> str:
        """The digits that stand in every notation: without a Polish country code."""
        return self.number.removeprefix("+48").removeprefix("+")

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        spaced = SEPARATOR.join(self.digits)
        return re.compile(f"({PREFIX}{SEPARATOR}){spaced}{NO_TIME}")

    @cached_property
    def instead(self) -> str:
        return erased(self.number)[-len(self.digits) :]

    def text(self, text: str) -> str:
        return self.pattern.sub(lambda found: found[1] + self.instead, text)

    def is_in(self, text: str) -> bool:
        return self.pattern.search(text) is not None


def numbers_in(legs: Sequence[Leg]) -> set[str]:
    """Every subscriber's number that the legs may speak of, in canonical form: each run of digits, and what is left of
    it without the digits that may stand before a number."""
    runs = {run for leg in legs for run in RUNS.findall(json.dumps(leg.facts))}
    readings = {run[start:] for run in runs for start in range(min(5, len(run) - 6))}
    return {number.text for number in map(normalise, readings) if number.is_e164}


def was_erased(legs: Sequence[Leg]) -> bool:
    """Whether a number was erased from one of the legs."""
    return any(BLANKED.search(json.dumps(leg.facts)) for leg in legs)


def leg_without(leg: Leg, blank: Blank) -> Leg:
    links = tuple(Link(blank.text(link.key), link.since, link.until) for link in leg.links)
    return replace(leg, links=links, facts=without(leg.facts, blank.text))


def nameless(leg: Leg, source: str) -> Leg:
    """The leg without the names of callers."""
    names = NAMES[source.partition("-")[0]]
    return replace(leg, facts={key: leg.facts[key] for key in leg.facts if key not in names})


def without(value: Any, text: Callable[[str], str]) -> Any:
    """Plain data, with each text in it as ``text`` makes it."""
    match value:
        case str():
            return text(value)
        case list():
            return [without(each, text) for each in value]
        case dict():
            return {key: without(each, text) for key, each in value.items()}
    return value


def call_without(call: FoldedCall, blank: Blank) -> FoldedCall:
    return replace(
        call,
        peer=blank.text(call.peer),
        people=tuple(map(blank.text, call.people)),
        extension=blank.text(call.extension),
        extensions=tuple(map(blank.text, call.extensions)),
        paid=tuple(paid_without(leg, blank) for leg in call.paid),
    )


def paid_without(leg: PaidLeg, blank: Blank) -> PaidLeg:
    # A card's channel is named after the number that it dialled, and the leg after the channel.
    return replace(leg, key=blank.text(leg.key), to=blank.text(leg.to))


def speaks_of(legs: Sequence[Leg], blank: Blank) -> bool:
    return any(blank.is_in(json.dumps(leg.to_json(), ensure_ascii=False)) for leg in legs)
