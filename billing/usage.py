"""What the legs of a month use of their account's bundles, kept right when a call comes late or changes."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Sum

from billing import ledger
from billing.bundling import Allowance, Key, Talk, allocate
from billing.ledger import Line
from billing.models import Bundle, BundleUse
from billing.tariffs import terms_of
from calls import bulk, partitions, periods
from calls.numbers import Number, normalise

Shares = dict[Key, dict[int, int]]


def lock(account_id: int) -> list[Bundle]:
    """The account's bundles, in the order of use. Needs a transaction: until its end nobody else shares them out.

    Taken before the locks on calls, so that of two that charge an account with bundles one waits for the other here.
    """
    bundles = Bundle.objects.filter(account=account_id).order_by("position", "id")
    return list(bundles.select_for_update(no_key=True))


def share(
    account_id: int, bundles: Iterable[Bundle], zone: ZoneInfo, lines: Iterable[Line]
) -> list[Line]:
    """Say what bundles pay of each of these legs, and write down what is used.

    Returns the charged legs of other calls that pay another part themselves now: those that follow in the month, each
    by the terms that it has.
    """
    by_month: dict[date, list[Line]] = defaultdict(list)
    for line in lines:
        by_month[line.answered_at.astimezone(zone).date().replace(day=1)].append(line)
    return [
        follower
        for month, own in by_month.items()
        for follower in _share_month(account_id, _allowances(bundles, month), zone, month, own)
    ]


def left_for(
    account_id: int, zone: ZoneInfo, number: Number, seconds: int, at: datetime
) -> dict[int, int]:
    """What bundles would pay of a leg answered at this moment, were it the next: bundle id → seconds."""
    month = at.astimezone(zone).date().replace(day=1)
    bundles = Bundle.objects.filter(account=account_id).order_by("position", "id")
    place = (at, 0)
    used = _used_before(account_id, month, place)
    shares = allocate(_allowances(bundles, month), used, [Talk(place, number, seconds)])
    return shares.get(place, {})


def _allowances(bundles: Iterable[Bundle], month: date) -> list[Allowance]:
    return [
        Allowance(each.pk, each.name, each.seconds, frozenset(each.classes), tuple(each.prefixes))
        for each in bundles
        if each.holds_in(month)
    ]


def _share_month(
    account_id: int,
    allowances: list[Allowance],
    zone: ZoneInfo,
    month: date,
    own: list[Line],
) -> list[Line]:
    concerned = [line.key for line in own if _concerned(line, allowances)]
    if not concerned:
        return []
    first = min(concerned)
    others = _others(account_id, first, periods.month(month.year, month.month, zone).end, own)
    legs = [*own, *others]
    talks = [_talk(line) for line in legs if line.terms is not None and line.terms.takes_bundles]
    shares = allocate(allowances, _used_before(account_id, month, first), talks)
    before = _stored(account_id, month, first)
    for line in legs:
        line.bundles = shares.get(line.key, {})
    _store(account_id, month, before, shares)
    return [line for line in others if shares.get(line.key, {}) != before.get(line.key, {})]


def _concerned(line: Line, allowances: list[Allowance]) -> bool:
    """Whether the leg used a bundle or may use one now."""
    if line.old is not None and line.old.bundle_seconds:
        return True
    if line.terms is None or not line.terms.takes_bundles:
        return False
    number = normalise(line.number)
    return any(allowance.fits(number) for allowance in allowances)


def _others(account_id: int, first: Key, end: datetime, own: list[Line]) -> list[Line]:
    """The legs of other calls from this place in the order of answering on, by the terms that they have."""
    mine = {line.key for line in own}
    entries = [each for each in ledger.since(account_id, first, end) if each.key not in mine]
    terms = terms_of(entry.terms_id for entry in entries)
    return [Line.of(entry, terms[entry.terms_id]) for entry in entries]


def _talk(line: Line) -> Talk:
    return Talk(line.key, normalise(line.number), line.seconds)


def _used_before(account_id: int, month: date, first: Key) -> dict[int, int]:
    uses = BundleUse.objects.filter(
        account=account_id, month=month, pk__lt=(account_id, month, *first, 0)
    )
    return dict(uses.order_by().values_list("bundle_id").annotate(Sum("seconds")))


def _stored(account_id: int, month: date, first: Key) -> Shares:
    uses = BundleUse.objects.filter(
        account=account_id, month=month, pk__gte=(account_id, month, *first, 0)
    )
    shares: Shares = defaultdict(dict)
    for answered_at, charge_id, bundle_id, seconds in uses.values_list(
        "answered_at", "charge_id", "bundle_id", "seconds"
    ):
        shares[answered_at, charge_id][bundle_id] = seconds
    return dict(shares)


def _store(account_id: int, month: date, before: Shares, after: Shares) -> None:
    """Replace what is stored by what is used now; rows that are right stay untouched."""
    old, new = ({*_rows(account_id, month, shares)} for shares in (before, after))
    partitions.ensure(BundleUse._meta.db_table, [month])
    key = ["account_id", "month", "answered_at", "charge_id", "bundle_id"]
    bulk.delete([_use(row) for row in sorted(old - new)], key)
    BundleUse.objects.bulk_create([_use(row) for row in sorted(new - old)])


Row = tuple[int, date, datetime, int, int, int]


def _rows(account_id: int, month: date, shares: Shares) -> Iterable[Row]:
    for (answered_at, charge_id), share in shares.items():
        for bundle_id, seconds in share.items():
            yield account_id, month, answered_at, charge_id, bundle_id, seconds


def _use(row: Row) -> BundleUse:
    names = ("account_id", "month", "answered_at", "charge_id", "bundle_id", "seconds")
    return BundleUse(**dict(zip(names, row, strict=True)))
