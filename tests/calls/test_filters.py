"""The filters, whatever is written into an address."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Membership
from calls.filters import CallFilter
from calls.models import Call, Extension
from calls.periods import Period
from tests.builders import make_call, make_outgoing
from tests.conftest import RECORDED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
many = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAMES = ["period", "first", "last", "number", "extension", "direction", "kind", "older", "newer"]
texts = (
    st.text(max_size=20)
    | st.dates().map(str)
    | st.sampled_from(["custom", "today", "mobile", "incoming", "101", "\x00", "%", "_", "1-1"])
)


def filtered(account: Account, query: str | QueryDict) -> CallFilter:
    data = query if isinstance(query, QueryDict) else QueryDict(query)
    calls = Call.objects.filter(account=account)
    return CallFilter(data, queryset=calls, account=account, now=RECORDED)


def choices(account: Account, field: str) -> list[Any]:
    found: Any = filtered(account, "").form.fields[field]
    return list(found.choices)


@many
@given(query=st.dictionaries(st.sampled_from(NAMES), st.lists(texts, max_size=2)))
def test_no_address_is_an_error(
    client: Client, owner: Membership, query: dict[str, list[str]]
) -> None:
    client.force_login(owner.user)

    response = client.get("/accounts/acme/calls/", query)

    span = response.context["filterset"].span
    assert response.status_code == 200
    assert (span is None) == ('role="alert"' in response.text)


@pytest.mark.parametrize(
    "query",
    [
        "first=0001-01-01&last=2026-11-23",
        "first=2026-11-23&last=9999-12-31",
        "first=0001-01-01&last=9999-12-31",
    ],
)
@pytest.mark.parametrize("path", ["", "all/export.csv"])
def test_dates_at_the_ends_of_the_calendar_are_told_like_others_that_make_no_sense(
    client: Client, owner: Membership, path: str, query: str
) -> None:
    make_call(owner.account)
    client.force_login(owner.user)

    response = client.get(f"/accounts/acme/calls/{path}?{query}")

    assert response.status_code == (400 if path else 200)
    assert "Podaj pierwszy i ostatni dzień" in response.text


@many
@given(first=st.dates(date(1990, 1, 1), date(2100, 1, 1)), days=st.integers(-3, 400))
def test_a_range_holds_both_its_days_and_is_never_upside_down(
    acme: Account, first: date, days: int
) -> None:
    last = first + timedelta(days=days)

    span = filtered(acme, f"first={first}&last={last}").span

    if first > last:
        assert span is None
    else:
        assert span is not None
        assert [f"{at.astimezone(acme.tz):%Y-%m-%d %H:%M:%S}" for at in (span.start, span.end)] == [
            f"{first} 00:00:00",
            f"{last + timedelta(days=1)} 00:00:00",
        ]


def test_without_a_period_the_last_thirty_days_are_shown_and_chosen(acme: Account) -> None:
    plain = filtered(acme, "number=501")

    assert plain.span == Period(
        datetime(2026, 10, 24, 22, 0, tzinfo=UTC), datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    )
    assert plain.form["period"].value() == "last_30_days"


def test_given_days_mean_ones_own_range_and_a_named_period_wins_over_them(acme: Account) -> None:
    days = "first=2026-11-01&last=2026-11-02"

    assert filtered(acme, days).form["period"].value() == "custom"
    assert filtered(acme, f"{days}&period=today").span == filtered(acme, "period=today").span


def test_every_period_on_offer_has_a_span(acme: Account) -> None:
    offered = [str(name) for name, _ in choices(acme, "period")]

    spans = {name: filtered(acme, f"period={name}").span for name in offered}

    assert [name for name, span in spans.items() if span is None] == ["custom"]


def test_only_extensions_of_the_account_are_on_offer(acme: Account, beta: Account) -> None:
    Extension.objects.create(account=acme, number="102", name="Anna")
    Extension.objects.create(account=acme, number="101")
    Extension.objects.create(account=beta, number="201")

    assert choices(acme, "extension") == [("101", "101"), ("102", "102 Anna")]
    assert filtered(acme, "extension=201").span is None


TABS = {"": "outgoing", "outgoing/": "outgoing", "incoming/": "incoming"}


@pytest.mark.parametrize("path", TABS)
def test_a_tab_of_one_kind_is_not_emptied_by_a_kind_chosen_on_another(
    client: Client, owner: Membership, path: str
) -> None:
    # The tabs keep the filters in their addresses, but only the first one shows the choice of kinds.
    make_outgoing(owner.account)
    make_call(owner.account)
    client.force_login(owner.user)

    response: Any = client.get(f"/accounts/acme/calls/{path}?kind=outgoing")
    file: Any = client.get(f"/accounts/acme/calls/{path or 'all/'}export.csv?kind=outgoing")

    assert [call.kind for call in response.context["page"].calls] == [TABS[path]]
    assert len(b"".join(file.streaming_content).splitlines()) == 2


@pytest.mark.parametrize(
    "cursor", ["", "x", "1-", "1-x", "1-9223372036854775808", "253402300800000000-1", "9" * 60]
)
@pytest.mark.parametrize("name", ["older", "newer"])
def test_a_place_in_the_list_that_makes_no_sense_is_its_beginning(
    client: Client, owner: Membership, name: str, cursor: str
) -> None:
    calls = [make_call(owner.account), make_call(owner.account, at=RECORDED - timedelta(hours=1))]
    client.force_login(owner.user)

    response = client.get("/accounts/acme/calls/", {name: cursor})

    assert list(response.context["page"].calls) == calls
