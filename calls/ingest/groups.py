"""Which legs belong together, kept in tables while late legs may still come."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Account
from calls import bulk
from calls.ingest.grouping import components
from calls.ingest.records import Leg, Link, moment
from calls.ingest.store import Reference
from calls.models import Call, CallGroup, LegLink, LegRecord, Pbx

LATE_WINDOW = timedelta(days=35)
DAY = timedelta(days=1)


@dataclass(slots=True)
class Group:
    """The legs of one call, its row, and where calls of these legs are stored until now.

    ``changed``: there is a leg, or news of a leg, that was not folded before.
    """

    row: CallGroup
    legs: list[Leg]
    references: list[Reference]
    changed: bool = False

    @property
    def tells_of_a_call(self) -> bool:
        return not all(leg.is_event for leg in self.legs)

    def refer_to(self, reference: Reference | None) -> None:
        self.row.account_id = reference.account_id if reference else None
        self.row.started_at = reference.started_at if reference else None
        self.row.call_id = reference.call_id if reference else None


def add(pbx: Pbx, legs: Sequence[Leg], now: datetime) -> list[Group]:
    """Record legs, known or new; returns the groups that they touch, joined where they have to be.

    The groups' own rows are written by ``save``, once it is known where their calls are.
    """
    if not legs:
        return []
    # A day more, because the clock of a PBX may be that far ahead of when its records came.
    forgotten = now - LATE_WINDOW + DAY
    _recall(pbx, [leg for leg in legs if moment(leg.ended) < forgotten], now)
    fresh = _unambiguous(legs)
    known = _linked_records(pbx, fresh.values())
    for record in known:
        fresh[record.key] = _preferred(fresh.get(record.key), record.leg)
    group_of = {record.key: record.group_id for record in known}
    stored = {record.key: record.leg for record in known}
    rows = CallGroup.objects.in_bulk(set(group_of.values()))
    joined = [
        _joined(pbx, component, [rows[pk] for pk in _groups_of(component, group_of)], now)
        for component in components(fresh.values())
    ]
    for group in joined:
        group.changed = any(stored.get(leg.key) != leg for leg in group.legs)
    _number([group.row for group in joined])
    _write(pbx, joined, stored)
    return joined


def load(rows: Iterable[CallGroup]) -> list[Group]:
    """Groups with their legs."""
    by_pk = {row.pk: row for row in rows}
    legs: dict[int, list[Leg]] = defaultdict(list)
    for record in LegRecord.objects.filter(group_id__in=by_pk):
        legs[record.group_id].append(record.leg)
    return [Group(row, legs[pk], _references([row])) for pk, row in by_pk.items()]


def save(rows: Sequence[CallGroup]) -> None:
    """Write the groups: where their calls are stored, and when they settle."""
    columns = ["pbx_id", "account_id", "started_at", "call_id", "settles_at", "touched_at"]
    values = [[getattr(row, name) for name in ("id", *columns)] for row in rows]
    bulk.upsert(CallGroup, ["id"], columns, values)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows went, and the ids of the legs that they were about."""

    groups: int
    links: int
    leg_keys: list[str]


def untouched_since(pbx: Pbx, moment_: datetime) -> QuerySet[CallGroup]:
    """Groups whose late window began before ``moment_`` and is over."""
    return CallGroup.objects.filter(pbx=pbx, touched_at__lt=moment_, settles_at__isnull=True)


def forget(pbx: Pbx, pks: Sequence[int]) -> Forgotten:
    """Forget these groups of a PBX with their legs. Needs the PBX's lock."""
    records = LegRecord.objects.filter(group_id__any_of=pks)
    legs = [record.leg for record in records]
    links = _forget_links(pbx, legs)
    records.delete()
    CallGroup.objects.filter(pk__any_of=pks).delete()
    return Forgotten(len(pks), links, [leg.key for leg in legs])


def rewrite(pbx: Pbx, group: Group, legs: Sequence[Leg]) -> None:
    """Put other legs, under the same ids, in the place of the group's own. Needs the PBX's lock."""
    _forget_links(pbx, group.legs)
    group.legs = list(legs)
    _write(pbx, [group], {})


def _forget_links(pbx: Pbx, legs: Sequence[Leg]) -> int:
    names = {link.key for leg in legs for link in leg.links}
    held = LegLink.objects.filter(pbx=pbx, key__any_of=names)
    return held.filter(leg_key__any_of=[leg.key for leg in legs]).delete()[0]


def _unambiguous(legs: Iterable[Leg]) -> dict[str, Leg]:
    found: dict[str, Leg] = {}
    for leg in legs:
        found[leg.key] = _preferred(found.get(leg.key), leg)
    return found


def _preferred(one: Leg | None, other: Leg) -> Leg:
    """Of two records under one id the one that counts, whichever came first: the later end, then any fixed order.

    It keeps the names that either held: what once belonged together must not fall apart again.
    """
    if one is None or one == other:
        return other
    chosen = max(
        one, other, key=lambda leg: (leg.ended, leg.started, repr(sorted(leg.facts.items())))
    )
    return replace(chosen, links=_united([*one.links, *other.links]))


