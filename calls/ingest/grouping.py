"""Which legs belong to one call: connected components over the names that legs share. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from calls.ingest.records import Leg, Link


def components(legs: Iterable[Leg]) -> list[list[Leg]]:
    """Legs that are linked directly or through others, each call a list in the order of its beginnings."""
    by_key = {leg.key: leg for leg in legs}
    roots = {key: key for key in by_key}
    holders: dict[str, list[tuple[Link, str]]] = defaultdict(list)
    for leg in by_key.values():
        for link in leg.links:
            for other, holder in holders[link.key]:
                if link.meets(other):
                    _join(roots, leg.key, holder)
            holders[link.key].append((link, leg.key))
    groups: dict[str, list[Leg]] = defaultdict(list)
    for key, leg in by_key.items():
        groups[_root(roots, key)].append(leg)
    return [sorted(group, key=lambda leg: (leg.started, leg.key)) for group in groups.values()]


def _root(roots: dict[str, str], key: str) -> str:
    while roots[key] != key:
        roots[key] = key = roots[roots[key]]
    return key


def _join(roots: dict[str, str], one: str, other: str) -> None:
    roots[_root(roots, one)] = _root(roots, other)
