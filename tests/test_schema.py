"""The rules that let the same tables run on one PostgreSQL, on Citus and behind PgBouncer, kept for every model."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from billing.models import BundleUse, Charge, ChargeChange
from calls.models import Call, MovedCall, UnpricedCall

# As big as the calls, or keyed like them: a row belongs to an account, first in its key.
TENANT_TABLES: list[type[models.Model]] = [
    *(Call, Charge, ChargeChange, BundleUse),
    *(MovedCall, UnpricedCall),
]
OURS = [
    model
    for label in ("accounts", "calls", "billing")
    for model in apps.get_app_config(label).get_models()
]


def foreign_keys(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.get_fields() if isinstance(field, models.ForeignKey)]


@pytest.mark.parametrize("model", TENANT_TABLES, ids=lambda model: model.__name__)
def test_the_key_of_a_tenant_table_begins_with_the_account_and_holds_the_time(
    model: type[models.Model],
) -> None:
    key = model._meta.pk

    assert isinstance(key, models.CompositePrimaryKey)
    assert key.field_names[0] == "account_id"
    assert {"started_at", "answered_at"} & set(key.field_names)


@pytest.mark.parametrize("model", TENANT_TABLES, ids=lambda model: model.__name__)
def test_a_tenant_table_has_no_constraint_on_other_tables_and_nothing_unique_beside_its_key(
    model: type[models.Model],
) -> None:
    assert [key.name for key in foreign_keys(model) if key.db_constraint] == []
    assert [c for c in model._meta.constraints if isinstance(c, models.UniqueConstraint)] == []
    unique = [field.name for field in model._meta.local_fields if field.unique]
    assert unique == ["pk"]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_nothing_has_a_foreign_key_into_a_tenant_table(model: type[models.Model]) -> None:
    assert [key.name for key in foreign_keys(model) if key.related_model in TENANT_TABLES] == []


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_ids_are_big_and_money_is_exact(model: type[models.Model]) -> None:
    numbers = [type(field) for field in model._meta.local_fields if field.name == "id"]
    floats = [field.name for field in model._meta.fields if isinstance(field, models.FloatField)]

    assert set(numbers) <= {models.BigAutoField, models.BigIntegerField}
    assert floats == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "model", [Call, Charge, ChargeChange, BundleUse], ids=lambda model: model.__name__
)
def test_the_big_tables_are_partitioned_and_cost_is_in_no_index(model: type[models.Model]) -> None:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT relkind FROM pg_class WHERE oid = %s::regclass", [table])
        kind = cursor.fetchone()
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [table])
        indexes = [definition for (definition,) in cursor.fetchall()]

    assert kind == ("p",)
    assert [index for index in indexes if "cost" in index or "amount" in index] == []


@pytest.mark.django_db
def test_no_migration_needs_an_extension() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'")
        assert cursor.fetchall() == []
