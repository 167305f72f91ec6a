"""Questions about calls: whatever is stored, the database answers as plain Python would."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Membership, Role
from calls.filters import CallFilter
from calls.models import Call, Extension, ExtensionHolding
from calls.numbers import search_key
from calls.periods import Period
from tests.builders import make_call
from tests.conftest import RECORDED

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
many = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
DESKS = ["101", "102", "103"]
PEERS = ["+48501234567", "+48221234567", "+493023125500", "112", "101", ""]

rows = st.fixed_dictionaries(
    {
        "at": st.integers(-5, 5).map(lambda hours: RECORDED + hours * HOUR),
        "kind": st.sampled_from(Call.Kind.values),
        "outcome": st.sampled_from(["answered", "no_answer", "voicemail"]),
        "missed": st.booleans(),
        "provisional": st.booleans(),
        "direction": st.sampled_from(Call.Direction.values),
        "extensions": st.lists(st.sampled_from(DESKS), unique=True),
        "peer": st.sampled_from(PEERS),
        "wait_s": st.integers(0, 1000),
        "talk_s": st.integers(0, 100_000),
        "charging": st.sampled_from(Call.Charging.values),
        "cost": st.none() | st.decimals(0, 10_000, places=6),
    }
)


def ids(calls: Any) -> set[int]:
    return {call.id for call in calls}


def fill(account: Account, drawn: list[dict[str, Any]]) -> list[Call]:
    """These calls and no others."""
    Call.objects.all().delete()
    return [make_call(account, **row) for row in drawn]


QUESTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Call], bool]]] = {
    "outgoing": (lambda calls: calls.outgoing(), lambda call: call.kind == "outgoing"),
    "incoming": (lambda calls: calls.incoming(), lambda call: call.kind == "incoming"),
    "is_missed": (
        lambda calls: calls.is_missed(),
        lambda call: call.missed and not call.provisional,
    ),
    "between": (
        lambda calls: calls.between(Period(RECORDED - HOUR, RECORDED + 2 * HOUR)),
        lambda call: RECORDED - HOUR <= call.started_at < RECORDED + 2 * HOUR,
    ),
    "with_extension": (
        lambda calls: calls.with_extension(["101", "103"]),
        lambda call: bool({"101", "103"} & set(call.extensions)),
    ),
    "with_number, its beginning": (
        lambda calls: calls.with_number(search_key("+48 50")),
        lambda call: call.peer.startswith("+4850"),
    ),
    "with_number, a piece": (
        lambda calls: calls.with_number(search_key("123 45")),
        lambda call: "12345" in call.peer,
    ),
    "with_number, nothing typed": (lambda calls: calls.with_number(""), lambda call: True),
}


@pytest.mark.parametrize("question", QUESTIONS)
@many
@given(drawn=st.lists(rows, max_size=12))
def test_a_question_is_answered_as_its_plain_definition_answers_it(
    acme: Account, question: str, drawn: list[dict[str, Any]]
) -> None:
    ask, is_meant = QUESTIONS[question]
    calls = fill(acme, drawn)

    assert ids(ask(Call.objects.all())) == {call.id for call in calls if is_meant(call)}


@many
@given(drawn=st.lists(rows, max_size=12))
def test_totals_are_the_sums_over_the_calls(acme: Account, drawn: list[dict[str, Any]]) -> None:
    calls = fill(acme, drawn)

    charging = Counter(call.charging for call in calls)
    assert Call.objects.all().totals() == {
        "calls": len(calls),
        "answered": sum(call.outcome == "answered" for call in calls),
        "missed": sum(call.missed and not call.provisional for call in calls),
        "talk_s": sum(call.talk_s for call in calls),
        "cost": sum((call.cost or Decimal(0) for call in calls), Decimal(0)),
        "unpriced": charging["pending"] + charging["no_rate"],
    }


def test_sums_that_no_integer_and_no_float_holds_are_exact(acme: Account) -> None:
    for second in range(3):
        at = RECORDED + timedelta(seconds=second)
        make_call(acme, at=at, talk_s=2**31 - 1, cost=Decimal("99999999.000001"))

    totals = Call.objects.all().totals()

    assert (totals["talk_s"], totals["cost"]) == (3 * (2**31 - 1), Decimal("299999997.000003"))


def test_nobody_sees_nothing(acme: Account) -> None:
    make_call(acme)

    assert ids(Call.objects.visible_to(None)) == set()


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
@pytest.mark.parametrize("saved", [True, False], ids=["a member", "staff looking in"])
def test_who_sees_all_calls_sees_all_of_their_account_and_none_of_another(
    owner: Membership, beta: Account, role: str, saved: bool
) -> None:
    mine = [make_call(owner.account, extensions=[desk]) for desk in ("101", "102")]
    make_call(beta)
    unsaved = Membership(account=owner.account, user=owner.user)
    membership = owner if saved else unsaved
    membership.role = role

    assert ids(Call.objects.visible_to(membership)) == ids(mine)


def test_an_agent_that_was_never_saved_holds_nothing(agent: Membership) -> None:
    make_call(agent.account)

    assert ids(Call.objects.visible_to(agent)) != set()
    looking = Membership(account=agent.account, user=agent.user, role=Role.AGENT)
    assert ids(Call.objects.visible_to(looking)) == set()


moments = st.integers(-6, 6).map(lambda hours: RECORDED + hours * HOUR)
holdings = st.tuples(st.sampled_from(DESKS), moments, st.none() | st.integers(1, 6))


def held(call: Call, desk: str, since: datetime, hours: int | None) -> bool:
    until = None if hours is None else since + hours * HOUR
    ended = until is not None and call.started_at >= until
    return desk in call.extensions and since <= call.started_at and not ended


@many
@given(drawn=st.lists(rows, max_size=12), held_by_agent=st.lists(holdings, max_size=4))
def test_an_agent_sees_the_calls_of_each_extension_while_it_was_theirs(
    acme: Account, beta: Account, agent: Membership, drawn: Any, held_by_agent: list[Any]
) -> None:
    calls = fill(acme, drawn)
    for row in drawn:
        make_call(beta, **row)
    ExtensionHolding.objects.all().delete()
    for desk, since, hours in held_by_agent:
        extension = Extension.objects.get_or_create(account=acme, number=desk)[0]
        until = None if hours is None else since + hours * HOUR
        ExtensionHolding.objects.create(
            extension=extension, membership=agent, since=since, until=until
        )

    visible = Call.objects.visible_to(agent)

    assert ids(visible) == {
        call.id for call in calls if any(held(call, *holding) for holding in held_by_agent)
    }


def test_another_persons_holding_opens_nothing(agent: Membership, owner: Membership) -> None:
    make_call(agent.account)
    ExtensionHolding.objects.update(membership=owner)

    assert ids(Call.objects.visible_to(agent)) == set()


@pytest.mark.parametrize(
    "query", ["direction=mobile&direction=domestic", "kind=incoming", "extension=101&number=123"]
)
def test_no_filter_makes_the_database_compare_whole_rows(
    acme: Account, agent: Membership, query: str
) -> None:
    # DISTINCT would read and sort the whole period for every page; rows are unique by themselves.
    filtered = CallFilter(
        QueryDict(query), queryset=Call.objects.visible_to(agent), account=acme, now=RECORDED
    )

    assert filtered.span is not None
    assert "DISTINCT" not in str(filtered.calls.for_list().query)
    assert not filtered.calls.query.distinct


def test_a_list_reads_what_it_shows_and_no_raw_legs(acme: Account) -> None:
    make_call(acme)

    (call,) = Call.objects.all().for_list()

    assert call.get_deferred_fields() == {"pbx_id", "extensions", "paid", "legs"}