def _united(links: Iterable[Link]) -> tuple[Link, ...]:
    """One link for each name, from when it was first held until it was last held."""
    held: dict[str, Link] = {}
    for link in links:
        same = held.get(link.key, link)
        since, until = min(link.since, same.since), max(link.until, same.until)
        held[link.key] = Link(link.key, since, until)
    return tuple(held[key] for key in sorted(held))


def _linked_records(pbx: Pbx, legs: Iterable[Leg]) -> list[LegRecord]:
    """The records of all groups that one of the legs is in, or is linked to."""
    by_key: dict[str, list[Link]] = defaultdict(list)
    keys = set()
    for leg in legs:
        keys.add(leg.key)
        for link in leg.links:
            by_key[link.key].append(link)
    held = LegLink.objects.filter(pbx=pbx, key__any_of=by_key)
    for leg_key, key, since, until in held.values_list("leg_key", "key", "since", "until"):
        if any(link.meets(Link(key, since, until)) for link in by_key[key]):
            keys.add(leg_key)
    touched = LegRecord.objects.filter(pbx=pbx, key__any_of=keys).values_list("group_id")
    return list(LegRecord.objects.filter(group_id__any_of={pk for (pk,) in touched}))


def _groups_of(legs: Iterable[Leg], group_of: dict[str, int]) -> list[int]:
    return sorted({group_of[leg.key] for leg in legs if leg.key in group_of})


def _joined(pbx: Pbx, legs: list[Leg], rows: list[CallGroup], now: datetime) -> Group:
    """One group of all these legs; the first of the groups that it joins lives on."""
    row = rows[0] if rows else CallGroup(pbx=pbx, touched_at=now)
    if len(rows) > 1:
        others = [other.pk for other in rows[1:]]
        LegRecord.objects.filter(group_id__in=others).update(group_id=row.pk)
        CallGroup.objects.filter(pk__in=others).delete()
    return Group(row, legs, _references(rows))


def _references(rows: Iterable[CallGroup]) -> list[Reference]:
    return [
        Reference(row.account_id, row.started_at, row.call_id)
        for row in rows
        if row.account_id is not None and row.started_at is not None and row.call_id is not None
    ]


def _number(rows: Iterable[CallGroup]) -> None:
    """Give the new groups their ids, so that they are written once, when everything is known of them."""
    new = [row for row in rows if row.pk is None]
    for row, pk in zip(new, bulk.next_ids(CallGroup, len(new)), strict=True):
        row.pk = pk


def _write(pbx: Pbx, found: Sequence[Group], stored: Mapping[str, Leg]) -> None:
    """Write the legs that are new, news, or in another group than before, and the links of the first two."""
    placed = [(leg, group.row.pk) for group in found for leg in group.legs]
    news = [(leg, pk) for leg, pk in placed if stored.get(leg.key) != leg]
    bulk.upsert(
        LegRecord,
        ["pbx_id", "key"],
        ["group_id", "data"],
        [(pbx.pk, leg.key, pk, json.dumps(leg.to_json())) for leg, pk in news],
    )
    bulk.upsert(
        LegLink,
        ["pbx_id", "key", "leg_key"],
        ["since", "until"],
        [
            (pbx.pk, link.key, leg.key, link.since, link.until)
            for leg, _ in news
            for link in leg.links
        ],
    )


def _days_around(legs: Sequence[Leg]) -> list[tuple[datetime, datetime]]:
    """From when until when calls of these legs may have begun: not the years between an old leg and an older one."""
    spans: list[tuple[datetime, datetime]] = []
    for leg in sorted(legs, key=lambda leg: leg.started):
        since, until = moment(leg.started) - DAY, moment(leg.ended) + DAY
        if spans and since <= spans[-1][1]:
            since, last = spans.pop()
            until = max(last, until)
        spans.append((since, until))
    return spans


def _recall(pbx: Pbx, legs: Sequence[Leg], now: datetime) -> None:
    """Bring back the groups of stored calls around legs so old that their groups were forgotten."""
    if not legs:
        return
    remembered = CallGroup.objects.filter(
        Q(pbx=pbx), started_at=OuterRef("started_at"), call_id=OuterRef("id")
    )
    near = (Q(started_at__gte=since, started_at__lte=until) for since, until in _days_around(legs))
    calls = Call.objects.filter(
        reduce(or_, near),
        ~Exists(remembered),
        # By account, because so begins the key of the calls; no other index knows a PBX.
        account__pk__any_of=list(Account.objects.values_list("pk", flat=True)),
        pbx=pbx,
    )
    found = []
    for call in calls.only("account", "started_at", "id", "legs"):
        row = CallGroup(
            pbx=pbx,
            account_id=call.account_id,
            started_at=call.started_at,
            call_id=call.id,
            touched_at=now,
        )
        found.append(Group(row, [Leg.from_json(data) for data in call.legs], _references([row])))
    _number([group.row for group in found])
    _write(pbx, found, {})
    save([group.row for group in found])
