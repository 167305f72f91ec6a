"""Watches what is charged, and says within minutes: a budget nearly or wholly spent, a first call to somewhere dear,
spending far above the usual.

Looks at what is in the database, never at what changed: a call that is charged again, a worker that is killed and
another that looks at the same moment find everything told already.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db import InterfaceError, OperationalError, transaction

from accounts.models import Account
from billing import costs, habit
from billing.costs import Spending
from billing.destinations import destination
from billing.models import Budget, Charge, CostWatch, Notice, SeenDestination
from calls import periods
from calls.models import Call
from calls.models.call import public_id
from calls.numbers import normalise
from calls.querysets import CallQuerySet

logger = logging.getLogger("callpanel.billing")

# Legs that were answered earlier are no news, whenever they were charged.
NEWS = timedelta(days=7)
UNUSUAL_NEWS = timedelta(days=1)
# A long run of charging writes for so long with the time at which it began.
OVERLAP = timedelta(hours=1)
# Of the calls behind a notice the dearest are named.
NAMED = 10
THRESHOLDS = (100, 80)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A charged leg that may be news."""

    started_at: datetime
    call_id: int
    charge_id: int
    number: str
    seconds: int
    amount: Decimal
    charged_at: datetime


def watch(now: datetime) -> int:
    """Look at all accounts; returns how many had something new."""
    for account in Account.objects.filter(is_active=True, cost_watch=None):
        CostWatch.objects.get_or_create(account=account)
    watches = CostWatch.objects.filter(account__is_active=True).select_related("account")
    return sum(_look(each, now) for each in watches.order_by("pk"))


def _look(watch: CostWatch, now: datetime) -> bool:
    """One account; what fails there does not keep the others from being looked at."""
    try:
        fresh = _fresh(watch, now)
        seen = _hash(fresh)
        if seen == watch.seen:
            return False
        with transaction.atomic():
            locked = CostWatch.objects.select_for_update().get(pk=watch.pk)
            locked.account = watch.account
            _tell(locked, fresh, now)
            CostWatch.objects.filter(pk=watch.pk).update(
                seen=seen, looked_until=now, remembers_since=locked.remembers_since or now
            )
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("watching the costs of account %d", watch.account_id)
        return False
    return True


def _fresh(watch: CostWatch, now: datetime) -> list[Fresh]:
    since = watch.looked_until - OVERLAP if watch.looked_until else now - NEWS
    charges = Charge.objects.filter(
        account=watch.account_id, answered_at__gte=now - NEWS, charged_at__gt=since
    )
    columns = ("call_started_at", "call_id", "id", "number", "seconds", "amount", "charged_at")
    return [Fresh(*row) for row in charges.order_by("answered_at", "id").values_list(*columns)]


def _hash(fresh: Iterable[Fresh]) -> int:
    """63 bits out of the charges: the same only where nothing was charged, or charged again, since."""
    text = repr([(each.charge_id, each.amount, each.charged_at) for each in fresh])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def _tell(watch: CostWatch, fresh: Sequence[Fresh], now: datetime) -> None:
    _tell_of_budgets(watch.account, fresh, now)
    _tell_of_first_calls(watch, fresh, now)
    recent = [each for each in fresh if each.started_at >= now - UNUSUAL_NEWS]
    if watch.unusual and recent:
        _tell_of_the_unusual(watch, recent, now)


def _tell_of_budgets(account: Account, fresh: Sequence[Fresh], now: datetime) -> None:
    budgets = list(
        Budget.objects.filter(account=account).select_related("extension").order_by("pk")
    )
    if not budgets:
        return
    zone = account.tz
    moments = [now, *(each.started_at for each in fresh)]
    for month in sorted({moment.astimezone(zone).date().replace(day=1) for moment in moments}):
        period = periods.month(month.year, month.month, zone)
        calls = Call.objects.filter(account=account).between(period)
        everything, by_desk = costs.total(calls), costs.by_extension(calls)
        for budget in budgets:
            if budget.created_at < period.end:
                number = budget.extension.number if budget.extension else ""
                spent = by_desk.get(number, costs.NOTHING) if number else everything
                _tell_of_budget(budget, month, spent, calls, now)


