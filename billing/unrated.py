"""Calls that wait for a price that nobody entered, by where they go: the operator's list of what is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.utils import timezone
from psycopg import sql

from accounts.models import Account
from billing.destinations import destination
from billing.models import AccountPriceList, Charge, PriceList
from calls.models import Call, UnpricedCall
from calls.numbers import Number, normalise

# A leg that is charged already is not what its call waits for.
LEGS = """
    SELECT entry.account_id, entry.reason, leg.number, count(*), sum(leg.seconds), min(call.started_at)
    FROM {queue} AS entry
    JOIN {calls} AS call ON call.account_id = entry.account_id
        AND call.started_at = entry.started_at AND call.id = entry.call_id
    CROSS JOIN LATERAL (
        SELECT leg.to AS number, leg.seconds, to_timestamp(leg.answered / 1000000)
            + (leg.answered % 1000000) * interval '1 microsecond' AS answered_at
        FROM jsonb_to_recordset(call.paid) AS leg ("to" text, seconds int, answered bigint)
    ) AS leg
    WHERE entry.no_rate AND (jsonb_array_length(call.paid) = 1 OR NOT EXISTS (
        SELECT FROM {charges} AS charge
        WHERE charge.account_id = entry.account_id AND charge.answered_at = leg.answered_at
            AND charge.call_started_at = call.started_at AND charge.call_id = call.id
            AND charge.number = leg.number
    ))
    GROUP BY entry.account_id, entry.reason, leg.number
"""


@dataclass(slots=True)
class Gap:
    """Legs to numbers of one beginning that wait for one reason. ``space`` '': no price list knows such numbers.

    ``lists``: price lists by which the accounts pay now.
    """

    reason: str
    space: str
    prefix: str
    legs: int = 0
    seconds: int = 0
    since: datetime | None = None
    account_ids: set[int] = field(default_factory=set)
    accounts: Sequence[Account] = ()
    lists: Sequence[PriceList] = ()

    @property
    def day(self) -> datetime | None:
        """The midnight before the oldest of them: from when on a rate helps all."""
        local = self.since and timezone.localtime(self.since, timezone.get_default_timezone())
        return local and local.replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def reason_name(self) -> str:
        return str(UnpricedCall.Reason(self.reason).label) if self.reason else ""


def gaps(now: datetime) -> list[Gap]:
    """What waits for a price, the most legs first."""
    found: dict[tuple[str, str, str], Gap] = {}
    for account_id, reason, number, legs, seconds, since in _legs():
        key = (reason, *beginning(normalise(number)))
        gap = found.setdefault(key, Gap(*key))
        gap.legs += legs
        gap.seconds += seconds
        gap.since = min(filter(None, (gap.since, since)))
        gap.account_ids.add(account_id)
    result = sorted(found.values(), key=lambda gap: (-gap.legs, gap.space, gap.prefix))
    _name_accounts(result, now)
    return result


def beginning(number: Number) -> tuple[str, str]:
    """Space and first digits by which numbers are put together: what one rate would be for.

    A premium range, a country with one more digit, the area code or the like of a Polish number.
    """
    digits = number.digits
    if number.space == "short":
        return "short", digits[:3]
    if digits.startswith("48"):
        return "e164", digits[:5] if destination(number) or digits[2] == "8" else digits[:4]
    place = destination(number)
    return number.space, digits[: len(place.replace(" ", ""))] if place else digits


def _legs() -> Iterable[tuple[int, str, str, int, int, datetime]]:
    statement = sql.SQL(LEGS).format(
        queue=sql.Identifier(UnpricedCall._meta.db_table),
        calls=sql.Identifier(Call._meta.db_table),
        charges=sql.Identifier(Charge._meta.db_table),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _name_accounts(found: Sequence[Gap], now: datetime) -> None:
    ids = {pk for gap in found for pk in gap.account_ids}
    accounts = Account.objects.in_bulk(ids)
    assigned = AccountPriceList.objects.filter(account__in=ids, since__lte=now)
    lists = {
        each.account_id: each.price_list
        for each in assigned.select_related("price_list").order_by("since")
    }
    for gap in found:
        mine = [accounts[pk] for pk in gap.account_ids if pk in accounts]
        gap.accounts = sorted(mine, key=lambda account: account.name)
        paid_by = {lists[pk].pk: lists[pk] for pk in gap.account_ids if pk in lists}
        gap.lists = sorted(paid_by.values(), key=lambda each: each.name)
