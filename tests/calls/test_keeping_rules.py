"""Every model says how long its rows are kept, in a way that the purge, the proof and the erasure understand."""

from typing import Any

import pytest
from django.apps import apps
from django.db import models

from accounts.keeping import ForDays, Lasting, OfAccount, Rule, WithItsCall
from billing.models import BundleUse, Charge, ChargeChange
from calls.models import Call, CallGroup, InboxRecord, LegLink, LegRecord, Receipt
from calls.retention import tables

RULES = [
    pytest.param(model, rule, id=f"{model.__name__} {type(rule).__name__} {number}")
    for number, (model, rule) in enumerate(tables.rules())
]


def field(model: type[models.Model], name: str) -> type[Any]:
    return type(model._meta.get_field(name))


def test_no_model_is_silent_about_how_long_it_is_kept() -> None:
    assert tables.without_rule() == []


def test_a_silent_model_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Receipt, "keeping")

    assert tables.without_rule() == ["calls.Receipt"]


@pytest.mark.parametrize(("model", "rule"), RULES)
def test_a_rule_names_columns_that_are_there_and_fit(model: type[models.Model], rule: Rule) -> None:
    match rule:
        case OfAccount(moment, _, whole_months, numbers):
            assert model._meta.get_field("account_id").name in {"account", "account_id"}
            kind = models.DateField if whole_months else models.DateTimeField
            assert field(model, moment) is kind
            assert {field(model, name) for name in numbers} <= {models.CharField}
        case ForDays(moment, days, only):
            assert field(model, moment) is models.DateTimeField
            assert 0 <= days <= 365
            model._base_manager.filter(**dict(only)).query.sql_with_params()
        case WithItsCall():
            assert model in {CallGroup, LegRecord, LegLink}
        case Lasting(why):
            assert len(why.split()) >= 1


def test_what_holds_personal_data_of_callers_is_forgotten() -> None:
    """Named once more by hand: a rule changed to «lasting» would otherwise please every other test."""
    forgotten = {model.__name__ for model, rule in tables.rules() if not isinstance(rule, Lasting)}

    assert forgotten == {
        *("Call", "Charge", "MovedCall", "UnpricedCall", "Suppression"),
        *("ChargeChange", "BundleUse", "Notice"),
        *("CallGroup", "LegRecord", "LegLink", "InboxRecord", "Decision"),
        *("Session", "LogEntry"),
    }


def test_the_partitioned_tables_are_those_of_the_database() -> None:
    assert set(tables.partitioned()) == {Call, Charge, ChargeChange, BundleUse}


def test_a_table_with_several_rules_states_each(db: None) -> None:
    days = [rule.days for model, rule in tables.for_days() if model is InboxRecord]

    assert days == [14, 365, 365]


def test_no_model_keeps_files() -> None:
    """Deleting a row would leave its file: who adds one teaches the purge and its proof to look for files first."""
    kept = [
        f"{model.__name__}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.get_fields()
        if isinstance(column, models.FileField | models.FilePathField)
    ]

    assert kept == []
