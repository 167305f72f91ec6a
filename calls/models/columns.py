"""The columns of another PBX's CSV, as the operator writes them: what is wrong is said before a record comes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from calls.ingest.columns import KINDS, NAMES

OPTIONS = ("time_format", "directions", "answers")
NEEDED = ("start", "caller", "called")
SAMPLE = datetime(2026, 11, 23, 4, 7, 44, tzinfo=UTC)


def validate_columns(data: Any) -> None:
    """Raises ValidationError with all that is wrong."""
    if not isinstance(data, dict):
        raise ValidationError(_('Write an object: {"start": "Start time", "caller": "From", …}.'))
    problems = [problem for check in CHECKS for problem in check(data)]
    if problems:
        raise ValidationError(problems)


def _problem(text: Any, **values: str) -> ValidationError:
    return ValidationError(text, params=values)


def _names(data: dict[str, Any]) -> list[ValidationError]:
    known = (*NAMES, *OPTIONS)
    unknown = [name for name in data if name not in known]
    text = _("%(name)s is not known here. Known are: %(known)s.")
    return [_problem(text, name=name, known=", ".join(known)) for name in unknown]


def _needed(data: dict[str, Any]) -> list[ValidationError]:
    missing = [name for name in NEEDED if name not in data]
    missing += [] if {"end", "duration"} & data.keys() else ["end / duration"]
    missing += [] if {"talk", "disposition"} & data.keys() else ["talk / disposition"]
    return [_problem(_("Say which column holds %(name)s."), name=name) for name in missing]


def _places(data: dict[str, Any]) -> list[ValidationError]:
    places = {name: data[name] for name in NAMES if name in data}
    text = _("%(name)s: write the column's header, or its number from 1.")
    problems = [_problem(text, name=name) for name, place in places.items() if not _is_place(place)]
    if not problems and len({type(place) for place in places.values()}) > 1:
        problems.append(_problem(_("Write headers only, or numbers only.")))
    return problems


def _is_place(place: Any) -> bool:
    if isinstance(place, str):
        return bool(place.strip())
    return isinstance(place, int) and not isinstance(place, bool) and 1 <= place <= 1000


def _time_format(data: dict[str, Any]) -> list[ValidationError]:
    written = data.get("time_format", "")
    try:
        read = datetime.strptime(SAMPLE.strftime(written), written) if written else SAMPLE
    except (TypeError, ValueError):
        read = None
    if read is not None and read.date() == SAMPLE.date() and read.hour == SAMPLE.hour:
        return []
    return [
        _problem(
            _(
                "time_format: write it like %(sample)s.",
            ),
            sample="%d/%m/%Y %H:%M:%S",
        )
    ]


def _directions(data: dict[str, Any]) -> list[ValidationError]:
    directions = data.get("directions", {})
    if isinstance(directions, dict) and all(kind in KINDS for kind in directions.values()):
        return []
    text = _(
        'directions: write what each value means, {"in": "incoming"}; the meanings are: %(kinds)s.'
    )
    return [_problem(text, kinds=", ".join(KINDS))]


def _answers(data: dict[str, Any]) -> list[ValidationError]:
    answers = data.get("answers", [])
    if isinstance(answers, list) and all(isinstance(word, str) for word in answers):
        return []
    return [_problem(_('answers: write a list of the dispositions of answered calls, ["ANSWER"].'))]


CHECKS: tuple[Callable[[dict[str, Any]], list[ValidationError]], ...] = (
    _names,
    _needed,
    _places,
    _time_format,
    _directions,
    _answers,
)
