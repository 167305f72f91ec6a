"""The figures of an account's page of costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from accounts.models import Account
from billing import costs
from billing.models import Budget, PriceList, VatRate
from calls import periods
from calls.querysets import CallQuerySet


@dataclass(frozen=True, slots=True)
class Overview:
    """Sums of what the account pays in; ``forecast`` None while its history is too short.

    ``unpriced``: calls of the month that have no price yet. ``vat`` in percent, None where nobody entered it.
    """

    today: Decimal
    month: Decimal
    last_month: Decimal
    forecast: Decimal | None
    unpriced: int
    vat: Decimal | None
    by_direction: dict[str, Decimal]
    by_extension: dict[str, Decimal]

    def with_vat(self, basis: str) -> Decimal | None:
        """The month's net sum as gross, or its gross sum as net, to the grosz; None without a VAT rate."""
        if self.vat is None:
            return None
        factor = (100 + self.vat) / Decimal(100)
        other = self.month * factor if basis == PriceList.Basis.NET else self.month / factor
        return other.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Spent:
    """A budget and what of it is spent this month, also in whole percent, rounded down."""

    budget: Budget
    spent: Decimal

    @property
    def percent(self) -> int:
        return int(self.spent * 100 // self.budget.amount)


def overview(account: Account, calls: CallQuerySet, now: datetime) -> Overview:
    """``calls``: those of the account that the person may see."""
    zone = account.tz
    month = calls.between(costs.month_of(now, zone))
    totals = month.totals()
    return Overview(
        today=costs.total(calls.between(periods.preset("today", now, zone))),
        month=totals["cost"],
        last_month=costs.total(calls.between(periods.preset("last_month", now, zone))),
        forecast=costs.forecast(account, totals["cost"], now),
        unpriced=totals["unpriced"],
        vat=VatRate.of(account.pk, now.astimezone(zone).date()),
        by_direction=costs.by_direction(month),
        by_extension=costs.by_extension(month),
    )


def budgets_of(account: Account, figures: Overview) -> Sequence[Spent]:
    """The account's budgets with what is spent of them this month."""
    budgets = Budget.objects.filter(account=account).select_related("extension", "account")
    spent = {"": figures.month, **figures.by_extension}
    return [
        Spent(each, spent.get(each.extension.number if each.extension else "", costs.NOTHING))
        for each in budgets.order_by("extension__number", "pk")
    ]
