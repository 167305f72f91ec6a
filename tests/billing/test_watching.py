"""A firm is told in time, once, and with the calls: of budgets, first calls, and spending far above the usual."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Membership, Role, User
from billing.charging import charge_pending
from billing.models import (
    AccountPriceList,
    Budget,
    Charge,
    CostWatch,
    Notice,
    NoticeMail,
    PriceList,
    Rate,
    SeenDestination,
)
from billing.watching import watch
from calls.ingest import inbox, pipeline
from calls.models import Call, Extension, Pbx
from calls.retention import purge
from tests.billing.paid import paid_call
from tests.conftest import LONG_AGO, RECORDED
from tests.records import freeswitch_scenarios

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FREESWITCH = {scenario.name: scenario for scenario in freeswitch_scenarios()}


@pytest.fixture
def watched(acme: Account) -> Account:
    """Acme since before any of the calls of a test."""
    CostWatch.objects.create(
        account=acme, remembers_since=RECORDED - 90 * DAY, looked_until=RECORDED - HOUR
    )
    return acme


def keys() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("key", flat=True))


def mails() -> list[tuple[str, str]]:
    found = NoticeMail.objects.order_by("pk").select_related("notice")
    return [(mail.notice.key, mail.address) for mail in found]


def budget(account: Account, amount: str = "10", **fields: Any) -> Budget:
    values = {"created_at": RECORDED - 60 * DAY, **fields}
    return Budget.objects.create(account=account, amount=Decimal(amount), **values)


def test_a_budget_is_told_at_80_and_at_100_percent_once_each(
    watched: Account, owner: Membership
) -> None:
    mine = budget(watched)
    told = []
    for number, cost in enumerate(("7.99", "0.01", "1.99", "0.01", "5")):
        paid_call(watched, cost, at=RECORDED + number * HOUR)
        watch(RECORDED + number * HOUR)
        told.append([key.split(":")[3] for key in keys()])

    assert told == [[], ["80"], ["80"], ["80", "100"], ["80", "100"]]
    assert mails() == [(key, owner.user.email) for key in keys()]
    assert keys()[0] == f"budget:{mine.pk}:2026-11:80:10.00"


def test_a_leap_over_both_is_one_mail(watched: Account, owner: Membership) -> None:
    mine = budget(watched)
    paid_call(watched, "25")

    watch(RECORDED)
    watch(RECORDED + HOUR)

    assert set(keys()) == {f"budget:{mine.pk}:2026-11:{part}:10.00" for part in ("80", "100")}
    assert mails() == [(f"budget:{mine.pk}:2026-11:100:10.00", owner.user.email)]


def test_re_rating_up_and_down_tells_nothing_twice(watched: Account, owner: Membership) -> None:
    budget(watched)
    call = paid_call(watched, "8")
    for hours, cost in enumerate(("8", "1", "9", "2", "8.5")):
        moment = RECORDED + hours * HOUR
        Call.objects.filter(id=call.id).update(cost=Decimal(cost))
        Charge.objects.update(amount=Decimal(cost), charged_at=moment)
        watch(moment)

    assert len(keys()) == 1
    assert len(mails()) == 1


def test_every_month_has_its_own(watched: Account, owner: Membership) -> None:
    budget(watched)
    paid_call(watched, "8")
    watch(RECORDED)
    december = datetime(2026, 12, 3, 12, tzinfo=UTC)
    paid_call(watched, "8", at=december)
    watch(december)

    assert [key.split(":")[2] for key in keys()] == ["2026-11", "2026-12"]


def test_a_call_of_the_last_day_counts_for_its_own_month(
    watched: Account, owner: Membership
) -> None:
    budget(watched)
    midnight = datetime(2026, 11, 30, 23, tzinfo=UTC)
    paid_call(watched, "8", at=midnight - timedelta(minutes=1), charged_at=midnight + HOUR)

    watch(midnight + HOUR)

    assert [key.split(":")[2] for key in keys()] == ["2026-11"]


def test_a_budget_of_an_extension_counts_the_calls_in_which_it_took_part(
    watched: Account, owner: Membership
) -> None:
    desk = Extension.objects.create(account=watched, number="102")
    mine = budget(watched, extension=desk)
    paid_call(watched, "8", extension="101", extensions=["101"])
    both = paid_call(watched, "8", extension="101", extensions=["101", "102"], at=RECORDED - HOUR)

    watch(RECORDED)

    (notice,) = Notice.objects.all()
    assert (notice.key, notice.facts["calls"]) == (
        f"budget:{mine.pk}:2026-11:80:10.00",
        [both.public_id],
    )


def test_a_budget_that_is_made_late_is_told_of_what_was_spent_already(
    watched: Account, owner: Membership
) -> None:
    paid_call(watched, "8")
    watch(RECORDED)
    assert keys() == []

    budget(watched, created_at=RECORDED)
    watch(RECORDED)

    assert len(mails()) == 1


def test_owners_managers_and_chosen_addresses_are_told_as_the_budget_says(
    watched: Account, owner: Membership, agent: Membership, stranger: Membership
) -> None:
    boss = User.objects.create_user("kierownik@acme.example", "pass")
    Membership.objects.create(account=watched, user=boss, role=Role.MANAGER)
    budget(watched, to_owners=False, to_managers=True, addresses=["Biuro@acme.example", boss.email])
    paid_call(watched, "8")

    watch(RECORDED)

    assert [address for _, address in mails()] == [boss.email, "biuro@acme.example"]


def test_nobody_is_told_of_another_account(
    watched: Account, beta: Account, owner: Membership, stranger: Membership
) -> None:
    budget(beta)
    paid_call(watched, "80", number="+37126123456")

    watch(RECORDED)

    assert mails() == [("first:+371", owner.user.email)]


def test_the_first_call_to_a_country_is_told_and_no_other(
    watched: Account, owner: Membership
) -> None:
    first = paid_call(watched, "14.20", number="+37126123456")
    watch(RECORDED)
    paid_call(watched, number="+37126999999", at=RECORDED + HOUR)
    paid_call(watched, number="703123456", at=RECORDED + HOUR)
    paid_call(watched, number="+48221234567", at=RECORDED + HOUR)
    watch(RECORDED + HOUR)

    assert keys() == ["first:+371", "first:+48 703"]
    assert Notice.objects.get(key="first:+371").facts["calls"] == [first.public_id]


def test_what_was_called_before_anybody_watched_is_known(acme: Account, owner: Membership) -> None:
    paid_call(acme, number="+4930123456", at=RECORDED - 200 * DAY)
    watch(RECORDED - HOUR)
    paid_call(acme, number="+4930123456")
    watch(RECORDED)

    assert keys() == []


# Dropping a partition cannot run inside a transaction.
@pytest.mark.django_db(transaction=True)
def test_a_destination_is_remembered_after_its_calls_are_gone(
    watched: Account, owner: Membership
) -> None:
    paid_call(watched, number="+37126123456")
    watch(RECORDED)
    a_year_later = RECORDED + 370 * DAY
    purge.run(a_year_later, database=a_year_later)
    assert not Call.objects.exists()
    assert not Notice.objects.exists()

    paid_call(watched, number="+37126123456", at=a_year_later)
    watch(a_year_later)

    assert keys() == []
    assert [each.destination for each in SeenDestination.objects.all()] == ["+371"]


def test_a_call_that_is_charged_weeks_later_is_no_news(watched: Account, owner: Membership) -> None:
    paid_call(watched, number="+37126123456", at=RECORDED - 20 * DAY, charged_at=RECORDED)

    watch(RECORDED)

    assert keys() == []


def usual_weeks(account: Account, cost: str = "2") -> None:
    """Eight weeks of workdays with a call at ten."""
    for days in range(1, 57):
        moment = RECORDED - days * DAY
        if moment.weekday() < 5:
            paid_call(account, cost, at=moment)


def test_a_day_and_an_hour_far_above_the_usual_are_told_while_they_last(
    watched: Account, owner: Membership
) -> None:
    usual_weeks(watched)
    told = []
    for minutes, cost in ((0, "9"), (10, "2"), (20, "10"), (30, "30")):
        moment = RECORDED + timedelta(minutes=minutes)
        paid_call(watched, cost, at=moment)
        watch(moment)
        told.append([key.removesuffix(":2026-11-23") for key in keys()])

    # The usual is 2 a day and in its dearest hour; the limits are the least: 20 a day, 10 in an hour.
    assert told == [
        [],
        ["unusual:hour"],
        ["unusual:hour", "unusual:day"],
        ["unusual:hour", "unusual:day"],
    ]
    facts = Notice.objects.get(key="unusual:day:2026-11-23").facts
    assert {name: facts[name] for name in ("spent", "usual", "most")} == {
        "spent": "21.000000",
        "usual": "2.000000",
        "most": "20",
    }
    assert len(facts["calls"]) == 3


def test_a_young_firm_has_no_usual(watched: Account, owner: Membership) -> None:
    for days in range(1, 20):
        paid_call(watched, "0.1", at=RECORDED - days * DAY)
    paid_call(watched, "500")

    watch(RECORDED)

    assert keys() == []


def test_a_firm_can_do_without_these_messages(watched: Account, owner: Membership) -> None:
    CostWatch.objects.update(first_calls=False, unusual=False)
    usual_weeks(watched)
    paid_call(watched, "500", number="+37126123456")

    watch(RECORDED)
    CostWatch.objects.update(first_calls=True)
    paid_call(watched, number="+37126123456", at=RECORDED + HOUR)
    watch(RECORDED + HOUR)

    assert keys() == []


def test_a_failure_in_one_account_leaves_the_others_watched(
    watched: Account, beta: Account, stranger: Membership
) -> None:
    CostWatch.objects.create(
        account=beta, remembers_since=RECORDED - DAY, looked_until=RECORDED - HOUR
    )
    Account.objects.filter(pk=watched.pk).update(time_zone="Nowhere/Land")
    budget(watched)
    paid_call(watched, "80")
    paid_call(beta, number="+37126123456")

    watch(RECORDED)

    assert mails() == [("first:+371", stranger.user.email)]


def test_where_nothing_was_charged_an_account_takes_one_query(
    watched: Account, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    usual_weeks(watched)
    budget(watched)
    watch(RECORDED)
    watch(RECORDED + 2 * HOUR)

    with django_assert_num_queries(3):
        assert watch(RECORDED + 2 * HOUR) == 0


def test_a_recorded_call_is_told_as_soon_as_it_is_charged(
    freeswitch: Pbx, watched: Account, owner: Membership
) -> None:
    price_list = PriceList.objects.create(name="Cennik")
    AccountPriceList.objects.create(account=watched, price_list=price_list, since=LONG_AGO)
    Rate.objects.create(
        price_list=price_list,
        prefix="48",
        name="Polska",
        per_minute=Decimal("12"),
        valid_from=LONG_AGO,
    )
    mine = budget(watched, "1")
    inbox.receive(freeswitch, FREESWITCH["out_answered#0"].bodies, now=RECORDED)
    pipeline.fold_batch(freeswitch, RECORDED)
    started_at = Call.objects.get().started_at
    soon = started_at + timedelta(minutes=1)
    charge_pending(soon)

    watch(soon)

    assert mails() == [(f"budget:{mine.pk}:{started_at:%Y-%m}:100:1.00", owner.user.email)]
