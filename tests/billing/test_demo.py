"""The demo: a year of calls that is the same every time, folds to what it was meant to be, and can be looked into."""

import json
import stat
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.db.models import Q
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from accounts.models import Account, Membership, User
from billing.charging import charge_pending
from billing.demo.legs import SWITCH
from billing.demo.load import load
from billing.demo.logins import Logins
from billing.demo.office import Office, Story
from billing.demo.people import BICYCLES, FIRMS, GARDENS, Firm
from billing.demo.stories import just_now, year
from billing.models import Charge
from calls.ingest import inbox, pipeline
from calls.ingest.folding import fold
from calls.ingest.grouping import components
from calls.ingest.records import SECOND, Kind, Leg, Outcome, micros, moment
from calls.models import Call, InboxRecord, Pbx
from calls.periods import retention_cutoff
from tests.conftest import RECORDED as NOW
from tests.records import freeswitch_scenarios

WARSAW = ZoneInfo("Europe/Warsaw")
COUNT = 6000
SEED = 12
STORED = 1800


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    return list(year(GARDENS, NOW, COUNT, SEED))


def test_the_same_seed_and_present_tell_the_same_year() -> None:
    one, again, other = (list(year(BICYCLES, NOW, 300, seed)) for seed in (1, 1, 2))

    assert one == again
    assert one != other


@pytest.mark.parametrize("firm", FIRMS, ids=lambda firm: firm.slug)
def test_every_story_folds_to_what_it_was_meant_to_be(firm: Firm) -> None:
    told = list(year(firm, NOW, 2000, SEED))

    calls = [fold(story.legs, SWITCH) for story in told]

    assert [
        (call.kind, call.outcome, call.missed, call.people, call.peer, call.hidden, call.complete)
        for call in calls
    ] == [
        (*meant(story), "" if story.hidden else story.peer.number, story.hidden, True)
        for story in told
    ]


def meant(story: Story) -> tuple[Kind, Outcome, bool, tuple[str, ...]]:
    return story.kind, story.outcome, story.missed, story.people


def test_a_year_has_every_kind_and_every_way_to_end(stories: list[Story]) -> None:
    assert {story.kind for story in stories} == set(Kind)
    assert {story.outcome for story in stories} == set(Outcome)
    assert {len(story.people) for story in stories} == {0, 1, 2}
    assert {story.hidden for story in stories} == {False, True}


def test_calls_of_a_moment_ago_are_what_they_were_meant_to_be_and_wait_for_a_record() -> None:
    told = just_now(GARDENS, NOW, SEED)

    calls = [fold(story.legs, SWITCH) for story in told]

    assert [(call.kind, call.outcome, call.missed, call.people) for call in calls] == [
        meant(story) for story in told
    ]
    assert [call.complete for call in calls] == [False, False]


def test_no_record_comes_twice_and_none_belongs_to_two_calls(stories: list[Story]) -> None:
    legs = [leg for story in stories for leg in story.legs]

    groups = components(legs)

    assert len({leg.key for leg in legs}) == len(legs)
    assert keys(groups) == keys([story.legs for story in stories])


def keys(groups: list[list[Leg]]) -> set[frozenset[str]]:
    return {frozenset(leg.key for leg in group) for group in groups}


def test_no_desk_talks_in_two_calls_at_once(stories: list[Story]) -> None:
    talks = sorted(
        (desk, min(leg.facts["answer"] for leg in legs), max(leg.ended for leg in legs))
        for story in stories
        for desk, legs in answered_by(story).items()
    )

    clashes = [
        (one, other) for one, other in pairwise(talks) if one[0] == other[0] and one[2] > other[1]
    ]
    assert clashes == []


def answered_by(story: Story) -> dict[str, list[Leg]]:
    found: dict[str, list[Leg]] = {}
    for leg in story.legs:
        desk = leg.facts.get("user" if leg.facts.get("inbound") else "dialled_user")
        if desk and leg.facts.get("answer"):
            found.setdefault(desk, []).append(leg)
    return found


def test_a_year_has_the_shape_of_working_days(stories: list[Story]) -> None:
    began = [moment(story.legs[0].started).astimezone(WARSAW) for story in stories]
    hours = Counter(at.hour for at in began if at.weekday() < 5)
    days = Counter(at.weekday() for at in began)

    assert hours[10] > 2 * hours[17] > 20 * hours[3]
    assert min(hours[10], hours[14]) > hours[12]
    assert min(days[day] for day in range(5)) > 2 * days[5] > 4 * days[6]
    assert sum(at.month == 5 for at in began) > sum(at.month == 12 for at in began)


