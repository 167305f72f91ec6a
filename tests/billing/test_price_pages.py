"""The operator's pages of price lists: files in, files out, for staff alone."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Membership, User
from billing.models import AccountPriceList, PriceList, PriceListImport, Rate
from billing.pricefiles import imports
from tests.conftest import RECORDED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
FILE = "Prefiks;Nazwa;Cena za minutę\n48;Polska;0,12\n49;Niemcy;\n".encode()


@pytest.fixture
def staff() -> User:
    return User.objects.create_user("olga@operator.example", "pass", name="Olga", is_staff=True)


@pytest.fixture
def price_list() -> PriceList:
    return PriceList.objects.create(name="Cennik 2026")


@pytest.fixture
def order(price_list: PriceList) -> PriceListImport:
    made = PriceListImport.objects.create(
        price_list=price_list,
        file_name="ceny.csv",
        content=FILE,
        effective=RECORDED + timedelta(hours=11),
        requested_at=RECORDED,
    )
    imports.work(RECORDED)
    return made


def paths(price_list: PriceList, order: PriceListImport) -> list[str]:
    pages = [f"{price_list.pk}/{page}" for page in ("", "export.csv", "export.xlsx")]
    return [f"/operator/prices/{page}" for page in ("", *pages, f"imports/{order.pk}/")]


def test_the_pages_are_there_for_staff_and_for_nobody_else(
    client: Client,
    staff: User,
    owner: Membership,
    agent: Membership,
    stranger: Membership,
    price_list: PriceList,
    order: PriceListImport,
) -> None:
    users = {"staff": staff, "owner": owner.user, "agent": agent.user, "stranger": stranger.user}
    answers = {}
    for name, user in users.items():
        client.force_login(user)
        answers[name] = {client.get(path).status_code for path in paths(price_list, order)}
    client.logout()
    answers["anonymous"] = {client.get(path).status_code for path in paths(price_list, order)}

    assert answers == {
        "staff": {200},
        "owner": {404},
        "agent": {404},
        "stranger": {404},
        "anonymous": {302},
    }


def upload(client: Client, price_list: PriceList, **fields: Any) -> Any:
    values = {"mode": "additions", "day": "2026-12-01", **fields}
    file = SimpleUploadedFile("ceny.csv", FILE)
    return client.post(f"/operator/prices/{price_list.pk}/", {"file": file, **values})


def test_a_file_goes_the_whole_way_from_the_form_to_a_price(
    client: Client, staff: User, price_list: PriceList
) -> None:
    client.force_login(staff)

    page = upload(client, price_list)["Location"]
    waiting = client.get(page)
    imports.work(RECORDED)
    ready = client.get(page)
    client.post(page, {"action": "apply"})
    refused = PriceListImport.objects.get().state
    client.post(page, {"action": "apply", "findings": "1"})
    imports.work(RECORDED)

    assert (waiting["Refresh"], ready.has_header("Refresh")) == ("2", False)
    text = ready.content.decode()
    assert "nie ma ceny" in text and "0,12 zł/min, 1/1" in text
    assert refused == "ready"
    done = PriceListImport.objects.get()
    assert (done.state, done.requested_by, done.file_name) == ("done", staff, "ceny.csv")
    rates = Rate.objects.values_list("prefix", "name", "per_minute", "valid_from")
    assert [(*rate[:3], rate[3].isoformat()) for rate in rates] == [
        ("48", "Polska", Decimal("0.12"), "2026-11-30T23:00:00+00:00")
    ]


def test_prices_hold_from_tomorrow_unless_somebody_says_otherwise(
    client: Client, staff: User, price_list: PriceList
) -> None:
    client.force_login(staff)

    page = client.get(f"/operator/prices/{price_list.pk}/").content.decode()

    assert 'value="2026-11-24"' in page


def test_a_form_without_a_file_or_a_day_says_so(
    client: Client, staff: User, price_list: PriceList
) -> None:
    client.force_login(staff)

    page = upload(client, price_list, file="", day="").content.decode()

    assert page.count("To pole jest wymagane.") == 2
    assert not PriceListImport.objects.exists()


def test_what_is_discarded_is_not_applied(
    client: Client, staff: User, order: PriceListImport
) -> None:
    client.force_login(staff)

    for action in ("discard", "apply"):
        client.post(f"/operator/prices/imports/{order.pk}/", {"action": action, "findings": "1"})
    imports.work(RECORDED)

    assert PriceListImport.objects.get().state == "discarded"
    assert not Rate.objects.exists()


def test_an_unknown_action_and_an_unknown_list_are_not_found(
    client: Client, staff: User, order: PriceListImport
) -> None:
    client.force_login(staff)

    assert client.post(f"/operator/prices/imports/{order.pk}/", {}).status_code == 404
    assert client.get("/operator/prices/999/").status_code == 404
    assert client.get("/operator/prices/999/export.csv").status_code == 404


def test_a_list_is_exported_as_of_now_or_with_all_its_dates(
    client: Client, staff: User, price_list: PriceList
) -> None:
    client.force_login(staff)
    for price, since in (("0.12", datetime(2026, 1, 1)), ("0.10", datetime(2027, 1, 1))):
        Rate.objects.create(
            price_list=price_list,
            prefix="48",
            name="=Polska",
            per_minute=Decimal(price),
            valid_from=since.astimezone(RECORDED.tzinfo),
        )

    def lines(query: str = "") -> list[str]:
        response = client.get(f"/operator/prices/{price_list.pk}/export.csv{query}")
        assert "2026-11-23.csv" in response["Content-Disposition"]
        return [line[:32] for line in response.content.decode().split("\r\n")[1:-1]]

    assert lines() == ["48;'=Polska;z numerem kraju;wyce"]
    assert lines("?dates=1") == ["48;'=Polska;z numerem kraju;wyce"] * 2


def test_the_lists_are_shown_with_their_prefixes_and_payers(
    client: Client, staff: User, price_list: PriceList, acme: Account, beta: Account
) -> None:
    own = PriceList.objects.create(name="Cennik Acme", base=price_list)
    for account in (acme, beta):
        AccountPriceList.objects.create(account=account, price_list=own)
    for prefix, days in (("48", 1), ("48", 2), ("49", 1), ("33", -1)):
        Rate.objects.create(
            price_list=price_list,
            prefix=prefix,
            name=prefix,
            valid_from=RECORDED - timedelta(days=days),
        )
    client.force_login(staff)

    lists = client.get("/operator/prices/").context["lists"]

    assert [(each.name, each.prefixes, each.payers) for each in lists] == [
        ("Cennik 2026", 2, 0),
        ("Cennik Acme", 0, 2),
    ]


def test_the_pages_take_as_many_queries_for_one_list_as_for_thirty(
    client: Client,
    staff: User,
    order: PriceListImport,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(staff)
    for count in (1, 30):
        for number in range(PriceList.objects.count(), count):
            made = PriceList.objects.create(name=f"Cennik {number}", base=order.price_list)
            AccountPriceList.objects.create(
                account=Account.objects.create(name=str(number), slug=str(number)), price_list=made
            )
            PriceListImport.objects.create(
                price_list=order.price_list,
                content=b"",
                effective=RECORDED,
                requested_at=RECORDED,
                requested_by=staff,
            )
        for path, queries in (("", 5), (f"{order.price_list.pk}/", 7), (f"imports/{order.pk}/", 3)):
            with django_assert_num_queries(queries):
                client.get(f"/operator/prices/{path}")
