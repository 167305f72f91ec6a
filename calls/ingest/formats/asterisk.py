"""What an Asterisk sends: rows of calls (CDR) and, beside them, events of channels (CEL)."""

from collections.abc import Iterator

from calls.ingest.formats import asterisk_cel, asterisk_csv
from calls.ingest.records import Leg


def split(content: bytes) -> tuple[str, Iterator[bytes]]:
    """A file as its layout (the header line, '' where there is none) and its records, one raw line each."""
    layout, lines = asterisk_csv.split(content)
    if layout:
        return layout, lines
    return asterisk_cel.split(lines)


def parse(body: bytes, layout: str, zone: str) -> Leg | None:
    """One row or one event as a leg; None for an event that tells nothing of use."""
    if asterisk_cel.is_event(body, layout):
        return asterisk_cel.parse(body, layout, zone)
    return asterisk_csv.parse(body, layout, zone)


def record_ids(body: bytes, layout: str) -> str:
    """By what these records are told apart; '' for events, which go with rows of every kind."""
    return "" if asterisk_cel.is_event(body, layout) else asterisk_csv.record_ids(body, layout)
