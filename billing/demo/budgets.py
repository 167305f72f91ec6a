"""Budgets of the demo's firm: one that the month keeps to, and one that a desk has nearly spent."""

from datetime import datetime
from decimal import ROUND_UP, Decimal

from accounts.models import Account
from billing import costs
from billing.models import Budget
from calls import periods
from calls.models import Call, Extension

NEARLY = Decimal("0.9")


def add(account: Account, now: datetime) -> None:
    """Amounts come out of what the firm spent, so that they fit a demo of any size, on any day."""
    calls = Call.objects.filter(account=account)
    last_month = costs.total(calls.between(periods.preset("last_month", now, account.tz)))
    Budget.objects.create(account=account, amount=_round(last_month * 2), created_at=now)
    by_desk = costs.by_extension(calls.between(costs.month_of(now, account.tz)))
    desk = Extension.objects.filter(account=account, number=next(iter(by_desk), "")).first()
    if desk is not None:
        amount = (by_desk[desk.number] / NEARLY).quantize(Decimal("0.01"), ROUND_UP)
        Budget.objects.create(account=account, extension=desk, amount=amount, created_at=now)


def _round(amount: Decimal) -> Decimal:
    """Up to whole tens, at least one."""
    return max(Decimal(10), (amount / 10).quantize(Decimal(1), ROUND_UP) * 10)
