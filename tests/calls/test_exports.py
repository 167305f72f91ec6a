"""The CSV files: the rows of the list, as Polish Excel opens them and as plain RFC 4180."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Membership
from tests.builders import make_call, make_missed, make_outgoing
from tests.conftest import RECORDED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]


def file_of(client: Client, membership: Membership, path: str, **query: Any) -> bytes:
    client.force_login(membership.user)
    response: Any = client.get(f"/accounts/acme/calls/{path}", query)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return b"".join(response.streaming_content)


def rows_of(content: bytes, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))


def test_the_file_for_excel_keeps_numbers_money_and_text_as_they_are(
    client: Client, owner: Membership, acme: Account
) -> None:
    make_outgoing(acme, charging="charged", cost=Decimal("1.2345"), peer="+48501234567")
    make_missed(
        acme, at=RECORDED - timedelta(hours=1), hidden=True, peer="", peer_name='=HYPERLINK("x")'
    )

    content = file_of(client, owner, "all/export.csv")

    assert content.startswith(b"\xef\xbb\xbfData;Godzina;")
    assert rows_of(content, ";")[1:] == [
        [
            *("2026-11-23", "13:00:00", "+01:00", "wychodzące", "odebrane"),
            *('="+48501234567"', "", '="101"', '="+48501234567"', '="+48221234567"', "komórkowe"),
            *("5", "60", "1,234500", "wycenione"),
        ],
        [
            *("2026-11-23", "12:00:00", "+01:00", "przychodzące", "nieodebrane"),
            *("zastrzeżony", '\'=HYPERLINK("x")', '="101"', "", '="+48221234567"', "komórkowe"),
            *("5", "0", "", "bez opłat"),
        ],
    ]


def test_the_plain_file_has_bare_values_between_commas(
    client: Client, owner: Membership, acme: Account
) -> None:
    make_outgoing(acme, charging="charged", cost=Decimal("0.05"), peer_name="-1+1")

    content = file_of(client, owner, "all/export.csv", plain=1)

    row = rows_of(content, ",")[1]
    assert content.startswith(b"Data,Godzina,")
    assert content.endswith(b"\r\n")
    assert (row[5], row[6], row[13]) == ("+48501234567", "-1+1", "0.050000")


def test_the_file_holds_what_the_list_holds_filtered_alike(
    client: Client, owner: Membership, acme: Account
) -> None:
    for second in range(450):
        make_missed(acme, at=RECORDED - timedelta(seconds=second), peer="+48600000000")
    make_missed(acme, at=RECORDED - timedelta(days=40), peer="+48600000000")
    make_missed(acme, peer="+48700000000")

    rows = rows_of(file_of(client, owner, "missed/export.csv", number="600000000"), ";")[1:]

    times = [f"{row[0]} {row[1]}" for row in rows]
    assert len(rows) == 450
    assert times == sorted(times, reverse=True)


def test_a_month_with_the_hour_that_comes_twice_is_complete_and_tells_the_hours_apart(
    client: Client, owner: Membership, acme: Account
) -> None:
    first = datetime(2026, 9, 30, 22, 0, tzinfo=UTC)
    inside = [
        first,
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC),
    ]
    for at in (first - timedelta(seconds=1), *inside, inside[-1] + timedelta(seconds=1)):
        make_call(acme, at=at)

    rows = rows_of(file_of(client, owner, "month/2026-10.csv"), ";")[1:]

    assert [row[:3] for row in rows] == [
        ["2026-10-31", "23:59:59", "+01:00"],
        ["2026-10-25", "02:30:00", "+01:00"],
        ["2026-10-25", "02:30:00", "+02:00"],
        ["2026-10-01", "00:00:00", "+02:00"],
    ]


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "99999-01"])
def test_a_month_that_is_none_is_not_found(client: Client, owner: Membership, month: str) -> None:
    client.force_login(owner.user)

    assert client.get(f"/accounts/acme/calls/month/{month}.csv").status_code == 404


def test_an_export_whose_filters_make_no_sense_says_so_instead_of_giving_everything(
    client: Client, owner: Membership, acme: Account
) -> None:
    make_call(acme)
    client.force_login(owner.user)

    response = client.get("/accounts/acme/calls/all/export.csv?first=2026-11-02&last=2026-11-01")

    assert response.status_code == 400
    assert "Podaj pierwszy i ostatni dzień" in response.content.decode()


def test_an_empty_set_is_a_file_with_its_header_only(client: Client, owner: Membership) -> None:
    assert len(rows_of(file_of(client, owner, "all/export.csv"), ";")) == 1
