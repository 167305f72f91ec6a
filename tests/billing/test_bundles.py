"""Bundles of minutes: which seconds they pay, worked out by hand, and that late and corrected calls change the rest."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Account
from billing.bundling import Allowance, Talk, allocate
from billing.charging import charge_pending
from billing.models import Bundle, BundleUse, Charge, ChargeChange
from calls.models import Call
from calls.numbers import normalise
from tests.billing.calls_to_charge import (
    GERMAN,
    MOBILE,
    POLISH,
    correct,
    costs,
    dial,
    make_list,
    make_rate,
    put_in_line,
)
from tests.conftest import RECORDED

NOVEMBER = date(2026, 11, 1)
D = Decimal


def allowance(pk: int = 1, seconds: int = 100, *classes: str, prefixes: str = "") -> Allowance:
    return Allowance(pk, f"bundle {pk}", seconds, frozenset(classes), tuple(prefixes.split()))


DOMESTIC = allowance(1, 100, "domestic", "mobile")


def inside(allowances: list[Allowance], talks: list[tuple[int, str, int]], **used: int) -> Any:
    """Legs as (minute, number, seconds) → what each uses, in the order given."""
    legs = [
        Talk((RECORDED + timedelta(minutes=minute), pk), normalise(number), seconds)
        for pk, (minute, number, seconds) in enumerate(talks)
    ]
    before = {int(name.removeprefix("of_")): seconds for name, seconds in used.items()}
    shares = allocate(allowances, before, legs)
    return [shares.get(leg.key, {}) for leg in legs]


def test_legs_use_the_bundle_in_the_order_of_answering_until_one_is_half_inside() -> None:
    talks = [(0, POLISH, 60), (1, MOBILE, 60), (2, POLISH, 10)]
    assert inside([DOMESTIC], talks) == [{1: 60}, {1: 40}, {}]


def test_the_order_in_which_they_come_does_not_matter_and_a_tie_goes_by_id() -> None:
    assert inside([DOMESTIC], [(2, POLISH, 10), (1, MOBILE, 60), (0, POLISH, 60)]) == [
        {},
        {1: 40},
        {1: 60},
    ]
    assert inside([DOMESTIC], [(0, POLISH, 70), (0, MOBILE, 70)]) == [{1: 70}, {1: 30}]


def test_other_numbers_use_nothing() -> None:
    talks = [(0, GERMAN, 60), (1, "112", 60), (2, "19491", 60), (3, "", 60), (4, POLISH, 100)]
    assert inside([DOMESTIC], talks) == [{}, {}, {}, {}, {1: 100}]


def test_a_bundle_may_be_for_prefixes_of_numbers_with_a_country_but_never_of_short_ones() -> None:
    warsaw = allowance(1, 100, prefixes="4822 49 19")
    talks = [(0, POLISH, 10), (1, MOBILE, 10), (2, GERMAN, 10), (3, "19491", 10)]
    assert inside([warsaw], talks) == [{1: 10}, {}, {1: 10}, {}]


def test_two_bundles_are_used_in_their_order_also_by_one_leg() -> None:
    both = [allowance(2, 30, prefixes="4850"), allowance(1, 100, "mobile")]
    # 30 of the first and 100 of the second: 20 of 150 s are left to pay.
    assert inside(both, [(0, MOBILE, 150), (1, MOBILE, 5)]) == [{2: 30, 1: 100}, {}]


def test_what_was_used_before_is_gone() -> None:
    assert inside([DOMESTIC], [(0, POLISH, 60)], of_1=70) == [{1: 30}]
    assert inside([DOMESTIC], [(0, POLISH, 60)], of_1=100) == [{}]
    # More than there is, where somebody made the bundle smaller.
    assert inside([DOMESTIC], [(0, POLISH, 60)], of_1=130) == [{}]


def test_a_call_of_0_seconds_uses_nothing() -> None:
    assert inside([DOMESTIC], [(0, POLISH, 0), (1, POLISH, 100)]) == [{}, {1: 100}]


def counted_second_by_second(
    allowances: list[Allowance], talks: list[tuple[int, str, int]]
) -> list[dict[int, int]]:
    """The rule as a person with a stopwatch and a sheet of paper would follow it."""
    left = {each.id: each.seconds for each in allowances}
    used: list[dict[int, int]] = [{} for _ in talks]
    for place in sorted(range(len(talks)), key=lambda place: (talks[place][0], place)):
        _, number, seconds = talks[place]
        for _ in range(seconds):
            for each in allowances:
                if left[each.id] and each.fits(normalise(number)):
                    left[each.id] -= 1
                    used[place][each.id] = used[place].get(each.id, 0) + 1
                    break
    return used


some_talks = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from([POLISH, MOBILE, GERMAN, "112"]), st.integers(0, 40)
    ),
    max_size=12,
)
some_allowances = st.lists(
    st.tuples(
        st.integers(1, 90),
        st.sets(st.sampled_from(["domestic", "mobile", "international"]), max_size=2),
        st.sampled_from(["", "48", "4850 49"]),
    ),
    max_size=3,
).map(lambda each: [allowance(pk, s, *c, prefixes=p) for pk, (s, c, p) in enumerate(each, start=1)])


@given(some_allowances, some_talks)
def test_the_shares_are_those_of_somebody_who_counts_seconds(
    allowances: list[Allowance], talks: list[tuple[int, str, int]]
) -> None:
    assert inside(allowances, talks) == counted_second_by_second(allowances, talks)


@pytest.fixture
def bundle(acme: Account) -> Bundle:
    """100 s a month to Poland, which else costs 0.60 a minute by whole minutes, and 0.05 for the connection."""
    price_list = make_list(acme, {"49": "1.20"})
    make_rate(
        price_list,
        "48",
        per_minute=D("0.60"),
        connection_fee=D("0.05"),
        first_increment=60,
        next_increment=60,
    )
    return Bundle.objects.create(
        account=acme, name="Firma", seconds=100, classes=["domestic", "mobile"], since=NOVEMBER
    )


def at(text: str) -> datetime:
    """A day and a time of November 2026, in Warsaw."""
    return datetime.fromisoformat(f"2026-11-{text}+01:00").astimezone(UTC)


def charged() -> list[tuple[int, int, Decimal]]:
    """Seconds, those of them in bundles, and the amount of each charge, in the order of answering."""
    charges = Charge.objects.order_by("answered_at", "id")
    return list(charges.values_list("seconds", "bundle_seconds", "amount"))


def uses() -> list[tuple[date, int]]:
    return list(BundleUse.objects.order_by("pk").values_list("month", "seconds"))


@pytest.mark.django_db
def test_a_call_inside_costs_nothing_one_half_inside_what_the_rest_would(
    acme: Account, bundle: Bundle
) -> None:
    for hour, seconds in ((8, 90), (9, 12), (10, 30)):
        dial(acme, POLISH, at(f"20T{hour:02}:00"), seconds)

    charge_pending(RECORDED)

    # 90 s inside; 10 of 12 inside, so 2 s: a minute and the connection; 30 s: the same.
    assert charged() == [(90, 90, D(0)), (12, 10, D("0.65")), (30, 0, D("0.65"))]
    assert uses() == [(NOVEMBER, 90), (NOVEMBER, 10)]


@pytest.mark.django_db
def test_a_new_month_begins_at_local_midnight_with_a_full_bundle(
    acme: Account, bundle: Bundle
) -> None:
    for moment in ("2026-11-30T22:59:59", "2026-11-30T23:00:00"):
        dial(acme, POLISH, datetime.fromisoformat(f"{moment}+00:00"), 100)

    charge_pending(RECORDED + timedelta(days=9))

    assert charged() == [(100, 100, D(0)), (100, 100, D(0))]
    assert uses() == [(NOVEMBER, 100), (date(2026, 12, 1), 100)]


@pytest.mark.django_db
def test_a_bundle_holds_in_its_months_only(acme: Account, bundle: Bundle) -> None:
    Bundle.objects.update(since=date(2026, 10, 1), until=NOVEMBER)
    dial(acme, POLISH, at("20T08:00"))

    charge_pending(RECORDED)

    assert charged() == [(60, 0, D("0.65"))]


@pytest.mark.django_db
def test_a_call_that_has_a_price_a_call_or_none_uses_nothing(acme: Account, bundle: Bundle) -> None:
    price_list = acme.price_lists.get().price_list
    make_rate(price_list, "4822", per_call=D("0.30"))
    Bundle.objects.update(classes=["domestic", "mobile", "international"])
    dial(acme, POLISH, at("20T08:00"))
    dial(acme, "+33123456789", at("20T09:00"))
    dial(acme, MOBILE, at("20T10:00"), 100)

    charge_pending(RECORDED)

    assert charged() == [(60, 0, D("0.3")), (100, 100, D(0))]


@pytest.mark.django_db
def test_a_call_that_comes_late_moves_those_that_follow_it_in_the_month_and_no_others(
    acme: Account, bundle: Bundle
) -> None:
    first, third, fourth = (dial(acme, POLISH, at(f"{day:02}T08:00"), 50) for day in (1, 20, 22))
    german = dial(acme, GERMAN, at("21T08:00"))
    charge_pending(RECORDED)
    before = {charge.id: charge.charged_at for charge in Charge.objects.all()}
    later = RECORDED + timedelta(hours=1)

    second = dial(acme, POLISH, at("10T08:00"), 30)
    charge_pending(later)

    # 50 + 30 + 20 of the third; its 30 s outside cost as much as the 50 of the fourth.
    assert costs([first, second, third, german, fourth]) == [
        *(D(0), D(0), D("0.65"), D("1.2"), D("0.65")),
    ]
    changed = {charge.id for charge in Charge.objects.filter(charged_at=later)}
    assert changed - before.keys() == {Charge.objects.get(call_id=second.id).id}
    assert changed & before.keys() == {Charge.objects.get(call_id=third.id).id}
    change = ChargeChange.objects.get()
    assert (change.cause, change.old_amount, change.new_amount) == ("bundle", D(0), D("0.65"))
    assert (change.old_bundle_seconds, change.new_bundle_seconds) == (50, 20)


@pytest.mark.django_db
def test_a_corrected_call_gives_back_what_it_did_not_use(acme: Account, bundle: Bundle) -> None:
    calls = [dial(acme, POLISH, at(f"{day:02}T08:00"), 100) for day in (2, 3)]
    charge_pending(RECORDED)
    before = costs(calls)

    correct(calls[0], 40)
    charge_pending(RECORDED)

    # 100 s outside are two minutes; then 60 of them are inside, and 40 a minute.
    assert (before, costs(calls)) == ([D(0), D("1.25")], [D(0), D("0.65")])
    assert sum(seconds for _, seconds in uses()) == 100


@pytest.mark.django_db
def test_a_call_that_is_gone_gives_back_all(acme: Account, bundle: Bundle) -> None:
    gone, stays = (dial(acme, POLISH, at(f"{day:02}T08:00"), 100) for day in (2, 3))
    charge_pending(RECORDED)
    Call.objects.filter(account=acme, started_at=gone.started_at, id=gone.id).delete()
    put_in_line(gone)
    charge_pending(RECORDED)

    assert costs([stays]) == [D(0)]
    assert charged() == [(100, 100, D(0))]


@pytest.mark.django_db
def test_a_price_that_changed_meanwhile_does_not_change_a_call_that_only_follows(
    acme: Account, bundle: Bundle
) -> None:
    follower = dial(acme, POLISH, at("20T08:00"), 100)
    charge_pending(RECORDED)
    acme.price_lists.get().price_list.rates.update(per_minute=D(9), connection_fee=D(9))

    late = dial(acme, POLISH, at("10T08:00"), 100)
    charge_pending(RECORDED)

    # Two minutes and the connection at the prices that the follower was charged by.
    assert costs([late, follower]) == [D(0), D("1.25")]


def place(day: int, number: int) -> datetime:
    return at(f"{day:02}T08:00") + timedelta(minutes=number)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(12))
def test_calls_in_any_order_end_as_if_charged_once_in_theirs(
    acme: Account, bundle: Bundle, seed: int
) -> None:
    chance = random.Random(seed)
    talks = [(chance.randint(1, 20), chance.randint(0, 60)) for _ in range(8)]
    order = chance.sample(range(8), 8)
    made: dict[int, Call] = {}
    for number in order:
        day, seconds = talks[number]
        made[number] = dial(acme, POLISH, place(day, number), seconds)
        if chance.random() < 0.5:
            charge_pending(RECORDED)
        if chance.random() < 0.3:
            correct(made[number], seconds)
    charge_pending(RECORDED)

    expected, left = {}, 100
    for number in sorted(range(8), key=lambda number: (talks[number][0], number)):
        seconds = talks[number][1]
        outside = max(0, seconds - left)
        left = max(0, left - seconds)
        expected[number] = D("0.65") if outside else D(0)
    assert costs(made[number] for number in range(8)) == [expected[n] for n in range(8)]
    assert sum(seconds for _, seconds in uses()) == 100 - left


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"since": date(2026, 11, 2)}, "since"),
        ({"until": date(2026, 12, 31)}, "until"),
        ({"classes": []}, "__all__"),
        ({"prefixes": ["+48"]}, "prefixes"),
        ({"classes": ["krajowe"]}, "classes"),
        ({"seconds": 0}, "seconds"),
    ],
)
def test_a_bundle_that_makes_no_sense_is_refused(
    bundle: Bundle, fields: dict[str, Any], wrong: str
) -> None:
    for name, value in fields.items():
        setattr(bundle, name, value)

    with pytest.raises(ValidationError) as caught:
        bundle.full_clean()

    assert list(caught.value.message_dict) == [wrong]


@pytest.mark.django_db
def test_a_bundle_in_use_can_end_but_not_become_another(acme: Account, bundle: Bundle) -> None:
    bundle.seconds = 50
    bundle.full_clean()
    bundle.refresh_from_db()
    dial(acme, POLISH, at("20T08:00"))
    charge_pending(RECORDED)

    bundle.until = date(2026, 12, 1)
    bundle.full_clean()
    bundle.seconds = 50
    with pytest.raises(ValidationError, match="zachowuje"):
        bundle.full_clean()
