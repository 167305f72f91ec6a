"""The operator's pages of re-rating, and what they leave on a call's page."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Membership, User
from billing import rerating
from billing.charging import charge_pending
from billing.models import AccountPriceList, Charge, PriceList, Rate, Rerating
from calls.ingest.records import micros
from calls.models import Call, UnpricedCall
from tests.builders import make_outgoing
from tests.conftest import LONG_AGO, RECORDED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
PAGE = "/operator/reratings/"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("olga@operator.example", "pass", name="Olga", is_staff=True)


@pytest.fixture
def price_list(acme: Account, beta: Account) -> PriceList:
    price_list = PriceList.objects.create(name="Cennik")
    for account in (acme, beta):
        AccountPriceList.objects.create(account=account, price_list=price_list, since=LONG_AGO)
    Rate.objects.create(
        price_list=price_list, prefix="48", name="Polska", per_minute="0.12", valid_from=LONG_AGO
    )
    return price_list


def charged(account: Account, count: int = 1) -> list[Call]:
    """Calls of a minute that are charged."""
    calls = []
    for number in range(count):
        at = RECORDED - (number + 1) * MINUTE
        leg = {"to": "+48501234567", "answered": micros(at), "seconds": 60, "estimated": False}
        paid = [{"key": f"{account.pk} {at}", **leg}]
        calls.append(make_outgoing(account, at=at, paid=paid, charging="pending"))
        UnpricedCall.objects.create(account=account, started_at=at, call_id=calls[-1].id)
    charge_pending(RECORDED)
    return calls


def ordered(client: Client, **fields: Any) -> str:
    """The address of a new order's page."""
    values = {"first": "2026-11-01", "last": "2026-11-23", "reason": "Zła cena", **fields}
    return str(client.post(PAGE, values)["Location"])


def test_the_pages_are_there_for_staff_and_for_nobody_else(
    client: Client,
    staff: User,
    owner: Membership,
    agent: Membership,
    stranger: Membership,
    price_list: PriceList,
) -> None:
    client.force_login(staff)
    paths = (PAGE, ordered(client))
    answers = {}
    for user in (staff, owner.user, agent.user, stranger.user):
        client.force_login(user)
        answers[user.email[:5]] = [client.get(path).status_code for path in paths]
        if user is not staff:
            assert client.post(paths[1], {"action": "start"}).status_code == 404
    client.logout()
    answers["nobody"] = [client.get(path).status_code for path in paths]

    assert answers == {
        "olga@": [200, 200],
        "alicj": [404, 404],
        "bogda": [404, 404],
        "celin": [404, 404],
        "nobody": [302, 302],
    }


def test_an_order_goes_from_the_count_to_the_change_with_old_and_new(
    client: Client, staff: User, price_list: PriceList, acme: Account
) -> None:
    charged(acme, 2)
    Rate.objects.update(per_minute="0.10")
    client.force_login(staff)
    page = ordered(client, account=acme.pk)

    counting = client.get(page)
    rerating.work(RECORDED)
    ready = client.get(page)
    costs_before = {call.cost for call in Call.objects.all()}
    client.post(page, {"action": "start"})
    rerating.work(RECORDED)
    done = client.get(page)

    assert (counting["Refresh"], ready.has_header("Refresh")) == ("2", False)
    assert ready.context["totals"] == {
        "charges": 2,
        "calls": 2,
        "unrated": 0,
        "sums": {"PLN": {"before": "0.240000", "after": "0.2000"}},
    }
    assert costs_before == {Decimal("0.12")}
    assert {call.cost for call in Call.objects.all()} == {Decimal("0.10")}
    order = Rerating.objects.get()
    assert (order.state, order.requested_by, order.reason) == ("done", staff, "Zła cena")
    changes = done.context["changes"]
    assert [(each.change.old_amount, each.change.new_amount) for each in changes] == [
        (Decimal("0.12"), Decimal("0.1"))
    ] * 2
    text = done.content.decode()
    assert "0,12 zł" in text and "0,10 zł" in text and "501\xa0234\xa0567" in text


