"""What the admin says about the columns of another PBX's CSV before a record comes."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import User
from calls.ingest.columns import Columns
from calls.models import Pbx

pytestmark = pytest.mark.django_db
COLUMNS: dict[str, Any] = {
    "start": "Time",
    "duration": "Secs",
    "talk": "Talk",
    "caller": "From",
    "called": "To",
}
PBX = {
    "name": "other",
    "source": "csv",
    "time_zone": "Europe/Warsaw",
    "trunks": "external",
    "extension_pattern": r"(\d+)$",
    "is_active": "on",
    "tenant_codes-TOTAL_FORMS": 0,
    "tenant_codes-INITIAL_FORMS": 0,
}


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("olga@operator.example", "pass"))
    client.cookies["django_language"] = "en"
    return client


def save(operator: Client, columns: Any, **fields: str) -> list[str]:
    """What is wrong with the columns; [] when they were saved."""
    response: Any = operator.post(
        "/admin/calls/pbx/add/", PBX | {"columns": json.dumps(columns)} | fields
    )
    if response.status_code == 302:
        return []
    errors = response.context["adminform"].form.errors
    assert list(errors) == ["columns"]
    return list(errors["columns"])


def test_sound_columns_are_saved_and_read(operator: Client) -> None:
    columns = {
        **COLUMNS,
        "direction": "Dir",
        "disposition": "Status",
        "time_format": "%d/%m/%Y %H:%M",
        "directions": {"IN": "incoming"},
        "answers": ["Answered by operator"],
    }

    assert save(operator, columns) == []

    switch = Pbx.objects.get().switch
    assert switch.columns == Columns(
        places=(
            ("start", "Time"),
            ("duration", "Secs"),
            ("talk", "Talk"),
            ("caller", "From"),
            ("called", "To"),
            ("direction", "Dir"),
            ("disposition", "Status"),
        ),
        time_format="%d/%m/%Y %H:%M",
        directions=(("in", "incoming"),),
        answers=("answered by operator",),
    )
    assert {switch: "may be a key"}


def test_numbers_of_columns_are_saved(operator: Client) -> None:
    assert save(operator, {name: number + 1 for number, name in enumerate(COLUMNS)}) == []
    assert Pbx.objects.get().switch.columns.numbered


def without(*names: str) -> dict[str, Any]:
    return {name: place for name, place in COLUMNS.items() if name not in names}


KNOWN = "start, end, duration, talk, caller, called, extension, direction, disposition, id, call, account, name"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, ["start", "caller", "called", "end / duration", "talk / disposition"]),
        (without("start"), ["start"]),
        (without("duration"), ["end / duration"]),
        (without("talk"), ["talk / disposition"]),
    ],
)
def test_what_is_missing_is_said(operator: Client, columns: Any, said: list[str]) -> None:
    assert save(operator, columns) == [f"Say which column holds {name}." for name in said]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {**COLUMNS, "Start": "Time"},
            f"Start is not known here. Known are: {KNOWN}, time_format, directions, answers.",
        ),
        ({**COLUMNS, "id": ""}, "id: write the column's header, or its number from 1."),
        ({**COLUMNS, "id": 0}, "id: write the column's header, or its number from 1."),
        ({**COLUMNS, "id": True}, "id: write the column's header, or its number from 1."),
        ({**COLUMNS, "id": ["A", "B"]}, "id: write the column's header, or its number from 1."),
        ({**COLUMNS, "id": 7}, "Write headers only, or numbers only."),
        ({**COLUMNS, "time_format": "dd.mm.yyyy"}, "time_format: write it like %d/%m/%Y %H:%M:%S."),
        ({**COLUMNS, "time_format": "%H:%M"}, "time_format: write it like %d/%m/%Y %H:%M:%S."),
        ({**COLUMNS, "time_format": 5}, "time_format: write it like %d/%m/%Y %H:%M:%S."),
        (
            {**COLUMNS, "directions": {"in": "inbound"}},
            'directions: write what each value means, {"in": "incoming"}; the meanings are: '
            "incoming, outgoing, internal.",
        ),
        (
            {**COLUMNS, "answers": "ANSWER"},
            'answers: write a list of the dispositions of answered calls, ["ANSWER"].',
        ),
    ],
)
def test_what_is_wrong_is_said(operator: Client, columns: Any, said: str) -> None:
    assert save(operator, columns) == [said]
    assert not Pbx.objects.exists()


@pytest.mark.parametrize("columns", [[], "start", 5, None])
def test_anything_but_an_object_is_told_its_shape(operator: Client, columns: Any) -> None:
    (said,) = save(operator, columns)

    assert said.startswith("Write an object") or said == "Say which column holds start."


def test_other_pbxes_have_no_columns(operator: Client) -> None:
    assert save(operator, COLUMNS, source="asterisk-csv") == [
        "Only another PBX's CSV needs columns."
    ]
    assert save(operator, {}, source="asterisk-csv") == []


def test_the_operator_reads_it_in_polish(operator: Client) -> None:
    operator.cookies["django_language"] = "pl"
    with translation.override("pl"):
        assert save(operator, without("start")) == ["Wskaż kolumnę dla: start."]
