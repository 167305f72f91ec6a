"""JSON that FreeSWITCH broke itself, put together again.

With encode=true (and encode-values=true, which is the default) mod_json_cdr percent-encodes the values of the variables
and then the whole text, and the second time leaves every %XX alone. Undoing it once therefore undoes both, and the
quotes, backslashes and line breaks of the values stand bare in the JSON. Only ``variables`` suffers: what is before
and after it was never encoded twice.
"""

import json
import re
from typing import Any

BEGIN = '"variables":{"'
END = re.compile(r'"\},(?="(?:app_log|callflow)":[\[{])')
# Between a value and the next: the names of variables have neither quotes nor blanks.
NEXT = re.compile(r'","([^\s",:{}]{1,100})":"')
# What the callflow, which cannot be broken so, says too: the variable, which of its entries, and the name there.
CONFIRMED = (
    ("start_uepoch", -1, "created_time"),
    ("answer_uepoch", 0, "answered_time"),
    ("bridge_uepoch", 0, "bridged_time"),
    ("end_uepoch", 0, "hangup_time"),
)


def repaired(text: str) -> dict[str, Any] | None:
    """The record, or None where its parts, its id and its times are not beyond doubt.

    A value that looks like the beginning of another one (a caller may call himself so) makes a name twice, or
    contradicts the callflow: such a record is not guessed at.
    """
    head, _, rest = text.partition(BEGIN)
    above = _object(f'{head}"variables":{{}}}}')
    found = [
        (rest[: end.start()], tail)
        for end in END.finditer(rest)
        if (tail := _object("{" + rest[end.end() :])) is not None
    ]
    if above is None or len(found) != 1:
        return None
    written, below = found[0]
    variables = _variables(written)
    if variables is None or not _agrees(variables, below.get("callflow")):
        return None
    return {**above, "variables": variables, **below}


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _variables(written: str) -> dict[str, str] | None:
    """``name":"value","name":"value`` as a dict; None if a name comes twice."""
    first, _, rest = written.partition('":"')
    value, *others = NEXT.split(rest)
    names, values = [first, *others[::2]], [value, *others[1::2]]
    return dict(zip(names, values, strict=True)) if len(set(names)) == len(names) else None


def _agrees(variables: dict[str, str], callflow: Any) -> bool:
    try:
        uuids = {entry["caller_profile"]["uuid"] for entry in callflow}
        times = [callflow[entry]["times"][name] for _, entry, name in CONFIRMED]
    except (TypeError, KeyError, IndexError):
        return False
    return uuids == {variables.get("uuid")} and times == [
        variables.get(name) for name, _, _ in CONFIRMED
    ]
