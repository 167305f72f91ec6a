"""What an account spent: sums of what its calls cost, by the same definitions as the lists that they link to."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import CharField, DateTimeField, Func, Sum
from django.db.models.functions import Trunc

from accounts.models import Account
from billing import habit
from calls import periods
from calls.models import Call
from calls.periods import Period
from calls.querysets import CallQuerySet

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Spending:
    """By local day, and by day the dearest hour of it."""

    days: dict[date, Decimal]
    hours: dict[date, Decimal]
    by_hour: dict[datetime, Decimal]


def by_direction(calls: CallQuerySet) -> dict[str, Decimal]:
    """What calls of each class cost, the dearest first, without those that cost nothing."""
    sums = _priced(calls).values_list("direction").annotate(sum=Sum("cost"))
    return {direction: cost for direction, cost in sums.order_by("-sum", "direction") if cost}


def by_extension(calls: CallQuerySet) -> dict[str, Decimal]:
    """What the calls cost in which each extension took part, as the filter of the list means it.

    A call of two extensions counts for both: the sums need not add up.
    """
    each = Func("extensions", function="unnest", output_field=CharField())
    sums = _priced(calls).annotate(desk=each).values_list("desk").annotate(sum=Sum("cost"))
    return {desk: cost for desk, cost in sums.order_by("-sum", "desk") if cost}


def total(calls: CallQuerySet) -> Decimal:
    return _priced(calls).aggregate(sum=Sum("cost"))["sum"] or NOTHING


def spending(account: Account, now: datetime) -> Spending:
    """Of today and of the weeks that a habit is made of."""
    today = now.astimezone(account.tz).date()
    period = periods.span(today - habit.HISTORY, today, account.tz)
    calls = _priced(Call.objects.filter(account=account).between(period))
    hour = Trunc("started_at", "hour", tzinfo=account.tz, output_field=DateTimeField())
    sums = calls.annotate(hour=hour).values_list("hour").annotate(sum=Sum("cost"))
    return _spending(dict(sums), account.tz)


def first_day(account: Account) -> date | None:
    """The day of the oldest call that is kept."""
    oldest = Call.objects.filter(account=account).order_by("started_at")
    began = oldest.values_list("started_at", flat=True).first()
    return began.astimezone(account.tz).date() if began else None


def known_days(account: Account, now: datetime) -> list[date]:
    """The days that tell of the account's habit; see ``habit.known_days``."""
    first = first_day(account)
    return habit.known_days(first, now.astimezone(account.tz).date()) if first else []


def month_of(now: datetime, zone: ZoneInfo) -> Period:
    return periods.preset("this_month", now, zone)


def forecast(account: Account, spent_this_month: Decimal, now: datetime) -> Decimal | None:
    """What the month will have cost at its end; None while the history is too short to say."""
    local = now.astimezone(account.tz).date()
    last = (month_of(now, account.tz).end.astimezone(account.tz)).date()
    days = spending(account, now).days
    coming = habit.forecast(days, known_days(account, now), local, _day_before(last))
    if coming is None:
        return None
    return spent_this_month - days.get(local, NOTHING) + coming


def _priced(calls: CallQuerySet) -> CallQuerySet:
    return calls.order_by().filter(cost__isnull=False)


def _day_before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def _spending(by_hour: dict[datetime, Decimal], zone: ZoneInfo) -> Spending:
    days: dict[date, Decimal] = {}
    hours: dict[date, Decimal] = {}
    for hour, cost in by_hour.items():
        day = hour.astimezone(zone).date()
        days[day] = days.get(day, NOTHING) + cost
        hours[day] = max(hours.get(day, NOTHING), cost)
    return Spending(days, hours, by_hour)
