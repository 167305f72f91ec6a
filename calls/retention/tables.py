"""What the models say about how long their rows are kept."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db import models

from accounts.keeping import ForDays, Lasting, OfAccount, Rule
from accounts.models import Account
from calls.retention.cutoffs import NOBODYS_ZONE, cutoff_on

Model = type[models.Model]
Rows = models.QuerySet[Any]
ADMIN_LOG_DAYS = 365
# Of models that are not ours.
OTHERS: dict[str, Rule] = {
    "admin.LogEntry": ForDays("action_time", ADMIN_LOG_DAYS),
    "auth.Group": Lasting("rights of staff"),
    "auth.Permission": Lasting("rights of staff"),
    "contenttypes.ContentType": Lasting("names of tables"),
    "sessions.Session": ForDays("expire_date", 0),
}


def rules() -> Iterator[tuple[Model, Rule]]:
    """Each rule of each model that has one."""
    for model in apps.get_models():
        stated = getattr(model, "keeping", OTHERS.get(model._meta.label, ()))
        for rule in stated if isinstance(stated, tuple) else (stated,):
            yield model, rule


def without_rule() -> list[str]:
    """Models that say nothing, by label: their rows would stay for ever."""
    stated = {model for model, _ in rules()}
    return sorted(model._meta.label for model in apps.get_models() if model not in stated)


def of_accounts() -> Iterator[tuple[Model, OfAccount]]:
    """The tables of accounts; the one that others hang on, the calls, comes last."""
    found = [(model, rule) for model, rule in rules() if isinstance(rule, OfAccount)]
    return iter(sorted(found, key=lambda each: each[0]._meta.label == "calls.Call"))


def for_days() -> Iterator[tuple[Model, ForDays]]:
    return ((model, rule) for model, rule in rules() if isinstance(rule, ForDays))


def partitioned() -> list[Model]:
    return [model for model, rule in of_accounts() if rule.partitioned]


def feed_cutoff(night: date) -> datetime:
    """What came into the schema ``feed`` before and is still there, may go. Its tables have no models."""
    return cutoff_on(night, Account.LONGEST_RETENTION_DAYS, NOBODYS_ZONE)
