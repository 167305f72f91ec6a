"""A role that sees no last digits finds them neither on the pages about costs nor in their mails."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Account, Membership, Role, User
from billing.mailing import send_waiting
from billing.models import AccountPriceList, CostWatch, PriceList, Rate
from billing.watching import watch
from calls.models import Call
from tests.billing.mail_server import mail_server
from tests.billing.paid import paid_call
from tests.conftest import LONG_AGO, RECORDED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
NUMBER = "+37126123456"


@pytest.fixture
def manager(acme: Account) -> Membership:
    """Daria runs Acme's office, and its owner shows her no last digits."""
    acme.masked_roles = [Role.MANAGER]
    acme.save()
    user = User.objects.create_user("daria@acme.example", "pass", name="Daria")
    return Membership.objects.create(account=acme, user=user, role=Role.MANAGER)


@pytest.fixture
def call(acme: Account, owner: Membership, manager: Membership) -> Call:
    """A first call to Latvia, at a rate of this one number, with mails that wait."""
    CostWatch.objects.create(
        account=acme,
        remembers_since=RECORDED - timedelta(days=90),
        looked_until=RECORDED - timedelta(minutes=1),
        to_managers=True,
        addresses=["biuro@acme.example"],
    )
    made = paid_call(acme, "14.2", number=NUMBER, name="Łotwa", prefix=NUMBER[1:])
    watch(RECORDED)
    return made


def text(client: Client, user: User, path: str) -> str:
    client.force_login(user)
    response = client.get(f"/accounts/acme/{path}")
    assert response.status_code == 200
    return str(response.content.decode()).replace("\xa0", "").replace(" ", "")


def test_the_call_page_shows_neither_the_number_nor_a_rate_of_only_this_number(
    client: Client, call: Call, owner: Membership, manager: Membership
) -> None:
    page = f"calls/call/{call.public_id}/"

    assert text(client, owner.user, page).count("37126123456") > 2
    shown = text(client, manager.user, page)
    assert "26123456" not in shown
    assert "Łotwa(37126123xxx)" in shown


def test_the_pages_about_costs_show_no_number(
    client: Client, call: Call, acme: Account, manager: Membership
) -> None:
    prices = PriceList.objects.create(name="Base")
    Rate.objects.create(price_list=prices, prefix="371", name="Łotwa", valid_from=LONG_AGO)
    AccountPriceList.objects.create(account=acme, price_list=prices, since=LONG_AGO)

    costs = text(client, manager.user, "costs/")
    quote = text(client, manager.user, "costs/quote/?number=%2B37126123456&minutes=1&seconds=0")

    assert "Łotwa(+371)" in costs and "26123456" not in costs
    assert "<h2>+37126123xxx</h2>" in quote


def test_mails_show_whole_numbers_only_to_whom_the_pages_show_them(
    call: Call, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 5
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        assert send_waiting(RECORDED) == 3

    told = {
        message["To"]: "".join(
            message.get_body((kind,)).get_content()  # type: ignore[union-attr]
            for kind in ("plain", "html")
        )
        for message in server.received
    }
    assert {address: mail.count("+371\xa026123456") for address, mail in told.items()} == {
        "alicja@acme.example": 2,
        "daria@acme.example": 0,
        "biuro@acme.example": 0,
    }
    assert told["daria@acme.example"].count("+371\xa026123xxx") == 2
