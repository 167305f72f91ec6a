"""What holds for every page: its headers, its languages, no inline script or style, no link that leads nowhere."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.db import OperationalError
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client

from accounts.models import Account, Membership, Role
from billing.charging import charge_pending
from billing.models import AccountPriceList, PriceList, Rate
from calls.ingest import inbox, pipeline
from calls.models import Call, Extension, Pbx
from tests.builders import make_call, make_missed, make_outgoing
from tests.conftest import LONG_AGO, RECORDED
from tests.records import freeswitch_scenarios

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
LANGUAGES = ["pl", "en"]
CALLS = "/accounts/acme/calls/"
PAGES = {
    "sign-in": "/login/?next=/accounts/acme/calls/",
    "choice of accounts": "/",
    "all calls": CALLS,
    "outgoing calls": f"{CALLS}outgoing/?period=today",
    "incoming calls": f"{CALLS}incoming/?number=501",
    "missed calls": f"{CALLS}missed/",
    "second page": f"{CALLS}?older=1795435200000000-1",
    "no calls": f"{CALLS}?number=999999999",
    "wrong filters": f"{CALLS}?period=custom",
    "a call": f"{CALLS}call/{{call}}/",
    "nowhere": "/nowhere/",
    "not found": f"{CALLS}call/1-1/",
}
FOUND = [name for name in PAGES if name not in {"nowhere", "not found"}]


class Markup(HTMLParser):
    """What a page holds, as a browser takes it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def values(self, *names: str) -> Iterator[str]:
        return (tag[name] for _, tag in self.tags for name in names if name in tag)


@pytest.fixture
def call(acme: Account, beta: Account, owner: Membership, freeswitch: Pbx) -> Call:
    """A priced call with a story, beside calls of every sort."""
    Membership.objects.create(account=beta, user=owner.user, role=Role.AGENT)
    Extension.objects.create(account=acme, number="101", name="Anna")
    price_list = PriceList.objects.create(name="Base")
    Rate.objects.create(
        price_list=price_list, prefix="48", name="Poland", per_minute="1", valid_from=LONG_AGO
    )
    AccountPriceList.objects.create(account=acme, price_list=price_list, since=LONG_AGO)
    inbox.receive(freeswitch, freeswitch_scenarios()[0].bodies, now=RECORDED)
    pipeline.fold_batch(freeswitch, RECORDED)
    charge_pending(RECORDED)
    call = Call.objects.get()
    for second in range(51):
        make_outgoing(acme, at=RECORDED.replace(second=second), estimated=True)
    make_outgoing(acme, charging="charged", cost=Decimal("0.0833"))
    make_missed(acme, hidden=True, peer="", peer_name="<b>")
    make_missed(acme)
    make_call(acme, provisional=True)
    return call


@pytest.fixture
def visitor(client: Client, owner: Membership) -> Client:
    client.force_login(owner.user)
    return client


def open_page(client: Client, name: str, call: Call, language: str = "pl") -> Any:
    if name == "sign-in":
        client.logout()
    address = PAGES[name].format(call=call.public_id)
    return client.get(address, headers={"Accept-Language": language})