def test_a_holiday_is_as_quiet_as_a_sunday(stories: list[Story]) -> None:
    days = Counter(moment(story.legs[0].started).astimezone(WARSAW).date() for story in stories)
    independence_day = datetime(2026, 11, 11).date()

    assert independence_day.weekday() == 2
    assert days[independence_day] <= 2 < days[independence_day + timedelta(days=1)]


def test_a_year_is_thirteen_months_that_end_now(stories: list[Story]) -> None:
    began = [story.legs[0].started for story in stories]

    assert began == sorted(began)
    assert NOW - timedelta(days=396) < moment(began[0]) < NOW - timedelta(days=390)
    assert NOW - timedelta(days=2) < moment(began[-1]) < NOW


def test_calls_that_still_go_on_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Office, "talk", lambda office: 8 * 3600 * SECOND)

    ended = [story.ended for story in year(GARDENS, NOW, COUNT, SEED)]

    assert max(ended) < micros(NOW)


def test_missed_callers_are_rung_back_or_try_again_or_are_never_heard(
    stories: list[Story],
) -> None:
    later: dict[str, list[Story]] = {}
    became: Counter[str] = Counter()
    for story in reversed(stories):
        if story.missed and not story.hidden:
            became[_what_became_of(story, later.get(story.peer.number, []))] += 1
        later.setdefault(story.peer.number, []).append(story)

    assert {what: count > 0.12 * became.total() for what, count in became.items()} == {
        "rung back": True,
        "tried again": True,
        "never heard": True,
    }
    assert became["rung back"] > became["tried again"]


def _what_became_of(missed: Story, later: list[Story]) -> str:
    soon = [story for story in later if story.ended - missed.ended < 72 * 3600 * SECOND]
    if not soon:
        return "never heard"
    return "rung back" if soon[-1].kind == Kind.OUTGOING else "tried again"


@pytest.fixture(scope="module")
def logins(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Logins]:
    """A small demo in the database, for all tests that only look at it."""
    kept = tmp_path_factory.mktemp("demo") / "data" / "logins.json"
    quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, quick:
        patch.setenv("CALLPANEL_DEMO_LOGINS", str(kept))
        with transaction.atomic():
            yield load(NOW, lambda text: None, calls=STORED, seed=SEED)
            transaction.set_rollback(True)


@pytest.fixture
def demo(logins: Logins) -> Iterator[Logins]:
    """The same, for a test that may change it."""
    with transaction.atomic():
        yield logins
        transaction.set_rollback(True)