def _tell_of_budget(
    budget: Budget, month: date, spent: Decimal, calls: CallQuerySet, now: datetime
) -> None:
    """Of the thresholds that are reached the highest is told; the lower one counts as told with it."""
    reached = [each for each in THRESHOLDS if spent * 100 >= budget.amount * each]
    number = budget.extension.number if budget.extension else ""
    for place, threshold in enumerate(reached):
        facts = {
            "threshold": threshold,
            "amount": str(budget.amount),
            "spent": str(spent),
            "extension": number,
            "month": month.isoformat(),
            "calls": _dearest(calls.with_extension([number]) if number else calls),
        }
        emails = budget.emails(budget.account) if place == 0 else []
        key = f"budget:{budget.pk}:{month:%Y-%m}:{threshold}:{budget.amount}"
        Notice.tell(budget.account, key, Notice.Kind.BUDGET, facts, emails, now)


def _tell_of_first_calls(watch: CostWatch, fresh: Sequence[Fresh], now: datetime) -> None:
    account = watch.account
    if watch.remembers_since is None:
        numbers = Charge.objects.filter(account=account, seconds__gt=0).order_by()
        _remember(account, _destinations(numbers.values_list("number", flat=True).distinct()))
        return
    calls: dict[str, list[Fresh]] = defaultdict(list)
    for each in fresh:
        place = destination(normalise(each.number))
        if place and each.seconds:
            calls[place].append(each)
    known = SeenDestination.objects.filter(account=account, destination__in=calls)
    for place in sorted(calls.keys() - set(known.values_list("destination", flat=True))):
        facts = {"destination": place, "calls": _named(calls[place])}
        if watch.first_calls:
            emails = watch.emails(account)
            Notice.tell(account, f"first:{place}", Notice.Kind.FIRST_CALL, facts, emails, now)
        _remember(account, {place})


def _destinations(numbers: Iterable[str]) -> set[str]:
    found = (destination(normalise(number)) for number in numbers)
    return {place for place in found if place}


def _remember(account: Account, places: Iterable[str]) -> None:
    rows = [SeenDestination(account=account, destination=place) for place in sorted(places)]
    SeenDestination.objects.bulk_create(rows, ignore_conflicts=True)


def _tell_of_the_unusual(watch: CostWatch, recent: Sequence[Fresh], now: datetime) -> None:
    """The days and the hours of what was charged just now, by what is usual at such days."""
    account, zone = watch.account, watch.account.tz
    known = costs.known_days(account, now)
    spent = costs.spending(account, now)
    for day in sorted({each.started_at.astimezone(zone).date() for each in recent}):
        known_before = [each for each in known if each < day]
        of_day = habit.limit(spent.days, known_before, day, habit.LEAST_DAY)
        of_hour = habit.limit(spent.hours, known_before, day, habit.LEAST_HOUR)
        period = periods.day(day, zone)
        if of_day and spent.days.get(day, costs.NOTHING) > of_day.most:
            _tell_of_unusual(watch, "day", day, spent.days[day], of_day, period, now)
        hour = _dearest_hour(spent, day)
        if of_hour and hour and spent.by_hour[hour] > of_hour.most:
            within = periods.Period(
                hour.astimezone(UTC), (hour + timedelta(hours=1)).astimezone(UTC)
            )
            _tell_of_unusual(watch, "hour", day, spent.by_hour[hour], of_hour, within, now)


def _dearest_hour(spent: Spending, day: date) -> datetime | None:
    hours = [hour for hour in spent.by_hour if hour.date() == day]
    return max(hours, key=lambda hour: spent.by_hour[hour], default=None)


def _tell_of_unusual(
    watch: CostWatch,
    span: str,
    day: date,
    spent: Decimal,
    limit: habit.Limit,
    period: periods.Period,
    now: datetime,
) -> None:
    account = watch.account
    facts = {
        "span": span,
        "start": period.start.isoformat(),
        "spent": str(spent),
        "usual": str(limit.usual),
        "most": str(limit.most),
        "calls": _dearest(Call.objects.filter(account=account).between(period)),
    }
    key = f"unusual:{span}:{day.isoformat()}"
    Notice.tell(account, key, Notice.Kind.UNUSUAL, facts, watch.emails(account), now)


def _dearest(calls: CallQuerySet) -> list[str]:
    """The public ids of the calls that cost most."""
    dearest = calls.filter(cost__gt=0).order_by("-cost", "-started_at", "-id")
    return [public_id(*key) for key in dearest.values_list("started_at", "id")[:NAMED]]


def _named(fresh: Sequence[Fresh]) -> list[str]:
    calls = dict.fromkeys((each.started_at, each.call_id) for each in fresh)
    return [public_id(*key) for key in list(calls)[:NAMED]]
