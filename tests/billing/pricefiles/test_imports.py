"""A file becomes prices: compared in the worker, applied at once or not at all, and only as somebody agreed to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings

from accounts.models import Account
from billing.models import AccountPriceList, Charge, PriceList, PriceListImport, Rate
from billing.pricefiles import imports, stored, writing
from billing.pricefiles.comparing import compare
from billing.pricefiles.content import Version
from billing.pricefiles.imports import operator_zone
from billing.pricefiles.reading import Reader, read
from calls import partitions
from calls.models import UnpricedCall
from tests.billing.pricefiles.lists import NOW, TOMORROW, YEAR, price_lists

pytestmark = pytest.mark.django_db
BEFORE = "prefix;name;price\n48;Polska;0,12\n4822;Warszawa;0,06\n49;Niemcy;0,20\n"
AFTER = "prefix;name;price\n48;Polska;0,10\n4822;Warszawa;0,06\n33;Francja;0,22\n"


@pytest.fixture
def price_list() -> PriceList:
    return PriceList.objects.create(name="Cennik")


def order(price_list: PriceList, content: str | bytes, **fields: Any) -> PriceListImport:
    values: dict[str, Any] = {
        "file_name": "cennik.csv",
        "effective": TOMORROW,
        "requested_at": NOW,
        **fields,
    }
    data = content.encode() if isinstance(content, str) else content
    return PriceListImport.objects.create(price_list=price_list, content=data, **values)


def applied(price_list: PriceList, content: str | bytes, **fields: Any) -> PriceListImport:
    """An import with everything said yes to, worked off."""
    made = order(price_list, content, **fields)
    imports.work(NOW)
    made.refresh_from_db()
    assert made.order(NOW, {"findings", "past"})
    imports.work(NOW)
    made.refresh_from_db()
    return made


def prices(price_list: PriceList, at: datetime) -> dict[str, str]:
    """What holds at a moment: prefix → price a minute."""
    found = stored.in_force(stored.versions(price_list), at)
    return {each.prefix: str(each.content.per_minute.normalize()) for each in found}


def test_a_file_is_compared_before_anything_changes(price_list: PriceList) -> None:
    applied(price_list, BEFORE, effective=YEAR)
    made = order(price_list, AFTER, mode="complete")

    assert imports.work(NOW) == 1

    made.refresh_from_db()
    assert (made.state, made.done, made.total) == ("ready", 3, 3)
    assert made.report["counts"] == {
        "new": 1,
        "changed": 1,
        "ended": 1,
        "unchanged": 1,
        "findings": 0,
    }
    assert prices(price_list, TOMORROW) == {"48": "0.12", "4822": "0.06", "49": "0.2"}


def test_what_was_agreed_to_holds_from_its_day_and_not_before(price_list: PriceList) -> None:
    applied(price_list, BEFORE, effective=YEAR)

    done = applied(price_list, AFTER, mode="complete")

    assert (done.state, done.finished_at) == ("done", NOW)
    assert prices(price_list, NOW) == {"48": "0.12", "4822": "0.06", "49": "0.2"}
    assert prices(price_list, TOMORROW) == {"48": "0.1", "4822": "0.06", "33": "0.22"}


def test_additions_end_nothing(price_list: PriceList) -> None:
    applied(price_list, BEFORE, effective=YEAR)
    applied(price_list, AFTER)

    assert prices(price_list, TOMORROW) == {
        "48": "0.1",
        "4822": "0.06",
        "49": "0.2",
        "33": "0.22",
    }


def test_the_same_file_again_changes_nothing(price_list: PriceList) -> None:
    applied(price_list, BEFORE, effective=YEAR)
    applied(price_list, AFTER, mode="complete")
    rates = list(Rate.objects.order_by("pk").values())

    again = order(price_list, AFTER, mode="complete")
    imports.work(NOW)

    again.refresh_from_db()
    assert again.report["changes"] == {"new": [], "changed": [], "ended": []}
    assert list(Rate.objects.order_by("pk").values()) == rates


def test_nothing_is_applied_while_a_row_is_unsound_unless_the_operator_says_so(
    price_list: PriceList,
) -> None:
    made = order(price_list, BEFORE + "31;Holandia;\n")
    imports.work(NOW)
    made.refresh_from_db()

    assert made.report["findings"] == [{"line": 5, "fault": "no_price", "value": ""}]
    assert not made.order(NOW, set())
    assert made.order(NOW, {"findings"})
    imports.work(NOW)
    assert set(prices(price_list, TOMORROW)) == {"48", "4822", "49"}


def test_no_price_of_the_past_changes_by_accident(price_list: PriceList) -> None:
    made = order(price_list, BEFORE, effective=YEAR)
    imports.work(NOW)
    made.refresh_from_db()

    assert made.is_past(NOW)
    assert not made.order(NOW, {"findings"})
    assert made.order(NOW, {"past"})


def test_a_day_that_began_while_the_operator_thought_is_asked_about_again(
    price_list: PriceList,
) -> None:
    made = order(price_list, BEFORE)
    imports.work(NOW)
    made.refresh_from_db()
    assert made.order(NOW, set())

    imports.work(TOMORROW + timedelta(minutes=1))

    made.refresh_from_db()
    assert (made.state, made.report["again"]) == ("ready", True)
    assert not Rate.objects.exists()


def test_a_list_that_changed_since_is_compared_again_and_nothing_is_applied(
    price_list: PriceList,
) -> None:
    made = order(price_list, BEFORE)
    imports.work(NOW)
    made.refresh_from_db()
    made.order(NOW, set())
    Rate.objects.create(price_list=price_list, prefix="48", name="Polska", valid_from=TOMORROW)
    price_list.refresh_from_db()
    price_list.save()

    imports.work(NOW)

    made.refresh_from_db()
    assert (made.state, made.report["counts"]["changed"]) == ("ready", 1)
    assert Rate.objects.count() == 1


def test_an_import_is_applied_once_however_often_the_worker_is_asked(
    price_list: PriceList,
) -> None:
    applied(price_list, BEFORE)
    revision = PriceList.objects.get().revision

    assert imports.work(NOW) == 0
    assert PriceList.objects.get().revision == revision


def test_two_rows_may_change_the_same_version(price_list: PriceList) -> None:
    applied(price_list, BEFORE, effective=YEAR)

    rows = (
        "prefix;price;from;to\n48;0,11;;30.11.2026\n48;0,11;2026-01-01T00:00:00+00:00;31.12.2026\n"
    )
    done = applied(price_list, rows)

    (rate,) = Rate.objects.filter(prefix="48")
    assert (done.state, str(rate.per_minute)) == ("done", "0.110000")
    assert rate.valid_to == datetime(2026, 11, 30, 23, tzinfo=UTC)


def test_what_a_worker_died_on_is_taken_up_by_another(price_list: PriceList) -> None:
    made = order(price_list, BEFORE)
    PriceListImport.objects.update(claimed_at=timezone.now())
    assert imports.work(NOW) == 0

    PriceListImport.objects.update(claimed_at=timezone.now() - timedelta(minutes=3))
    assert imports.work(NOW) == 1

    made.refresh_from_db()
    assert made.state == "ready"


def test_whoever_remembers_prices_is_told_and_unrated_calls_are_tried_again(
    price_list: PriceList, acme: Account
) -> None:
    UnpricedCall.objects.create(account=acme, started_at=NOW, call_id=1, no_rate=True)
    revision = price_list.revision

    applied(price_list, BEFORE)

    assert PriceList.objects.get().revision != revision
    assert [each.no_rate for each in UnpricedCall.objects.all()] == [False]


def test_a_file_that_is_none_is_refused_with_its_reason(price_list: PriceList) -> None:
    made = order(price_list, b"\x89PNG\0")

    imports.work(NOW)

    made.refresh_from_db()
    assert (made.state, made.report) == ("refused", {"refusal": "unreadable", "detail": ""})


def make_charge(account: Account, number: str, at: datetime, pk: int) -> None:
    partitions.ensure(Charge._meta.db_table, [partitions.month_of(at)])
    Charge.objects.create(
        account=account,
        answered_at=at,
        id=pk,
        call_started_at=at,
        call_id=pk,
        number=number,
        seconds=60,
        estimated=False,
        amount=Decimal("0.12"),
        currency="PLN",
        terms_id=1,
        charged_at=at,
    )


def test_it_is_said_how_many_charged_calls_a_price_of_the_past_concerns(
    price_list: PriceList, acme: Account, beta: Account
) -> None:
    own = PriceList.objects.create(name="Cennik Acme", base=price_list)
    AccountPriceList.objects.create(account=acme, price_list=own, since=YEAR)
    june = datetime(2026, 6, 1, tzinfo=UTC)
    make_charge(acme, "+48221234567", june + timedelta(days=1), 1)
    make_charge(acme, "22 123 45 67", june + timedelta(days=2), 2)
    make_charge(acme, "+48501234567", june + timedelta(days=1), 3)
    make_charge(acme, "+48221234567", june - timedelta(days=1), 4)
    make_charge(beta, "+48221234567", june + timedelta(days=1), 5)

    made = order(price_list, "prefix;price\n4822;0,05\n", effective=june)
    imports.work(NOW)

    made.refresh_from_db()
    assert made.report["touched"] == 2


@given(price_lists)
@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_list_that_is_imported_somewhere_else_is_the_same_list(
    acme: Account, versions: list[Version]
) -> None:
    """And stays it when it is exported from there and imported once more."""
    PriceList.objects.filter(name="Kopia").delete()
    copy = PriceList.objects.create(name="Kopia")

    applied(copy, writing.as_csv(versions, operator_zone(), dates=True), effective=TOMORROW)

    there = stored.versions(copy)
    assert [(v.key, v.valid_from, v.valid_to, v.content) for v in there] == [
        (v.key, v.valid_from, v.valid_to, v.content) for v in versions
    ]
    file = read(writing.as_xlsx(there, operator_zone(), dates=True), Reader(operator_zone()))
    assert compare(file, there, TOMORROW, complete=True).changes == []


def test_an_import_of_any_size_is_a_fixed_number_of_statements(
    price_list: PriceList, django_assert_num_queries: Any
) -> None:
    rows = "".join(f"{prefix};0,10\n" for prefix in range(1000, 1030))
    for content in ("prefix;price\n1000;0,10\n", "prefix;price\n" + rows):
        Rate.objects.all().delete()
        made = order(price_list, content)
        with django_assert_num_queries(8):
            imports.work(NOW)
        made.refresh_from_db()
        made.order(NOW, set())
        with django_assert_num_queries(16):
            imports.work(NOW)
