"""The operator's area in Chromium: with and without JavaScript, on a phone and at a desk."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from calls.ingest import inbox, pipeline
from calls.ingest.source_counts import hour_of
from calls.models import InboxRecord, Pbx, Silence, SourceFinding, SourceHour, SourceState
from tests.live.test_browser import page, script  # noqa: F401 - fixtures

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = {
    "": "Źródła",
    "sources/warszawa-1/": "warszawa-1",
    "quarantine/": "Kwarantanna",
    "quarantine/records/?pbx=warszawa-1&reason=not_json": "Nieczytelny JSON",
}


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("olga@operator.example", "pass", name="Olga")


@pytest.fixture
def sources() -> Pbx:
    """A PBX with everything that these pages can show, and one that never sent."""
    now = timezone.now()
    pbx = Pbx.objects.create(name="warszawa-1", source="freeswitch-json", trunks="external")
    Pbx.objects.create(name="krakow", source="asterisk-csv", trunks="carrier*")
    inbox.receive(pbx, [b"{no json %d" % number for number in range(3)] + [b"[1]"], now=now)
    pipeline.fold_batch(pbx, now)
    unknown = {
        "state": "unassigned",
        "reason": "unassigned",
        "message": "The number +48221000999 and the tenant codes nowa.example belong to no account.",
        "called": "+48221000999",
        "tenants": ["nowa.example"],
    }
    InboxRecord.objects.create(pbx=pbx, received_at=now, body=b"{}", digest=b"x", **unknown)
    SourceState.objects.update(last_received_at=now, last_ended_at=now)
    SourceHour.objects.bulk_create(
        SourceHour(
            pbx=pbx, hour=hour_of(now) - back * timedelta(hours=1), records=40 + back % 24 * 7
        )
        for back in range(24 * 7 * 9)
    )
    for code in ("no_b_legs", "repeated"):
        SourceFinding.objects.create(pbx=pbx, code=code, count=1234, out_of=1234, since=now)
    began = now - timedelta(hours=2)
    Silence.objects.create(pbx=pbx, since=began - timedelta(days=3), ended_at=now, expected=40)
    Silence.objects.create(pbx=pbx, since=began, expected=40)
    return pbx


def sign_in(page: Page, address: str) -> None:  # noqa: F811
    page.goto(f"{address}/login/?next=/operator/")
    page.get_by_label("E-mail").fill("olga@operator.example")
    page.get_by_label("Hasło").fill("pass")
    page.get_by_role("button", name="Zaloguj się").click()


def test_no_page_is_wider_than_the_screen(
    page: Page,  # noqa: F811
    live_server: Any,
    operator: User,
    sources: Pbx,
) -> None:
    sign_in(page, live_server.url)
    for path, heading in PAGES.items():
        page.goto(f"{live_server.url}/operator/{path}")
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert (path, width) == (path, page.viewport_size["width"])  # type: ignore[index]


def test_a_group_is_dismissed_with_a_note_and_reopened(
    page: Page,  # noqa: F811
    live_server: Any,
    operator: User,
    sources: Pbx,
) -> None:
    sign_in(page, live_server.url)
    page.get_by_role("link", name="Kwarantanna").click()
    page.get_by_role("link", name="Nieczytelny JSON").click()
    page.get_by_label("Dlaczego mogą zostać, jakie są").fill("próba centrali")
    page.get_by_role("button", name="Odłóż").click()

    expect(page.get_by_role("status")).to_contain_text("Odłożono 3 rekordy.")
    decided = page.get_by_role("region", name="Ostatnie decyzje").locator("tbody tr")
    for text in ("Olga", "odłóż", "próba centrali"):
        expect(decided).to_contain_text(text)

    decided.get_by_role("link", name="odłóż").click()
    page.get_by_role("button", name="Otwórz i ponów").click()
    expect(page.get_by_role("status")).to_contain_text("Ponawiamy 3 rekordy.")
