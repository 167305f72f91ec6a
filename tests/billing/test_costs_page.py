"""«Koszty»: figures that are the sums of their lists, for those who may see them."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Membership, User
from billing import costs
from billing.models import (
    AccountPriceList,
    Budget,
    Charge,
    CostWatch,
    PriceList,
    Rate,
    VatRate,
)
from billing.overview import budgets_of, overview
from billing.watching import watch
from calls.models import Call, Extension
from tests.billing.paid import paid_call
from tests.builders import make_call
from tests.conftest import LONG_AGO, RECORDED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
DAY = timedelta(days=1)
COSTS = "/accounts/acme/costs/"


@pytest.fixture
def budget(acme: Account) -> Budget:
    return Budget.objects.create(account=acme, amount=Decimal(100))


def get(client: Client, user: User, path: str = COSTS) -> Any:
    client.force_login(user)
    return client.get(path)


def pages(budget: Budget) -> list[str]:
    parts = ("", "budgets/new/", f"budgets/{budget.pk}/", "messages/", "quote/")
    return [COSTS + part for part in parts]


def test_only_who_may_see_costs_finds_the_pages(
    client: Client, owner: Membership, agent: Membership, stranger: Membership, budget: Budget
) -> None:
    staff = User.objects.create_user("olga@operator.example", "pass", is_staff=True)
    users = {"owner": owner.user, "staff": staff, "agent": agent.user, "stranger": stranger.user}
    answers = {}
    for name, user in users.items():
        answers[name] = {get(client, user, page).status_code for page in pages(budget)}
    client.logout()
    answers["anonymous"] = {client.get(page).status_code for page in pages(budget)}

    assert answers == {
        "owner": {200},
        "staff": {200},
        "agent": {404},
        "stranger": {404},
        "anonymous": {302},
    }


def test_nothing_can_be_changed_by_who_may_not_see_it(
    client: Client, agent: Membership, stranger: Membership, budget: Budget, beta: Account
) -> None:
    foreign = f"/accounts/beta/costs/budgets/{budget.pk}/"
    for user, path in (
        (agent.user, pages(budget)[2]),
        (stranger.user, pages(budget)[2]),
        (stranger.user, foreign),
    ):
        client.force_login(user)
        assert client.post(path, {"action": "delete"}).status_code == 404

    assert Budget.objects.count() == 1


def test_the_list_leads_to_the_costs_for_those_who_may_see_them(
    client: Client, owner: Membership, agent: Membership
) -> None:
    shown = [
        COSTS in get(client, each.user, "/accounts/acme/calls/").content.decode()
        for each in (owner, agent)
    ]

    assert shown == [True, False]


def links(page: str) -> dict[str, str]:
    """The links to lists of calls: address → the figure on it."""
    found = re.findall(r'<a href="(/accounts/acme/calls/\?[^"]*)">([^<]*zł)</a>', page)
    return {html.unescape(path): figure for path, figure in found}


def test_every_figure_is_the_total_of_the_list_that_it_leads_to(
    client: Client, owner: Membership, acme: Account, beta: Account, budget: Budget
) -> None:
    desk = Extension.objects.create(account=acme, number="101")
    Extension.objects.create(account=acme, number="102")
    Budget.objects.create(account=acme, extension=desk, amount=Decimal(5))
    paid_call(acme, "1.2345")
    paid_call(acme, "0.0049", number="+4930123456", at=RECORDED - DAY, extensions=["101", "102"])
    paid_call(acme, "2.52", number="703123456", at=RECORDED - 5 * DAY, extensions=["102"])
    paid_call(acme, "7", at=RECORDED - 30 * DAY)
    paid_call(beta, "90")
    make_call(acme, kind="outgoing", charging="no_rate")

    page = get(client, owner.user).content.decode()

    figures = links(page)
    assert figures == {
        "/accounts/acme/calls/?period=today": "1,23 zł",
        "/accounts/acme/calls/?period=this_month": "3,76 zł",
        "/accounts/acme/calls/?period=last_month": "7,00 zł",
        "/accounts/acme/calls/?period=this_month&direction=special": "2,52 zł",
        "/accounts/acme/calls/?period=this_month&direction=mobile": "1,23 zł",
        "/accounts/acme/calls/?period=this_month&direction=international": "0,00 zł",
        "/accounts/acme/calls/?period=this_month&extension=101": "1,24 zł",
        "/accounts/acme/calls/?period=this_month&extension=102": "2,52 zł",
    }
    for path, figure in figures.items():
        totals = get(client, owner.user, path).context["totals"]
        assert f"{totals['cost']:.2f}".replace(".", ",") + " zł" == figure
    assert "1 połączenie z tego miesiąca nie ma jeszcze ceny" in page


moments = st.datetimes(datetime(2026, 9, 1), datetime(2026, 11, 23, 12), timezones=st.just(UTC))
numbers = st.sampled_from(["+48501234567", "+493012345", "703123456"])
paid = st.tuples(moments, st.decimals(0, 50, places=4), numbers)


@given(st.lists(paid, max_size=12))
@settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_parts_of_a_month_are_the_month_and_the_charges_are_the_costs(
    owner: Membership, calls: list[tuple[datetime, Decimal, str]]
) -> None:
    Charge.objects.all().delete()
    Call.objects.all().delete()
    for moment, cost, number in calls:
        paid_call(owner.account, str(cost), at=moment, number=number)
    mine = Call.objects.visible_to(owner)

    figures = overview(owner.account, mine, RECORDED)

    period = costs.month_of(RECORDED, owner.account.tz)
    charges = Charge.objects.filter(
        call_started_at__gte=period.start, call_started_at__lt=period.end
    )
    amounts = charges.values_list("amount", flat=True)
    assert figures.month == sum(figures.by_direction.values()) == sum(amounts)
    assert figures.by_extension.get("101", 0) == figures.month
    days = costs.spending(owner.account, RECORDED).days
    assert figures.today == days.get(date(2026, 11, 23), 0)


def test_the_forecast_is_what_was_spent_and_what_such_days_cost(acme: Account) -> None:
    for days in range(1, 60):
        if (RECORDED - days * DAY).weekday() < 5:
            paid_call(acme, "2", at=RECORDED - days * DAY)
    paid_call(acme, "0.5")
    # 2 to 20 November: 15 workdays, on 11 November too, which as a holiday is a Sunday: of nine Sundays one cost 2.
    # To come: today at least 2, Tue 24 to Fri 27, Mon 30, and Sun 29 for 2/9.
    assert costs.forecast(acme, Decimal("30.5"), RECORDED) == 30 + 2 + 5 * 2 + Decimal(2) / 9


def test_without_four_weeks_of_calls_there_is_no_forecast(
    client: Client, owner: Membership, acme: Account
) -> None:
    paid_call(acme, at=RECORDED - 27 * DAY)

    page = get(client, owner.user)

    assert page.context["costs"].forecast is None
    assert "Prognoza potrzebuje czterech tygodni połączeń." in page.content.decode()


def test_the_month_is_shown_with_vat_too(client: Client, owner: Membership, acme: Account) -> None:
    VatRate.objects.create(percent=Decimal(23), since=date(2020, 1, 1))
    paid_call(acme, "10")

    assert "brutto 12,30 zł (23% VAT)" in get(client, owner.user).content.decode()


def test_a_list_in_another_currency_has_its_figures_in_it(
    client: Client, owner: Membership, acme: Account
) -> None:
    euro = PriceList.objects.create(name="Euro", currency="EUR")
    AccountPriceList.objects.create(account=acme, price_list=euro, since=LONG_AGO)
    paid_call(acme, "10")

    page = get(client, owner.user).content.decode()

    assert "10,00\xa0EUR" in page and "zł" not in page


def test_a_budget_is_made_changed_and_given_up(
    client: Client, owner: Membership, acme: Account
) -> None:
    client.force_login(owner.user)
    desk = Extension.objects.create(account=acme, number="101")
    CostWatch.objects.create(account=acme, seen=5)
    values = {"extension": desk.pk, "amount": "1 234,50", "to_owners": "on", "addresses": ""}

    client.post(f"{COSTS}budgets/new/", values)
    made = Budget.objects.get()
    again = client.post(f"{COSTS}budgets/new/", values)
    client.post(
        f"{COSTS}budgets/{made.pk}/", {**values, "amount": "50", "addresses": "a@b.pl,c@d.pl"}
    )
    changed = Budget.objects.get()
    client.post(f"{COSTS}budgets/{made.pk}/", {"action": "delete"})

    assert (made.account, made.extension, made.amount) == (acme, desk, Decimal("1234.50"))
    assert "Taki budżet już jest" in again.content.decode()
    assert (changed.amount, changed.addresses) == (Decimal(50), ["a@b.pl", "c@d.pl"])
    assert not Budget.objects.exists()
    assert CostWatch.objects.get().seen is None


def test_a_budget_has_an_amount_real_addresses_and_an_extension_of_its_own_account(
    client: Client, owner: Membership, beta: Account
) -> None:
    client.force_login(owner.user)
    foreign = Extension.objects.create(account=beta, number="900")

    page = client.post(
        f"{COSTS}budgets/new/",
        {"extension": foreign.pk, "amount": "-1", "addresses": "nikt"},
    )

    assert set(page.context["form"].errors) == {"extension", "amount", "addresses"}
    assert "900" not in page.content.decode()
    assert not Budget.objects.exists()


def test_what_is_told_and_to_whom_can_be_changed(client: Client, owner: Membership) -> None:
    client.force_login(owner.user)

    client.post(f"{COSTS}messages/", {"unusual": "on", "addresses": "biuro@acme.example"})

    watched = CostWatch.objects.get()
    assert (watched.first_calls, watched.unusual, watched.to_owners) == (False, True, False)
    assert watched.addresses == ["biuro@acme.example"]


def test_a_message_leads_to_its_calls(
    client: Client, owner: Membership, acme: Account, budget: Budget
) -> None:
    Budget.objects.update(created_at=RECORDED - 40 * DAY)
    CostWatch.objects.create(account=acme, remembers_since=RECORDED - 90 * DAY)
    call = paid_call(acme, "85", number="+37126123456", at=RECORDED - timedelta(hours=1))
    watch(RECORDED)

    page = get(client, owner.user)

    notices = page.context["notices"]
    assert [each.title for each in notices] == [
        "Pierwsze połączenie na: Taryfa (+371)",
        "Wydano 80% budżetu",
    ]
    for each in notices:
        assert each.path in html.unescape(page.content.decode())
        found = get(client, owner.user, each.path).context["page"].calls
        assert [one.id for one in found] == [call.id]


def test_the_page_takes_as_many_queries_for_a_busy_firm_as_for_a_quiet_one(
    client: Client,
    owner: Membership,
    acme: Account,
    budget: Budget,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(owner.user)
    for count in (1, 30):
        for number in range(Extension.objects.count(), count):
            desk = Extension.objects.create(account=acme, number=f"{100 + number}")
            Budget.objects.create(account=acme, extension=desk, amount=Decimal(5))
            paid_call(acme, extensions=[desk.number], at=RECORDED - number * DAY)
        with django_assert_num_queries(16):
            client.get(COSTS)


def test_each_message_on_the_page_takes_one_more_query(
    client: Client,
    owner: Membership,
    acme: Account,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(owner.user)
    CostWatch.objects.create(account=acme, remembers_since=RECORDED - 90 * DAY)
    for place in range(370, 380):
        paid_call(acme, number=f"+{place}26123456", at=RECORDED - timedelta(minutes=place))
    watch(RECORDED)

    with django_assert_num_queries(16 + 5):
        page = client.get(COSTS)

    assert len(page.context["notices"]) == 5


def test_a_budget_says_how_much_of_it_is_used(acme: Account, owner: Membership) -> None:
    Budget.objects.create(account=acme, amount=Decimal(3))
    paid_call(acme, "2.3999")
    figures = overview(acme, Call.objects.visible_to(owner), RECORDED)

    assert [(each.spent, each.percent) for each in budgets_of(acme, figures)] == [
        (Decimal("2.3999"), 79)
    ]


def test_what_a_call_would_cost_is_said_with_its_sentence(
    client: Client, owner: Membership, acme: Account
) -> None:
    price_list = PriceList.objects.create(name="Cennik 2026")
    AccountPriceList.objects.create(account=acme, price_list=price_list, since=LONG_AGO)
    Rate.objects.create(
        price_list=price_list,
        prefix="48",
        name="Polska",
        per_minute=Decimal("0.12"),
        first_increment=60,
        next_increment=60,
        valid_from=LONG_AGO,
    )
    Rate.objects.create(
        price_list=price_list, prefix="88", name="Blok", treatment="blocked", valid_from=LONG_AGO
    )

    def answer(number: str, **more: Any) -> str:
        query = {"number": number, "minutes": "1", "seconds": "5", **more}
        client.force_login(owner.user)
        page = client.get(f"{COSTS}quote/", query).content.decode()
        found = re.search(r'<section class="card quote".*?</section>', page, re.DOTALL)
        return (
            re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", html.unescape(found[0]))) if found else page
        )

    said = answer("501 234 567")
    assert "501 234 567 0,24 zł netto" in said
    assert "1 min 5 s" in said and "60/60" in said and "„Cennik 2026”" in said
    assert "nie ma ceny" in answer("+49 30 123456")
    assert "nie pozwala" in answer("+882 13001234")
    assert "nie jest numer" in answer("hello")
    assert "bezpłatne" in answer("112")
    assert "0,12 zł" in answer(
        "501234567", minutes="", seconds="1", day="2026-12-24", clock="23:30"
    )
    assert 'class="error"' in answer("501234567", minutes="-1")
