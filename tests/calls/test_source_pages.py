"""The operator's pages about the PBXes: who sees them and what is on them."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Membership, User
from calls.models import InboxRecord, Pbx, Silence, SourceFinding, SourceHour, SourceState
from calls.source_findings import ADVICE
from tests.calls.test_admin import record
from tests.conftest import RECORDED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
PAGES = ["/operator/", "/operator/sources/freeswitch/"]
HOUR = timedelta(hours=1)


@pytest.fixture
def support(client: Client) -> Client:
    user = User.objects.create_user("support@operator.example", "pass", is_staff=True)
    client.force_login(user)
    return client


def source(name: str, **state: object) -> Pbx:
    """A PBX that sent 50 records in each hour of nine weeks, and 7 in this one."""
    pbx, _ = Pbx.objects.get_or_create(name=name, source="freeswitch-json")
    SourceState.objects.create(
        pbx=pbx, last_received_at=RECORDED, last_ended_at=RECORDED - HOUR, **state
    )
    hour = RECORDED.replace(minute=0)
    SourceHour.objects.create(pbx=pbx, hour=hour, records=7)
    SourceHour.objects.bulk_create(
        SourceHour(pbx=pbx, hour=hour - back * HOUR, records=50) for back in range(1, 24 * 7 * 9)
    )
    return pbx


def text(client: Client, page: str) -> str:
    return " ".join(client.get(page).content.decode().split())


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_there_for_staff_alone(
    client: Client, owner: Membership, agent: Membership, freeswitch: Pbx, path: str
) -> None:
    assert client.get(path)["Location"] == f"/login/?next={path}"
    for membership in (owner, agent):
        client.force_login(membership.user)
        assert client.get(path).status_code == 404
    client.force_login(User.objects.create_user("o@operator.example", "pass", is_staff=True))
    assert client.get(path).status_code == 200


def test_a_pbx_that_does_not_exist_is_not_found(support: Client) -> None:
    assert support.get("/operator/sources/nowhere/").status_code == 404


def test_the_overview_tells_of_each_pbx_what_is_worth_a_look(support: Client) -> None:
    silent, fine = source("silent"), source("fine")
    Pbx.objects.create(name="new", source="asterisk-csv")
    Pbx.objects.create(name="off", source="asterisk-csv", is_active=False)
    Silence.objects.create(pbx=silent, since=RECORDED - 2 * HOUR, expected=100)
    SourceFinding.objects.create(pbx=fine, code="no_did", count=1, out_of=2, since=RECORDED)
    for state in ("pending", "quarantined", "unassigned", "dismissed", "folded"):
        record(fine, state)

    watched = support.get("/operator/").context["watched"]

    assert [
        (
            each.source.pbx.name,
            each.waiting,
            each.refused,
            each.findings,
            each.this_hour,
            each.usual,
        )
        for each in watched
    ] == [
        ("fine", 1, 2, 1, 7, 50),
        ("new", 0, 0, 0, 0, None),
        ("off", 0, 0, 0, 0, None),
        ("silent", 0, 0, 0, 7, 50),
    ]
    page = text(support, "/operator/")
    states = ["wysyła jak zwykle", "nic jeszcze nie przyszło", "wyłączona", "milczy od 11:00"]
    assert [page.count(state) for state in states] == [1, 1, 1, 1]


@pytest.mark.parametrize("count", [1, 30])
def test_the_overview_asks_the_database_as_often_for_one_pbx_as_for_thirty(
    support: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        record(source(f"pbx{number}"), "pending")

    # Session, user, permissions (two), waiting, refused, findings, hours, first hours, PBXes.
    with django_assert_num_queries(10):
        assert len(support.get("/operator/").context["watched"]) == count


@pytest.mark.parametrize("count", [1, 8])
def test_a_page_asks_the_database_as_often_for_one_finding_as_for_eight(
    support: Client, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    pbx = source("freeswitch")
    for number, code in enumerate(list(ADVICE)[:count]):
        SourceFinding.objects.create(pbx=pbx, code=code, count=1, out_of=2, since=RECORDED)
        Silence.objects.create(
            pbx=pbx, since=RECORDED - number * HOUR, ended_at=RECORDED, expected=9
        )

    # Session, user, PBX, its hours, its first hour, source, waiting, refused, findings, silences, permissions (two).
    with django_assert_num_queries(12):
        response = support.get(PAGES[1])
    assert len(response.context["findings"]) == len(response.context["silences"]) == count


def test_the_page_shows_each_finding_with_the_line_that_mends_it(support: Client) -> None:
    pbx = source("freeswitch")
    SourceFinding.objects.create(pbx=pbx, code="no_b_legs", count=1234, out_of=2345, since=RECORDED)

    page = text(support, PAGES[1])

    assert "&lt;param name=&quot;log-b-leg&quot; value=&quot;true&quot;/&gt;" in page
    assert "Dotyczy 1 234 z 2 345, od 23.11.2026." in page.replace("\xa0", " ")


def test_the_page_shows_the_last_day_beside_the_habit(support: Client) -> None:
    source("freeswitch")

    hours = support.get(PAGES[1]).context["hours"]

    assert [hours[0].records, hours[0].usual] == [7, 50]
    assert {(each.records, each.usual) for each in hours[1:]} == {(50, 50)}
    assert len(hours) == 24


def test_the_lag_of_the_inbox_is_told(support: Client, freeswitch: Pbx) -> None:
    record(freeswitch, "pending")
    InboxRecord.objects.update(received_at=RECORDED - HOUR)

    assert "<dd>1, najstarszy od 23.11.2026 12:00:00</dd>" in text(support, PAGES[1])


def test_support_is_shown_no_way_into_settings_that_it_may_not_change(
    support: Client, freeswitch: Pbx
) -> None:
    assert "/admin/calls/pbx/" not in text(support, PAGES[1]) + text(support, PAGES[0])
    support.force_login(User.objects.create_superuser("root@operator.example", "pass"))
    assert f"/admin/calls/pbx/{freeswitch.pk}/change/" in text(support, PAGES[1])
