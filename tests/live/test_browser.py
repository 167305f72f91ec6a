"""The paths that customers take, in Chromium: with and without JavaScript, on a phone and at a desk."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import Account, Membership
from calls.models import Call, Extension
from tests.builders import make_call, make_missed, make_outgoing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTHS = {"phone": 390, "desk": 1440}


@pytest.fixture(params=["script", "no script"])
def script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "script")


@pytest.fixture(params=list(WIDTHS))
def page(browser: Browser, script: bool, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        java_script_enabled=script,
        viewport={"width": WIDTHS[request.param], "height": 900},
        locale="pl-PL",
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def calls(acme: Account) -> dict[str, Call]:
    now = timezone.now()
    Extension.objects.create(account=acme, number="101", name="Anna")
    Extension.objects.create(account=acme, number="102", name="Piotr")
    abroad: dict[str, Any] = {
        "extension": "102",
        "extensions": ["102"],
        "peer": "+493023125500",
        "direction": "international",
        "talk_s": 125,
        "charging": "charged",
        "cost": Decimal("1.2500"),
    }
    return {
        "abroad": make_outgoing(acme, at=now - timedelta(minutes=1), **abroad),
        "mobile": make_outgoing(acme, at=now - timedelta(minutes=2), charging="pending"),
        "answered": make_call(acme, at=now - timedelta(minutes=3), own_number="+48221111111"),
        "missed": make_missed(acme, at=now - timedelta(minutes=4), peer="+48600700800"),
    }


def sign_in(page: Page, address: str, membership: Membership) -> None:
    page.goto(address)
    page.get_by_label("E-mail").fill(membership.user.email)
    page.get_by_label("Hasło").fill("pass")
    page.get_by_role("button", name="Zaloguj się").click()
    expect(page.get_by_role("heading", name="Spis połączeń")).to_be_visible()


def rows(page: Page) -> Any:
    return page.locator("table.calls tbody tr")


def test_outgoing_calls_are_filtered_by_date_extension_and_direction(
    page: Page, live_server: Any, owner: Membership, calls: dict[str, Call], script: bool
) -> None:
    sign_in(page, live_server.url, owner)
    page.get_by_role("link", name="Wychodzące").click()
    expect(rows(page)).to_have_count(2)

    today = timezone.localdate().isoformat()
    page.get_by_text("Stanowisko", exact=True).first.click()
    page.get_by_label("102 Piotr").check()
    page.get_by_text("Kierunek", exact=True).first.click()
    page.get_by_label("zagraniczne").check()
    page.get_by_label("Od:").fill((timezone.localdate() - timedelta(days=1)).isoformat())
    page.get_by_label("Do:").fill(today)
    page.get_by_label("Okres:").select_option("własny zakres")
    page.get_by_role("button", name="Pokaż").click()

    expect(rows(page)).to_have_count(1)
    row = rows(page).first
    local = timezone.localtime(calls["abroad"].started_at)
    for text in (f"{local:%d.%m.%Y %H:%M:%S}", "+49\xa03023125500", "2:05", "1,25 zł"):
        expect(row).to_contain_text(text)
    expect(page).to_have_url(re.compile("extension=102.*direction=international"))

    page.reload()
    expect(rows(page)).to_have_count(1)


def test_incoming_calls_are_found_by_number_and_opened(
    page: Page, live_server: Any, owner: Membership, calls: dict[str, Call]
) -> None:
    sign_in(page, live_server.url, owner)
    page.get_by_role("link", name="Przychodzące").click()
    page.get_by_label("Numer:").fill("501 234 567")
    page.get_by_role("button", name="Pokaż").click()
    expect(rows(page)).to_have_count(1)

    rows(page).first.get_by_role("link").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Przychodzące: 501\xa0234\xa0567")
    expect(page.locator("dl.facts")).to_contain_text("22\xa0111\xa011\xa011")


def test_missed_calls_are_on_their_tab(
    page: Page, live_server: Any, owner: Membership, calls: dict[str, Call]
) -> None:
    sign_in(page, live_server.url, owner)
    page.get_by_role("link", name="Nieodebrane").click()

    expect(rows(page)).to_have_count(1)
    expect(rows(page).first).to_contain_text("600\xa0700\xa0800")
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]  # type: ignore[index]
