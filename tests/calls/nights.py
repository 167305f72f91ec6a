"""400 nights on a moved clock, for tests/calls/test_nights.py and benchmarks/nights.py.

Firms in three zones have a call every hour for more than two years, and one keeps its calls for 10 days. The nights lie
so that the clocks' changes of two years, a 29 February and a New Year fall among them, as nights and as days that go.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Min

from accounts.models import Account
from billing.models import Charge
from calls import partitions
from calls.ingest.records import micros
from calls.models import (
    Call,
    CallGroup,
    InboxRecord,
    LegLink,
    LegRecord,
    MovedCall,
    Pbx,
    PurgeAlarm,
    Receipt,
    UnpricedCall,
)
from calls.retention import purge

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
NIGHTS = [date(2028, 2, 1) + timedelta(days=number) for number in range(400)]
BEGIN, END = datetime(2027, 1, 25, tzinfo=UTC), datetime(2029, 3, 12, tzinfo=UTC)
HOURS = [BEGIN + n * HOUR for n in range((END - BEGIN) // HOUR)]
FIRMS = {
    "Europe/Warsaw": 365,
    "America/New_York": 365,
    "Australia/Lord_Howe": 365,
    "Asia/Kathmandu": 10,
}
WARSAW = ZoneInfo("Europe/Warsaw")
# At that hour of UTC the night of everywhere is over.
EVENING = time(15, 0)
# Around these, each zone's night is taken by itself, when its hour has come.
SPECIAL = [
    *(date(2028, 2, 29), date(2028, 3, 1), date(2028, 3, 12), date(2028, 3, 26)),
    *(date(2028, 4, 2), date(2028, 10, 1), date(2028, 10, 29), date(2028, 11, 5)),
    *(date(2029, 1, 1), date(2029, 2, 28), date(2029, 3, 1)),
]
MOMENTS = {
    Call: "started_at",
    Charge: "call_started_at",
    UnpricedCall: "started_at",
    MovedCall: "started_at",
}


@dataclass(frozen=True)
class Firm:
    account: Account
    hours: Sequence[datetime]

    def cutoff(self, night: date) -> datetime:
        first = night - timedelta(days=self.account.retention_days)
        return datetime.combine(first, time.min, self.account.tz).astimezone(UTC)

    def kept(self, night: date) -> dict[str, tuple[int, datetime]]:
        """What each table has to hold after a night: how many rows, and the earliest of them."""
        there = self.hours[bisect_left(self.hours, self.cutoff(night)) :]
        return {model.__name__: (len(there), there[0]) for model in MOMENTS}


def found(firms: Sequence[Firm]) -> dict[int, dict[str, tuple[int, datetime]]]:
    """What the tables hold of each firm."""
    rows: dict[int, dict[str, tuple[int, datetime]]] = {firm.account.pk: {} for firm in firms}
    for model, moment in MOMENTS.items():
        told = model._base_manager.order_by().values_list("account_id")
        for account_id, *counted in told.annotate(Count("pk"), Min(moment)):
            rows[account_id][model.__name__] = tuple(counted)
    return rows


def fill(model: Any, rows: Iterable[Sequence[Any]], keys: Sequence[str], **alike: Any) -> None:
    """Rows of these columns, with others in which all are alike, by COPY."""
    names = ", ".join([*keys, *alike])
    values = tuple(alike.values())
    statement = f"COPY {model._meta.db_table} ({names}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row((*row, *values))


def firm(zone: str, days: int, pbx: Pbx, ids: "count[int]") -> Firm:
    slug = zone.rpartition("/")[2].lower().replace("_", "-")
    account = Account.objects.create(name=zone, slug=slug, time_zone=zone, retention_days=days)
    # Who keeps little has little to show, but all of the while in which the nights are.
    hours = HOURS if days == 365 else HOURS[-24 * (len(NIGHTS) + 60) :]
    calls = [(account.pk, began, next(ids)) for began in hours]
    fill(Call, calls, ["account_id", "started_at", "id"], pbx_id=pbx.pk, **CALL)
    charges = [(a, began + SECOND, pk, began, pk) for a, began, pk in calls]
    key = ["account_id", "answered_at", "id", "call_started_at", "call_id"]
    fill(Charge, charges, key, **CHARGE)
    key = ["account_id", "started_at", "call_id"]
    fill(UnpricedCall, calls, key, no_rate=False)
    moved = [(*call, began + SECOND) for call, began in zip(calls, hours, strict=True)]
    fill(MovedCall, moved, [*key, "new_started_at"], new_account_id=account.pk, new_call_id=1)
    fill_legs(pbx, calls[::24])
    return Firm(account, hours)


CALL: dict[str, Any] = {
    **{"kind": "incoming", "outcome": "answered", "direction": "mobile", "extension": "101"},
    **{"missed": False, "provisional": False, "estimated": False, "hidden": False},
    **{"extensions": "{101}", "peer": "+48501234567", "peer_name": "", "own_number": ""},
    **{"people": "{101}", "wait_s": 5, "talk_s": 60, "paid": "[]", "legs": "[]"},
    "charging": "free",
}
CHARGE: dict[str, Any] = {
    **{"number": "+48501234567", "seconds": 1, "estimated": False, "amount": 1},
    **{"bundle_seconds": 0, "currency": "PLN", "terms_id": 1, "charged_at": BEGIN},
}


def fill_legs(pbx: Pbx, calls: Sequence[tuple[int, datetime, int]]) -> None:
    """The kept leg and the raw record of each call."""
    key = ["id", "account_id", "started_at", "call_id", "touched_at"]
    fill(CallGroup, [(pk, a, began, pk, began) for a, began, pk in calls], key, pbx_id=pbx.pk)
    legs = [
        (
            str(pk),
            pk,
            json.dumps({"key": str(pk), "span": [micros(began)] * 2, "links": [f"l{pk}"]}),
        )
        for _, began, pk in calls
    ]
    fill(LegRecord, legs, ["key", "group_id", "data"], pbx_id=pbx.pk)
    links = [(f"l{pk}", str(pk)) for _, _, pk in calls]
    fill(LegLink, links, ["key", "leg_key"], pbx_id=pbx.pk, since=0, until=1)
    records = [(str(pk), str(pk).encode(), began, began) for _, began, pk in calls]
    columns = ["leg_key", "digest", "received_at", "started_at"]
    alike = {
        "pbx_id": pbx.pk,
        "state": "folded",
        "reason": "",
        "message": "",
        "layout": "",
        "called": "",
        "tenants": "{}",
    }
    fill(InboxRecord, records, columns, body=b"raw", **alike)


def firms() -> list[Firm]:
    """The firms with all their rows. Needs the tables to be empty."""
    pbx = Pbx.objects.create(name="pbx", source="freeswitch-json")
    months = {partitions.month_of(hour) for hour in HOURS}
    for model in (Call, Charge):
        partitions.ensure(model._meta.db_table, months)
    ids = count(1)
    return [firm(zone, days, pbx, ids) for zone, days in FIRMS.items()]


def instants(night: date, firms: Sequence[Firm]) -> list[tuple[datetime, Sequence[Firm]]]:
    """When the purge is run for a night, and whose night is then over."""
    if not is_special(night):
        return [(datetime.combine(night, EVENING, UTC), firms)]
    hours = (
        (datetime.combine(night, time(3, 31), each.account.tz).astimezone(UTC), [each])
        for each in firms
    )
    return sorted(hours, key=lambda each: each[0])


def night_of(now: datetime, firm: Firm) -> date:
    return (now.astimezone(firm.account.tz) - timedelta(hours=3, minutes=30)).date()


def is_special(night: date) -> bool:
    return any(abs(night - day) <= DAY for day in SPECIAL)


def check_nights(firms: Sequence[Firm], nights: Sequence[date]) -> None:
    """Run the purge for each of these nights, and look at every table after each. Raises AssertionError."""
    for night in nights:
        for now, over in instants(night, firms):
            purge.run(now, database=now)
            if firms[0] in over:
                nobodys = now
            there = found(firms)
            for each in over:
                assert there[each.account.pk] == each.kept(night_of(now, each)), (now, each)
            assert min(partitions.existing("calls_call")) == oldest_month(now, firms)
            assert min(partitions.existing("billing_charge")) == oldest_month(now, firms)
        check_what_has_no_account(now, nobodys, firms)
    check_receipts(firms, there, nights)


def oldest_month(now: datetime, firms: Sequence[Firm]) -> date:
    return min(each.cutoff(night_of(now, each)) for each in firms).date().replace(day=1)


def check_what_has_no_account(now: datetime, nobodys: datetime, firms: Sequence[Firm]) -> None:
    """Raw records go after 14 whole days, legs after 35 days, and both no later than their call."""
    day = nobodys.astimezone(WARSAW).date() - timedelta(days=14)
    fortnight = datetime.combine(day, time.min, WARSAW)
    records = legs = 0
    for each in firms:
        kept = [hour for hour in each.hours[::24] if hour >= each.cutoff(night_of(now, each))]
        records += sum(hour >= fortnight for hour in kept)
        legs += sum(hour >= nobodys - timedelta(days=35) for hour in kept)
    tables = (InboxRecord, CallGroup, LegRecord, LegLink)
    found = {table.__name__: table._base_manager.count() for table in tables}
    assert found == {
        "InboxRecord": records,
        "CallGroup": legs,
        "LegRecord": legs,
        "LegLink": legs,
    }, now


def check_receipts(firms: Sequence[Firm], there: Any, nights: Sequence[date]) -> None:
    for each in firms:
        receipts = Receipt.objects.filter(account=each.account)
        gone = len(each.hours) - there[each.account.pk]["Call"][0]
        for label in ("calls.Call", "billing.Charge", "calls.MovedCall", "calls.UnpricedCall"):
            assert sum(receipt.counts.get(label, 0) for receipt in receipts) == gone
        finished = receipts.filter(finished_at__isnull=False)
        assert set(nights) <= set(finished.values_list("night", flat=True))
    assert Receipt.objects.exclude(left={}).count() == 0
    assert PurgeAlarm.objects.count() == 0