@pytest.mark.parametrize("name", PAGES)
def test_every_page_forbids_what_it_does_not_need(visitor: Client, name: str, call: Call) -> None:
    response = open_page(visitor, name, call)

    policy = response["Content-Security-Policy"]
    assert dict(rule.strip().split(" ", 1) for rule in policy.split(";") if rule.strip()) == {
        "default-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    assert {
        header: response[header]
        for header in ("X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy")
    } == {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_script_or_style_in_it(
    visitor: Client, name: str, language: str, call: Call
) -> None:
    page = Markup(open_page(visitor, name, call, language).text)

    assert [tag for tag, values in page.tags if tag == "script" and "src" not in values] == []
    assert [tag for tag, _ in page.tags if tag in {"style", "base", "iframe", "object"}] == []
    assert [
        name for _, tag in page.tags for name in tag if name == "style" or name.startswith("on")
    ] == []
    schemes = {urlsplit(address).scheme for address in page.values("href", "src", "action")}
    assert schemes <= {"", "tel"}


@pytest.mark.parametrize("name", FOUND)
def test_every_page_is_written_in_both_languages(visitor: Client, name: str, call: Call) -> None:
    pages = {language: open_page(visitor, name, call, language) for language in LANGUAGES}

    assert [response.status_code for response in pages.values()] == [200, 200]
    for language, response in pages.items():
        (html,) = [tag for tag in Markup(response.text).tags if tag[0] == "html"]
        assert html[1]["lang"] == response["Content-Language"] == language
    headings = [re.findall(r"<h1>(.*?)</h1>", response.text) for response in pages.values()]
    assert len(headings[0]) == 1
    assert headings[0] != headings[1]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_one_that_a_screen_reader_can_read(
    visitor: Client, name: str, call: Call
) -> None:
    page = Markup(open_page(visitor, name, call).text)

    ids = list(page.values("id"))
    assert len(ids) == len(set(ids))
    assert set(page.values("for")) <= set(ids)
    assert [tag for tag, values in page.tags if tag == "img" and "alt" not in values] == []
    assert [tag for tag, _ in page.tags].count("title") == 1


@pytest.mark.parametrize("name", [name for name in FOUND if name != "wrong filters"])
def test_no_link_leads_nowhere(visitor: Client, name: str, call: Call) -> None:
    response = open_page(visitor, name, call)

    here = response.request["PATH_INFO"]
    links = {urljoin(here, link) for link in Markup(response.text).values("href", "src", "hx-get")}
    ours = {link for link in links if link.startswith("/") and "#" not in link}
    files = {link.removeprefix("/static/") for link in ours if link.startswith("/static/")}
    pages = {link for link in ours if not link.startswith("/static/")}

    assert [file for file in files if finders.find(file) is None] == []
    assert {link: visitor.get(link).status_code for link in pages if link != "/"} == {
        link: 302 if name == "sign-in" and link.startswith("/accounts") else 200
        for link in pages
        if link != "/"
    }
    assert len(files) >= 3


@pytest.mark.parametrize("name", ["nowhere", "not found"])
def test_what_is_not_there_is_answered_with_a_page_that_tells_nothing_of_the_inside(
    visitor: Client, name: str, call: Call
) -> None:
    response = open_page(visitor, name, call)

    assert response.status_code == 404
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert [
        word for word in ("Traceback", "urlpatterns", "calls.urls") if word in response.text
    ] == []


def test_the_language_is_chosen_by_a_button_and_kept(visitor: Client, call: Call) -> None:
    polish = visitor.get(CALLS)
    answer = visitor.post("/language/setlang/", {"language": "en", "next": f"{CALLS}missed/"})
    english = visitor.get(CALLS)

    assert answer["Location"] == f"{CALLS}missed/"
    assert [response["Content-Language"] for response in (polish, english)] == LANGUAGES
    stranger = visitor.post("/language/setlang/", {"language": "en", "next": "//evil.example/"})
    assert stranger["Location"] == "/"


def test_the_session_is_out_of_reach_for_scripts_and_other_sites(
    client: Client, owner: Membership
) -> None:
    client.post("/login/", {"username": "alicja@acme.example", "password": "pass"})

    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")


@pytest.mark.parametrize("path", ["", "call/{call}/", "all/export.csv", "month/2026-11.csv"])
def test_after_signing_out_no_browser_and_no_proxy_still_has_the_calls(
    visitor: Client, call: Call, path: str
) -> None:
    response = visitor.get(CALLS + path.format(call=call.public_id))

    assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
    assert "Cookie" in response["Vary"]


def test_the_script_keeps_no_pages_either(visitor: Client, call: Call) -> None:
    page = Markup(visitor.get(CALLS).text)

    (config,) = [tag for _, tag in page.tags if tag.get("name") == "htmx-config"]
    assert json.loads(config["content"]) == {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "historyCacheSize": 0,
    }


PART = {"HX-Request": "true"}


@pytest.mark.parametrize(
    ("headers", "is_whole"),
    [
        ({}, True),
        (PART, False),
        ({**PART, "HX-Boosted": "true"}, True),
        # Going back: the script asks for the page that it did not keep, and puts it in place of the whole.
        ({**PART, "HX-History-Restore-Request": "true"}, True),
    ],
)
def test_the_script_gets_the_list_alone_only_where_it_puts_a_list(
    visitor: Client, call: Call, headers: dict[str, str], is_whole: bool
) -> None:
    response = visitor.get(CALLS, headers=headers)

    assert ("<html" in response.text) == is_whole
    assert {"HX-Request", "HX-Boosted", "HX-History-Restore-Request"} <= set(
        response["Vary"].split(", ")
    )


def test_healthz_says_ok_to_anybody(client: Client) -> None:
    response = client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.parametrize("broken", ["it cannot be reached", "the connection died"])
def test_healthz_says_503_without_a_database(
    client: Client, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def away(_: DatabaseWrapper) -> None:
        raise OperationalError("no route to host")

    if broken == "it cannot be reached":
        monkeypatch.setattr(DatabaseWrapper, "ensure_connection", away)
    else:
        monkeypatch.setattr(DatabaseWrapper, "is_usable", lambda _: False)

    response = client.get("/healthz")
    monkeypatch.undo()

    assert (response.status_code, response.content) == (503, b"no database\n")