def test_what_is_running_can_be_stopped_and_goes_on(
    client: Client, staff: User, price_list: PriceList, acme: Account
) -> None:
    charged(acme)
    Rate.objects.update(per_minute="0.10")
    client.force_login(staff)
    page = ordered(client)
    rerating.work(RECORDED)
    states = []
    for action in ("start", "stop", "start", "start"):
        client.post(page, {"action": action})
        states.append(Rerating.objects.get().state)
    rerating.work(RECORDED)

    assert states == ["running", "stopped", "running", "running"]
    assert Call.objects.get().cost == Decimal("0.10")
    assert client.post(page, {"action": "explode"}).status_code == 404


def test_where_nothing_would_change_there_is_nothing_to_start(
    client: Client, staff: User, price_list: PriceList, acme: Account
) -> None:
    charged(acme)
    client.force_login(staff)
    page = ordered(client)
    rerating.work(RECORDED)

    text = client.get(page).content.decode()

    assert "Nic by się nie zmieniło." in text and 'value="start"' not in text


def test_the_days_are_those_of_the_account_and_both_are_meant(
    client: Client, staff: User, price_list: PriceList, acme: Account
) -> None:
    Account.objects.filter(pk=acme.pk).update(time_zone="America/New_York")
    client.force_login(staff)

    page = ordered(client, account=acme.pk, first="2026-11-02", last="2026-11-02")

    order = Rerating.objects.get()
    assert [order.start.isoformat(), order.end.isoformat()] == [
        "2026-11-02T05:00:00+00:00",
        "2026-11-03T05:00:00+00:00",
    ]
    assert "02.11.2026 – 02.11.2026" in " ".join(client.get(page).content.decode().split())


def test_an_order_needs_days_in_their_order_and_a_reason(client: Client, staff: User) -> None:
    client.force_login(staff)

    swapped = client.post(PAGE, {"first": "2026-11-02", "last": "2026-11-01", "reason": "x"})
    empty = client.post(PAGE, {})

    assert "Ostatni dzień jest przed pierwszym." in swapped.content.decode()
    assert set(empty.context["form"].errors) == {"first", "last", "reason"}
    assert not Rerating.objects.exists()


def test_a_call_shows_every_factor_and_what_it_cost_before_to_those_who_may_see_costs(
    client: Client,
    staff: User,
    owner: Membership,
    agent: Membership,
    price_list: PriceList,
    acme: Account,
) -> None:
    (call,) = charged(acme)
    Rate.objects.update(per_minute="0.10")
    client.force_login(staff)
    page = ordered(client)
    rerating.work(RECORDED)
    client.post(page, {"action": "start"})
    rerating.work(RECORDED)

    seen = {}
    for membership in (owner, agent):
        client.force_login(membership.user)
        text = client.get(f"/accounts/acme/calls/call/{call.public_id}/").content.decode()
        seen[membership.role] = " ".join(text.split())

    history = "23.11.2026 13:00: 0,12 zł → 0,10 zł (ponowna wycena: Zła cena)"
    assert history in seen["owner"]
    assert "<dt>Cena za minutę</dt><dd>0,10 zł</dd>" in seen["owner"]
    assert "<dt>Dokładna suma</dt><dd>1/10</dd>" in seen["owner"]
    assert "0,1" not in seen["agent"]


def test_the_pages_take_as_many_queries_for_one_as_for_thirty(
    client: Client,
    staff: User,
    price_list: PriceList,
    acme: Account,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(staff)
    for count in (1, 30):
        Charge.objects.all().delete()
        Rate.objects.update(per_minute="0.12")
        charged(acme, count)
        Rate.objects.update(per_minute=f"0.{count}")
        page = ordered(client)
        rerating.work(RECORDED)
        client.post(page, {"action": "start"})
        rerating.work(RECORDED)
        with django_assert_num_queries(10):
            client.get(page)
        with django_assert_num_queries(5):
            client.get(PAGE)
