"""What an Asterisk sends: rows of calls (CDR) and, beside them, events of channels (CEL)."""

from calls.ingest.formats import asterisk_cel, asterisk_csv
from calls.ingest.records import Leg, Switch


def parse(body: bytes, layout: str, switch: Switch) -> Leg | None:
    """One row or one event as a leg; None for an event that tells nothing of use."""
    if asterisk_cel.is_event(body, layout):
        return asterisk_cel.parse(body, layout, switch)
    return asterisk_csv.parse(body, layout, switch)


def record_ids(body: bytes, layout: str, switch: Switch) -> str:
    """By what these records are told apart; '' for events, which go with rows of every kind."""
    if asterisk_cel.is_event(body, layout):
        return ""
    return asterisk_csv.record_ids(body, layout, switch)
