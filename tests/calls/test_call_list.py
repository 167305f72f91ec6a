"""The tab «Spis połączeń»: what is on it, for whom, filtered how, page by page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Membership
from calls import paging
from calls.ingest import inbox, pipeline
from calls.models import Call, Extension, ExtensionHolding
from calls.paging import page_of
from tests.builders import make_call, make_missed, make_outgoing
from tests.conftest import RECORDED
from tests.records import freeswitch_scenarios

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]


def get(client: Client, membership: Membership, path: str = "", **query: Any) -> Any:
    client.force_login(membership.user)
    return client.get(f"/accounts/acme/calls/{path}", query)


def shown(client: Client, membership: Membership, path: str = "", **query: Any) -> list[int]:
    """The ids of the calls on the page, in their order."""
    return [call.id for call in get(client, membership, path, **query).context["page"].calls]


def test_each_tab_shows_its_calls_newest_first(
    client: Client, owner: Membership, acme: Account
) -> None:
    outgoing = make_outgoing(acme, at=RECORDED - timedelta(minutes=3))
    missed = make_missed(acme, at=RECORDED - timedelta(minutes=2))
    answered = make_call(acme, at=RECORDED - timedelta(minutes=1))
    waiting = make_missed(acme, at=RECORDED, provisional=True)

    tabs = {path: shown(client, owner, path) for path in ("", "outgoing/", "incoming/", "missed/")}

    assert tabs == {
        "": [waiting.id, answered.id, missed.id, outgoing.id],
        "outgoing/": [outgoing.id],
        "incoming/": [waiting.id, answered.id, missed.id],
        "missed/": [missed.id],
    }


def test_who_is_not_signed_in_is_asked_to(client: Client, acme: Account) -> None:
    response = client.get("/accounts/acme/calls/")

    assert (response.status_code, response["Location"]) == (
        302,
        "/login/?next=/accounts/acme/calls/",
    )


PATHS = ["", "outgoing/", "missed/", "all/export.csv", "month/2026-11.csv", "call/{call}/"]


@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_with_calls_of_their_own_finds_nothing_there(
    client: Client, stranger: Membership, acme: Account, beta: Account, path: str
) -> None:
    make_call(beta)
    call = make_call(acme)

    response = get(client, stranger, path.format(call=call.public_id))

    assert response.status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_an_account_that_was_closed_is_closed_for_its_owner_too(
    client: Client, owner: Membership, acme: Account, path: str
) -> None:
    call = make_call(acme)
    Account.objects.update(is_active=False)

    assert get(client, owner, path.format(call=call.public_id)).status_code == 404


@pytest.mark.parametrize("path", ["", "all/export.csv", "month/2026-11.csv"])
def test_no_list_and_no_file_holds_calls_of_another_account(
    client: Client, owner: Membership, agent: Membership, acme: Account, beta: Account, path: str
) -> None:
    make_call(acme, peer="+48600000001")
    make_call(beta, peer="+48600000002")

    for membership in (owner, agent):
        page = text_of(get(client, membership, path)).replace(" ", "")
        assert ("600000001" in page, "600000002" in page) == (True, False)


def test_the_call_of_another_account_is_not_found_under_ones_own(
    client: Client, owner: Membership, acme: Account, beta: Account
) -> None:
    foreign = make_call(beta)

    assert get(client, owner, f"call/{foreign.public_id}/").status_code == 404


def test_an_agent_sees_the_calls_of_their_extension_while_it_was_theirs(
    client: Client, agent: Membership, acme: Account
) -> None:
    hour = timedelta(hours=1)
    ExtensionHolding.objects.update(since=RECORDED - 5 * hour, until=RECORDED - 2 * hour)
    before = make_call(acme, at=RECORDED - 6 * hour)
    theirs = make_call(acme, at=RECORDED - 4 * hour)
    rang = make_call(acme, at=RECORDED - 3 * hour, extension="102", extensions=["101", "102"])
    make_call(acme, at=RECORDED - 4 * hour, extension="102", extensions=["102"])
    make_call(acme, at=RECORDED - hour)

    assert shown(client, agent) == [rang.id, theirs.id]
    assert get(client, agent, f"call/{theirs.public_id}/").status_code == 200
    assert get(client, agent, f"call/{before.public_id}/").status_code == 404


def test_an_agent_without_an_extension_sees_nothing(
    client: Client, agent: Membership, acme: Account
) -> None:
    make_call(acme)
    ExtensionHolding.objects.all().delete()

    assert shown(client, agent) == []


def test_costs_are_shown_to_the_owner_and_kept_from_the_agent(
    client: Client, owner: Membership, agent: Membership, acme: Account
) -> None:
    call = make_outgoing(acme, charging="charged", cost=Decimal("1234.56"))
    paths = ("", f"call/{call.public_id}/", "all/export.csv")

    seen = {
        membership.role: [
            "1234,56" in text_of(get(client, membership, path)).replace(" ", "") for path in paths
        ]
        for membership in (owner, agent)
    }

    assert seen == {"owner": [True] * 3, "agent": [False] * 3}


def text_of(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    text: str = body.decode()
    return text.replace("\xa0", " ")


def test_staff_may_look_into_any_account(
    client: Client, stranger: Membership, acme: Account
) -> None:
    call = make_call(acme)
    stranger.user.is_staff = True
    stranger.user.save()

    assert shown(client, stranger) == [call.id]


PERIODS = [
    ({"period": "today"}, ["today"]),
    ({"period": "yesterday"}, ["yesterday"]),
    ({"period": "this_week"}, ["today"]),
    ({"period": "this_month"}, ["today", "yesterday"]),
    ({"period": "last_month"}, ["october"]),
    ({}, ["today", "yesterday"]),
    ({"first": "2026-10-01", "last": "2026-11-22"}, ["yesterday", "october"]),
    ({"period": "custom", "first": "2026-11-22", "last": "2026-11-22"}, ["yesterday"]),
]


@pytest.mark.parametrize(("query", "expected"), PERIODS)
def test_a_period_is_cut_at_the_accounts_own_midnight(
    client: Client, owner: Membership, acme: Account, query: dict[str, str], expected: list[str]
) -> None:
    # 23 November begins at 23:00 UTC the evening before in Warsaw, and is a Monday.
    calls = {
        "today": make_call(acme, at=datetime(2026, 11, 22, 23, 0, tzinfo=UTC)),
        "yesterday": make_call(acme, at=datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC)),
        "october": make_call(acme, at=datetime(2026, 10, 2, 12, 0, tzinfo=UTC)),
    }

    assert shown(client, owner, **query) == [calls[name].id for name in expected]


@pytest.mark.parametrize(
    "query",
    [
        {"period": "custom"},
        {"first": "2026-11-02", "last": "2026-11-01"},
        {"first": "2026-11-31"},
        {"period": "1=1"},
        {"direction": "everywhere"},
    ],
)
def test_filters_that_make_no_sense_are_told_and_show_no_calls(
    client: Client, owner: Membership, acme: Account, query: dict[str, str]
) -> None:
    make_call(acme)

    response = get(client, owner, **query)

    assert response.status_code == 200
    assert list(response.context["page"].calls) == []
    assert 'role="alert"' in response.content.decode()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("501 234 567", ["mobile"]),
        ("+48 501-234-567", ["mobile"]),
        ("0048501234567", ["mobile"]),
        ("0501234567", ["mobile"]),
        ("234567", ["mobile"]),
        ("+4930", ["berlin"]),
        ("0049 30", ["berlin"]),
        ("3023", ["berlin"]),
        ("999", []),
        ("", ["berlin", "mobile"]),
    ],
)
def test_a_number_is_found_however_it_is_typed(
    client: Client, owner: Membership, acme: Account, typed: str, expected: list[str]
) -> None:
    calls = {
        "mobile": make_call(acme, at=RECORDED - timedelta(hours=1), peer="+48501234567"),
        "berlin": make_call(acme, peer="+493023125500"),
    }

    assert shown(client, owner, number=typed) == [calls[name].id for name in expected]


def test_extension_direction_and_kind_narrow_the_list_together(
    client: Client, owner: Membership, acme: Account
) -> None:
    for number in ("101", "102"):
        Extension.objects.create(account=acme, number=number)
    wanted = make_outgoing(acme, extensions=["102"], direction="international")
    make_outgoing(acme, extensions=["101"], direction="international")
    make_outgoing(acme, extensions=["102"], direction="mobile")
    make_call(acme, extensions=["102"], direction="international")

    found = shown(
        client, owner, extension=["102"], direction=["international"], kind=["outgoing", "internal"]
    )

    assert found == [wanted.id]


def test_totals_are_those_of_all_filtered_calls_and_not_only_of_the_page(
    client: Client, owner: Membership, acme: Account
) -> None:
    for second in range(60):
        make_outgoing(
            acme,
            at=RECORDED - timedelta(seconds=second),
            talk_s=second,
            charging="charged",
            cost=Decimal("0.0015"),
        )
    make_missed(acme, at=RECORDED - timedelta(hours=1))
    make_outgoing(acme, at=RECORDED - timedelta(hours=2), charging="no_rate", talk_s=1)

    totals = get(client, owner).context["totals"]

    assert totals == {
        "calls": 62,
        "answered": 61,
        "missed": 1,
        "talk_s": 59 * 60 // 2 + 1,
        "cost": Decimal("0.0900"),
        "unpriced": 1,
    }


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_walking_all_pages_while_calls_come_in_shows_every_earlier_call_once(
    acme: Account, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 4)
    Call.objects.all().delete()
    seconds = data.draw(st.lists(st.integers(0, 12), max_size=25))
    earlier = [make_call(acme, at=RECORDED - timedelta(seconds=second)) for second in seconds]
    expected = sorted(((call.started_at, call.id) for call in earlier), reverse=True)

    walked, edge, pages = [], "", []
    while True:
        page = page_of(Call.objects.filter(account=acme), acme.pk, older=edge)
        walked += [(call.started_at, call.id) for call in page.calls]
        pages.append(page)
        make_call(acme, at=RECORDED + timedelta(seconds=len(walked)))
        if not page.older:
            break
        edge = page.older

    assert walked == expected
    back = [
        page_of(Call.objects.filter(account=acme), acme.pk, newer=page.newer) for page in pages[1:]
    ]
    assert [page.calls for page in back] == [page.calls for page in pages[:-1]]


@pytest.mark.parametrize("tab", ["", "missed/"])
@pytest.mark.parametrize("calls", [1, 30])
def test_the_list_takes_the_same_queries_for_one_call_and_for_many(
    client: Client,
    owner: Membership,
    acme: Account,
    calls: int,
    tab: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for second in range(calls):
        make_missed(acme, at=RECORDED - timedelta(seconds=second))
    client.force_login(owner.user)

    # session, user, membership, accounts, extensions for the filter, page, totals, freshness, what is paid in, names
    with django_assert_num_queries(10):
        client.get(f"/accounts/acme/calls/{tab}")


def test_htmx_gets_the_list_alone_and_a_browser_the_page(
    client: Client, owner: Membership, acme: Account
) -> None:
    make_call(acme)
    client.force_login(owner.user)

    part = client.get("/accounts/acme/calls/", headers={"HX-Request": "true"})
    page = client.get("/accounts/acme/calls/")

    assert part.content.decode().strip() in page.content.decode()
    assert "<html" not in part.content.decode()
    assert "HX-Request" in part["Vary"]


def test_names_from_outside_are_text_and_never_markup(
    client: Client, owner: Membership, acme: Account
) -> None:
    make_call(acme, peer_name="<script>alert(1)</script>")

    page = get(client, owner).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_withheld_number_is_on_no_page_and_in_no_file(
    client: Client, owner: Membership, freeswitch: Any
) -> None:
    hidden = next(each for each in freeswitch_scenarios() if each.name == "in_anonymous#15")
    inbox.receive(freeswitch, hidden.bodies, now=RECORDED)
    pipeline.fold_batch(freeswitch, RECORDED)
    call = Call.objects.get()

    pages = [
        text_of(get(client, owner, path))
        for path in ("", f"call/{call.public_id}/", "all/export.csv", "month/2026-11.csv")
    ]

    assert [("603444555" in page.replace(" ", ""), "zastrzeżony" in page) for page in pages] == [
        (False, True)
    ] * 4


def test_the_page_is_polish_first_and_english_when_asked(
    client: Client, owner: Membership, acme: Account
) -> None:
    make_missed(acme)

    polish = get(client, owner).content.decode()
    client.post("/language/setlang/", {"language": "en"})
    english = get(client, owner).content.decode()

    assert '<html lang="pl">' in polish
    assert "Spis połączeń" in polish
    assert '<html lang="en">' in english
    assert "Call history" in english