def test_both_firms_have_their_share_of_the_calls(logins: Logins) -> None:
    counted = Counter(
        Call.objects.filter(provisional=False).values_list("account__slug", flat=True)
    )

    assert counted == {GARDENS.slug: STORED * 5 // 6, BICYCLES.slug: STORED // 6}


def test_the_three_can_sign_in_and_are_who_they_should_be(demo: Logins) -> None:
    signed_in = [
        Client().login(username=person.email, password=person.password) for person in demo.people
    ]

    assert signed_in == [True, True, True]
    assert [person.role for person in demo.people] == ["owner", "agent", "operator"]
    owner, agent, operator = (User.objects.get(email=person.email) for person in demo.people)
    assert [member.role for member in Membership.objects.order_by("role")] == ["agent", "owner"]
    assert owner.memberships.get().account.slug == GARDENS.slug
    assert (operator.is_staff, operator.is_superuser, agent.is_staff) == (True, True, False)


def test_the_agent_sees_the_calls_of_one_extension_and_no_others(logins: Logins) -> None:
    agent = Membership.objects.get(role="agent")

    visible = Call.objects.visible_to(agent)

    assert visible.count() > 50
    assert not visible.exclude(extensions__contains=["102"]).exists()
    assert not Call.objects.filter(account=agent.account_id, extensions__contains=["102"]).exclude(
        pk__in=visible.values("pk")
    )


def test_what_is_too_old_is_there_for_the_purge(logins: Logins) -> None:
    cutoff = retention_cutoff(NOW, 365, WARSAW)

    assert 20 < Call.objects.filter(started_at__lt=cutoff).count() < STORED / 8


def test_every_call_that_costs_is_charged_or_waits_for_a_rate(logins: Logins) -> None:
    whole = Call.objects.filter(provisional=False)

    assert set(whole.values_list("charging", flat=True)) == {"free", "charged", "no_rate"}
    unrated = whole.filter(charging="no_rate")
    assert {call.peer[:4] for call in unrated} <= {"+351", "+995"}
    assert not whole.filter(charging="charged", cost=None).exists()
    assert whole.filter(kind="incoming", charging="charged", people=[GARDENS.mobile]).exists()


def test_the_price_of_a_minute_changed_in_the_middle_of_the_year(logins: Logins) -> None:
    changed = datetime(2026, 5, 1, tzinfo=WARSAW)
    warsaw = Charge.objects.filter(account__slug=GARDENS.slug, number__startswith="+4822")

    before, after = (
        {Decimal(charge.explanation["per_minute"]) for charge in warsaw.filter(when)}
        for when in (Q(answered_at__lt=changed), Q(answered_at__gte=changed))
    )

    assert (before, after) == ({Decimal("0.07")}, {Decimal("0.06")})


def test_the_small_firm_pays_its_own_prices_where_it_has_some(logins: Logins) -> None:
    charges = Charge.objects.filter(account__slug=BICYCLES.slug)

    lists = {charge.number[:5]: charge.explanation.get("price_list") for charge in charges}

    assert lists["+4812"] == "Cennik Serwis Rowerowy Kółko"
    assert lists["+4850"] == "Cennik podstawowy 2026"


def test_the_calls_of_a_moment_ago_are_settled_as_any_other(demo: Logins) -> None:
    provisional = Call.objects.filter(provisional=True)
    assert sorted(provisional.values_list("kind", "charging")) == [
        ("incoming", "free"),
        ("outgoing", "pending"),
    ]

    later = NOW + timedelta(minutes=6)
    settled = pipeline.settle(later)
    charged = charge_pending(later)

    assert (settled, charged, provisional.count()) == (2, 1, 0)


def test_a_recorded_call_sent_to_the_demo_lands_in_the_list_of_the_first_firm(demo: Logins) -> None:
    answered = next(each for each in freeswitch_scenarios() if each.name == "in_answered#10")
    pbx = Pbx.objects.get(name=demo.pbx)

    inbox.receive(pbx, answered.bodies, now=NOW)
    pipeline.fold_batch(pbx, NOW)

    assert pbx.has_secret(demo.secret)
    call = Call.objects.get(own_number="+48221000102")
    assert (call.account.slug, call.people) == (GARDENS.slug, ["102"])
    assert set(InboxRecord.objects.values_list("state", flat=True)) == {"folded"}


def test_the_sign_ins_are_kept_for_their_owner_alone_and_shown_again(logins: Logins) -> None:
    shown = run("show_demo_logins", address="http://localhost:8001/")

    assert Logins.kept() == logins
    assert shown.splitlines() == [
        *(f"  {each.role:8}  {each.email}  {each.password}" for each in logins.people),
        "A FreeSWITCH sends its records to it like this:",
        f"  curl -u demo:{logins.secret} --data-binary @record.json http://localhost:8001/in/demo/",
    ]


def run(command: str, **options: object) -> str:
    output = StringIO()
    call_command(command, stdout=output, **options)
    return output.getvalue()


def test_sign_ins_of_before_are_replaced_by_a_file_that_nobody_else_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "logins.json"
    file.write_text("{}")
    file.chmod(0o666)
    monkeypatch.setenv("CALLPANEL_DEMO_LOGINS", str(file))

    Logins((), "demo", "new").keep()

    assert json.loads(file.read_text()) == {"people": [], "pbx": "demo", "secret": "new"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_demo_there_are_no_sign_ins_to_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLPANEL_DEMO_LOGINS", str(tmp_path / "none.json"))

    assert run("show_demo_logins") == f"No demo: no file {tmp_path / 'none.json'}.\n"


def test_a_database_with_accounts_is_left_alone(acme: Account) -> None:
    said = run("load_demo", if_empty=True)
    with pytest.raises(CommandError, match="only into an empty database"):
        run("load_demo")

    assert said == "There are accounts already: no demo was loaded.\n"
    assert list(Account.objects.all()) == [acme]
    assert not Pbx.objects.exists()
