"""Folding: the legs of one phone call become one FoldedCall. Pure; one module per kind of PBX."""

from collections.abc import Callable, Sequence

from calls.ingest.folding import asterisk, freeswitch, mapped
from calls.ingest.records import FoldedCall, Leg, Switch

FOLDS: dict[str, Callable[[Sequence[Leg], Switch], FoldedCall]] = {
    "freeswitch-json": freeswitch.fold,
    "asterisk-csv": asterisk.fold,
    "csv": mapped.fold,
}


def fold(legs: Sequence[Leg], switch: Switch) -> FoldedCall:
    """The call that these legs, all of one component, make. Order does not matter; legs is not empty."""
    ordered = sorted(legs, key=lambda leg: (leg.started, leg.key))
    return FOLDS[switch.source](ordered, switch)
