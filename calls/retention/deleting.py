"""Rows that are too old, and deleting some of them: few enough that nobody waits noticeably."""

from datetime import UTC, date, datetime, time

from django.db.models import CompositePrimaryKey

from accounts.keeping import ForDays, OfAccount
from accounts.models import Account
from calls.retention.cutoffs import NOBODYS_ZONE, cutoff_on
from calls.retention.receipts import Deleted
from calls.retention.tables import Model, Rows

BATCH = 2000


def rows_of_account(model: Model, rule: OfAccount, account: Account, cutoff: datetime) -> Rows:
    """The account's rows from before the cutoff."""
    before: datetime | date = cutoff
    if rule.whole_months:
        before = cutoff.astimezone(account.tz).date().replace(day=1)
    return _all(model).filter(account_id=account.pk, **{f"{rule.moment}__lt": before})


def rows_for_days(model: Model, rule: ForDays, night: date) -> Rows:
    """The rows that are too old for their rule on a night."""
    cutoff = cutoff_on(night, rule.days, NOBODYS_ZONE)
    return _all(model).filter(**dict(rule.only), **{f"{rule.moment}__lt": cutoff})


def _all(model: Model) -> Rows:
    return model._base_manager.order_by()


def delete_some(rows: Rows, moment: str) -> tuple[Deleted, bool]:
    """Delete a batch of the rows, the oldest first, and say whether there may be more. Needs a transaction."""
    by_age = rows.order_by(moment)
    if isinstance(rows.model._meta.pk, CompositePrimaryKey):
        # Keys of several columns would make a statement of thousands of parameters.
        ages = list(by_age.values_list(moment, flat=True)[:BATCH])
        some = rows.filter(**{f"{moment}__lte": ages[-1]}) if ages else rows.none()
    else:
        # A file that was imported gives a million records one moment, so the moment could not bound a batch.
        oldest = list(by_age.values_list("pk", moment)[:BATCH])
        ages = [age for _, age in oldest]
        some = rows.filter(pk__in=[pk for pk, _ in oldest])
    if not ages:
        return Deleted(), False
    # What goes with a row, such as the mails of a notice, is not counted with it.
    count = some.delete()[1].get(rows.model._meta.label, 0)
    return Deleted(count, as_moment(ages[0]), as_moment(ages[-1])), len(ages) == BATCH


def as_moment(age: datetime | date) -> datetime:
    """A day as its beginning."""
    return age if isinstance(age, datetime) else datetime.combine(age, time(), UTC)
