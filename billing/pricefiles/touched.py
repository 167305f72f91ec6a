"""How many charged calls a change of past prices concerns. They keep their charges until they are rated again."""

from datetime import datetime

from django.db.models import Count, Q

from billing.models import AccountPriceList, Charge, PriceList
from billing.pricefiles.comparing import Comparison
from billing.pricefiles.content import Key
from calls.numbers import normalise


def charged_calls(price_list: PriceList, comparison: Comparison, now: datetime) -> int:
    """Charged legs to numbers whose price changes in the past, since the earliest change, of whoever has this list."""
    changed = {change.key: change.since for change in comparison.changes if change.since < now}
    if not changed:
        return 0
    mine = Q(price_list=price_list) | Q(price_list__base=price_list)
    accounts = AccountPriceList.objects.filter(mine).values_list("account", flat=True)
    charges = Charge.objects.filter(
        account__in=set(accounts), answered_at__gte=min(changed.values()), answered_at__lt=now
    )
    numbers = charges.order_by().values_list("number").annotate(Count("id"))
    keys = set(changed)
    return sum(count for number, count in numbers if _concerns(number, keys))


def _concerns(number: str, keys: set[Key]) -> bool:
    found = normalise(number)
    places = range(len(found.digits) + 1) if found.space else ()
    return any((found.space, found.digits[:length]) in keys for length in places)
