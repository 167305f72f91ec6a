"""What the legs of a month use of their account's bundles, kept right when a call comes late or changes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Sum

from billing import ledger
from billing.bundling import Allowance, Key, Talk, allocate
from billing.lines import Line
from billing.models import Bundle, BundleUse
from billing.tariffs import terms_of
from calls import bulk, partitions, periods
from calls.numbers import Number, normalise

Shares = dict[Key, dict[int, int]]
Row = tuple[int, date, datetime, int, int, int]


def lock(account_id: int) -> list[Bundle]:
    """The account's bundles, in the order of use. Needs a transaction: until its end nobody else shares them out.

    Taken before the locks on calls, so that of two that charge an account with bundles one waits for the other here.
    """
    bundles = Bundle.objects.filter(account=account_id).order_by("position", "id")
    return list(bundles.select_for_update(no_key=True))


@dataclass(frozen=True, slots=True)
class Sharing:
    """How the bundles of a month are shared out from some leg on.

    ``followers``: the charged legs of other calls that pay another part themselves now, each by the terms that it has.
    """

    account_id: int
    month: date
    before: Shares
    after: Shares
    followers: list[Line]

    def store(self) -> None:
        """Replace what is stored by what is used now; rows that are right stay untouched."""
        old, new = (set(self._rows(shares)) for shares in (self.before, self.after))
        partitions.ensure(BundleUse._meta.db_table, [self.month])
        key = ["account_id", "month", "answered_at", "charge_id", "bundle_id"]
        bulk.delete([_use(row) for row in sorted(old - new)], key)
        BundleUse.objects.bulk_create([_use(row) for row in sorted(new - old)])

    def _rows(self, shares: Shares) -> Iterator[Row]:
        for (answered_at, charge_id), share in shares.items():
            for bundle_id, seconds in share.items():
                yield self.account_id, self.month, answered_at, charge_id, bundle_id, seconds


def share(
    account_id: int, bundles: Iterable[Bundle], zone: ZoneInfo, lines: Iterable[Line]
) -> list[Sharing]:
    """Say of each of these legs what bundles pay of it, and find out to which others that makes a difference."""
    by_month: dict[date, list[Line]] = defaultdict(list)
    for line in lines:
        by_month[month_of(line.leg.answered_at, zone)].append(line)
    shared = (
        _share_month(account_id, _allowances(bundles, month), zone, month, own)
        for month, own in by_month.items()
    )
    return [sharing for sharing in shared if sharing is not None]


def month_of(moment: datetime, zone: ZoneInfo) -> date:
    """The first day of the local month."""
    return moment.astimezone(zone).date().replace(day=1)


def left_for(
    account_id: int, zone: ZoneInfo, number: Number, seconds: int, at: datetime
) -> dict[int, int]:
    """What bundles would pay of a leg answered at this moment, were it the next: bundle id → seconds."""
    month = month_of(at, zone)
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
) -> Sharing | None:
    concerned = [line.leg.key for line in own if _concerned(line, allowances)]
    if not concerned:
        return None
    first = min(concerned)
    others = _others(account_id, first, periods.month(month.year, month.month, zone).end, own)
    legs = [*own, *others]
    talks = [_talk(line) for line in legs if line.terms is not None and line.terms.takes_bundles]
    shares = allocate(allowances, _used_before(account_id, month, first), talks)
    before = _stored(account_id, month, first)
    for line in legs:
        line.charge(line.terms, shares.get(line.leg.key, {}))
    followers = [line for line in others if line.changes]
    return Sharing(account_id, month, before, shares, followers)


def _concerned(line: Line, allowances: list[Allowance]) -> bool:
    """Whether the leg used a bundle or may use one now."""
    if line.old is not None and line.old.bundle_seconds:
        return True
    if line.terms is None or not line.terms.takes_bundles:
        return False
    number = normalise(line.leg.number)
    return any(allowance.fits(number) for allowance in allowances)


def _others(account_id: int, first: Key, end: datetime, own: list[Line]) -> list[Line]:
    """The legs of other calls from this place in the order of answering on, by the terms that they have."""
    mine = {line.leg.key for line in own}
    entries = map(ledger.entry, ledger.since(account_id, first, end))
    others = [entry for entry in entries if entry.key not in mine]
    terms = terms_of(entry.terms_id for entry in others)
    return [Line(entry, terms[entry.terms_id], entry) for entry in others]


def _talk(line: Line) -> Talk:
    return Talk(line.leg.key, normalise(line.leg.number), line.leg.seconds)


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


def _use(row: Row) -> BundleUse:
    names = ("account_id", "month", "answered_at", "charge_id", "bundle_id", "seconds")
    return BundleUse(**dict(zip(names, row, strict=True)))
