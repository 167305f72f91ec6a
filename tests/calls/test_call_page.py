"""The page of one call: its story out of real records, its cost explained, and addresses old and wrong."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Membership
from billing.charging import charge_pending
from billing.models import AccountPriceList, PriceList, Rate
from calls.ingest import inbox, pipeline
from calls.models import Call, Extension, InboxRecord, MovedCall, Pbx
from calls.models.call import public_id
from calls.views.details import ShownStep
from tests.builders import make_call, make_outgoing
from tests.conftest import LONG_AGO, RECORDED
from tests.records import Scenario, asterisk_scenarios, freeswitch_scenarios

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
FREESWITCH = {scenario.name: scenario for scenario in freeswitch_scenarios()}
MASTER = {scenario.name: scenario for scenario in asterisk_scenarios("master.csv")}


def deliver(pbx: Pbx, *bodies: bytes) -> None:
    inbox.receive(pbx, bodies, now=RECORDED)
    pipeline.fold_batch(pbx, RECORDED)


def deliver_call(pbx: Pbx, scenario: Scenario) -> Call:
    deliver(pbx, *scenario.bodies)
    return Call.objects.get()


def open_page(client: Client, membership: Membership, address: str, **extra: Any) -> Any:
    client.force_login(membership.user)
    return client.get(f"/accounts/acme/calls/call/{address}/", **extra)


def text_of(html: str) -> str:
    """What one reads, blanks made equal."""
    return re.sub(r"\s+", " ", strip_tags(html)).replace("&quot;", '"').strip()


def explanations(response: Any) -> list[str]:
    return [text_of(part) for part in re.findall(r'<p class="charge">.*?</p>', response.text, re.S)]


def on_23_november(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-23T{time}+00:00").astimezone(UTC)


STORIES = {
    "ring_group_one_wins#26": [
        ShownStep("101", on_23_november("03:11:20.769424"), "no_answer", 3, None),
        ShownStep("103", on_23_november("03:11:20.769424"), "no_answer", 3, None),
        ShownStep("102", on_23_november("03:11:20.769424"), "answered", 3, 5),
    ],
    "transfer_blind_by_callee#40": [
        ShownStep("101", on_23_november("03:13:27.149410"), "answered", 1, 4),
        ShownStep("103", on_23_november("03:13:33.229414"), "answered", 2, 5),
    ],
    "out_failover_second_gateway#47": [
        ShownStep("+48699111222", on_23_november("03:15:00.649423"), "failed", 0, None),
        ShownStep("+48699111222", on_23_november("03:15:00.689425"), "answered", 1, 4),
    ],
    "voicemail_noanswer#33": [
        ShownStep("104", on_23_november("03:12:24.169424"), "no_answer", 3, None),
    ],
    "ivr_abandon#30": [],
}


@pytest.mark.parametrize("name", STORIES)
def test_a_recorded_call_tells_who_was_rung_and_who_answered(
    client: Client, owner: Membership, freeswitch: Pbx, name: str
) -> None:
    call = deliver_call(freeswitch, FREESWITCH[name])

    steps = open_page(client, owner, call.public_id).context["steps"]

    assert sorted(steps, key=str) == sorted(STORIES[name], key=str)


def test_the_story_is_told_in_local_time_with_the_names_of_our_people(
    client: Client, owner: Membership, freeswitch: Pbx, acme: Account
) -> None:
    Extension.objects.create(account=acme, number="102", name="<Anna>")
    call = deliver_call(freeswitch, FREESWITCH["in_answered#10"])

    page = open_page(client, owner, call.public_id).text

    (step,) = re.findall(r"<li class=\"answered\">.*?</li>", page, re.S)
    assert text_of(step) == "04:09:54 102 &lt;Anna&gt; odbiór po 0:04, rozmowa 0:06"


def test_a_call_whose_legs_were_not_kept_has_a_page_without_a_story(
    client: Client, owner: Membership, acme: Account
) -> None:
    response = open_page(client, owner, make_call(acme).public_id)

    assert (response.status_code, response.context["steps"]) == (200, [])
    assert "Co się działo" not in response.text


@pytest.fixture
def price_list(acme: Account) -> PriceList:
    price_list = PriceList.objects.create(name="Cennik A")
    AccountPriceList.objects.create(account=acme, price_list=price_list, since=LONG_AGO)
    return price_list


def set_price(price_list: PriceList, **terms: Any) -> None:
    plain = {"prefix": "48", "name": "Polska", "per_minute": Decimal("0.1"), "valid_from": LONG_AGO}
    Rate.objects.create(price_list=price_list, **{**plain, **terms})


def test_a_charge_is_explained_with_everything_that_it_was_worked_out_from(
    client: Client, owner: Membership, freeswitch: Pbx, price_list: PriceList
) -> None:
    terms = {"connection_fee": Decimal("0.05"), "first_increment": 60, "next_increment": 30}
    set_price(price_list, **terms, per_minute=Decimal("1234.5"))
    call = deliver_call(freeswitch, FREESWITCH["out_answered#0"])
    charge_pending(RECORDED)

    response = open_page(client, owner, call.public_id)

    assert explanations(response) == [
        "601 222 333: 5 s, naliczone jako 1 min (60/30), po 1 234,50 zł za minutę, do tego 0,05 zł opłaty"
        " początkowej, razem 1 234,55 zł netto, według stawki „Polska” dla numerów zaczynających się od 48"
        " z cennika „Cennik A”."
    ]
    assert "Koszt 1 234,55 zł netto" in text_of(response.text)


@pytest.mark.parametrize(
    ("scenario", "explanation"),
    [
        (MASTER["o-emergency"], "112: połączenia na ten numer są bezpłatne."),
        (
            MASTER["o-zero"],
            "504 000 000: połączenie trwało mniej niż sekundę, więc nic nie kosztuje.",
        ),
        (
            MASTER["c2c-answered"],
            "61 200 00 01: 10 s, po 0,10 zł za minutę, do tego 0,05 zł opłaty początkowej, razem 0,0667 zł netto,"
            " według stawki „Polska” dla numerów zaczynających się od 48 z cennika „Cennik A”."
            " Liczba sekund jest przybliżona.",
        ),
    ],
    ids=["free by rule", "not a second", "estimated"],
)
def test_what_is_free_or_estimated_says_so(
    client: Client,
    owner: Membership,
    asterisk: Pbx,
    price_list: PriceList,
    scenario: Scenario,
    explanation: str,
) -> None:
    set_price(price_list, connection_fee=Decimal("0.05"))
    call = deliver_call(asterisk, scenario)
    charge_pending(RECORDED)

    assert explanations(open_page(client, owner, call.public_id)) == [explanation]


@pytest.mark.parametrize(
    ("charging", "shown"), [("pending", "w trakcie wyceny"), ("no_rate", "brak stawki")]
)
def test_a_call_without_a_price_says_why(
    client: Client, owner: Membership, acme: Account, charging: str, shown: str
) -> None:
    call = make_outgoing(acme, charging=charging)

    page = text_of(open_page(client, owner, call.public_id).text)

    assert f"Koszt {shown}" in page


def test_an_agent_sees_their_call_and_nothing_of_what_it_cost(
    client: Client, owner: Membership, agent: Membership, freeswitch: Pbx, price_list: PriceList
) -> None:
    set_price(price_list)
    call = deliver_call(freeswitch, FREESWITCH["out_answered#0"])
    charge_pending(RECORDED)

    seen = {
        membership.role: [
            word in open_page(client, membership, call.public_id).text
            for word in ("601\xa0222\xa0333", "Koszt", "zł", "Cennik", "stawki")
        ]
        for membership in (owner, agent)
    }

    assert seen == {"owner": [True] * 5, "agent": [True, False, False, False, False]}


def test_the_page_takes_the_same_queries_whatever_happened(
    client: Client,
    owner: Membership,
    agent: Membership,
    freeswitch: Pbx,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    deliver(freeswitch, *(body for name in STORIES for body in FREESWITCH[name].bodies))
    mine = Call.objects.filter(extensions__contains=["101"])
    # session, user, membership, accounts, call with its pbx, names, what is paid in;
    # an agent's extensions or the charges
    for membership in (owner, agent):
        client.force_login(membership.user)
        for call in mine:
            with django_assert_num_queries(8):
                client.get(f"/accounts/acme/calls/call/{call.public_id}/")
    assert len(mine) == 2


BAD_IDS = [
    *("x", "-", "1-", "-1", "1--1", "1-x", "1.5-2", "0x1-2", "1-2-3", "1 -2", "%00", "1-2%00"),
    *("1-9223372036854775808", "253402300800000000-1", "9" * 41 + "-1", "-" + "9" * 38),
]


@pytest.mark.parametrize("bad", BAD_IDS)
def test_what_is_no_id_of_a_call_is_not_found(
    client: Client, owner: Membership, acme: Account, bad: str
) -> None:
    assert open_page(client, owner, bad).status_code == 404


def test_time_and_number_of_an_id_belong_together(
    client: Client, owner: Membership, acme: Account
) -> None:
    call = make_call(acme)
    other = make_call(acme, at=RECORDED - timedelta(microseconds=1))
    pairs = ((call, call), (other, call), (call, other))
    ids = [public_id(time.started_at, number.id) for time, number in pairs]

    assert [open_page(client, owner, each).status_code for each in ids] == [200, 404, 404]


def test_an_old_address_leads_to_where_the_call_is_now(
    client: Client, owner: Membership, freeswitch: Pbx
) -> None:
    caller, first, consulted, consulting = FREESWITCH["transfer_attended#43"].bodies
    deliver(freeswitch, consulting)
    old = Call.objects.get().public_id
    deliver(freeswitch, caller, first, consulted)
    new = Call.objects.get().public_id

    response = open_page(client, owner, old)

    assert old != new
    there = (302, f"/accounts/acme/calls/call/{new}/")
    assert (response.status_code, response["Location"]) == there
    assert open_page(client, owner, new).status_code == 200


def test_an_old_address_leads_nobody_to_another_account(
    client: Client, owner: Membership, stranger: Membership, freeswitch: Pbx, beta: Account
) -> None:
    call = deliver_call(freeswitch, FREESWITCH["out_answered#0"])
    freeswitch.tenant_codes.update(account=beta)
    InboxRecord.objects.update(state="pending")
    pipeline.fold_batch(freeswitch, RECORDED)

    assert MovedCall.objects.get().new_account_id == beta.pk
    assert open_page(client, owner, call.public_id).status_code == 404
    client.force_login(stranger.user)
    assert client.get(f"/accounts/beta/calls/call/{call.public_id}/").status_code == 200


def test_an_address_is_followed_through_several_moves_and_ends_with_the_call(
    client: Client, owner: Membership, acme: Account
) -> None:
    places = [RECORDED - timedelta(hours=hours) for hours in (1, 2, 3)]
    call = make_call(acme, at=places[2])
    for old, new in pairwise(places):
        MovedCall.objects.create(
            account=acme,
            started_at=old,
            call_id=call.id,
            new_account_id=acme.pk,
            new_started_at=new,
            new_call_id=call.id,
        )
    MovedCall.objects.create(account=acme, started_at=RECORDED, call_id=call.id)

    followed = open_page(client, owner, public_id(places[0], call.id), follow=True)

    assert [address for address, _ in followed.redirect_chain] == [
        f"/accounts/acme/calls/call/{public_id(place, call.id)}/" for place in places[1:]
    ]
    assert followed.status_code == 200
    assert open_page(client, owner, public_id(RECORDED, call.id)).status_code == 404
