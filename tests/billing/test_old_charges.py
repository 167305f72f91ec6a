"""Charges of before terms were kept once: the migration finds the terms of each in its explanation."""

import json
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from accounts.models import Account
from billing.models import Charge
from calls import partitions
from tests.conftest import RECORDED

pytestmark = pytest.mark.django_db
RATED: dict[str, Any] = {
    **{"amount": "0.2900", "currency": "PLN", "exact": "29/100", "decimals": 4},
    **{"rounding": "ROUND_HALF_UP", "seconds": 61, "billed_seconds": 120, "free_by_rule": False},
    **{"answered_at": RECORDED.isoformat(), "price_list": "Base", "price_list_id": 3, "rate_id": 7},
    **{"valid_from": "2026-01-01T00:00:00+00:00", "space": "e164", "prefix": "48"},
    **{"rate_name": "Poland", "per_minute": "0.100000", "connection_fee": "0.090000"},
    **{"first_increment": 60, "next_increment": 60},
}
FREE: dict[str, Any] = {
    **{"amount": "0", "currency": "PLN", "seconds": 61, "billed_seconds": 0},
    **{"answered_at": RECORDED.isoformat(), "free_by_rule": True},
}
LATER_OF_THE_SAME = {**RATED, "seconds": 1, "billed_seconds": 60, "amount": "0.1900"}
INSERT = """
    INSERT INTO billing_charge (account_id, answered_at, id, call_started_at, call_id, number, seconds, estimated,
        amount, currency, explanation, charged_at, bundle_seconds, terms_id)
    VALUES (%s, %s, %s, %s, 1, '+48501234567', %s, false, %s, 'PLN', %s, %s, 0, 0)
"""


def test_charges_keep_their_explanation_and_equal_terms_become_one_row(acme: Account) -> None:
    partitions.ensure(Charge._meta.db_table, [partitions.month_of(RECORDED)])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE billing_charge ADD COLUMN explanation jsonb")
        for pk, why in enumerate((RATED, FREE, LATER_OF_THE_SAME)):
            key = (acme.pk, RECORDED, pk, RECORDED)
            values = (why["seconds"], why["amount"], json.dumps(why), RECORDED)
            cursor.execute(INSERT, (*key, *values))

    migration = import_module("billing.migrations.0002_full_model")
    with connection.schema_editor(atomic=False) as editor:
        migration.keep_terms(apps, editor)

    rated, free, same = Charge.objects.order_by("id")
    assert rated.terms_id == same.terms_id != free.terms_id
    kept = ("price_list", "rate_id", "prefix", "rate_name", "exact", "amount", "billed_seconds")
    assert {name: rated.explanation[name] for name in kept} == {name: RATED[name] for name in kept}
    assert (same.explanation["amount"], same.explanation["billed_seconds"]) == ("0.1900", 60)
    assert (free.explanation["free"], free.explanation["amount"]) == ("rule", "0.0000")
