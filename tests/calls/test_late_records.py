"""A record of a call that is too old on arrival: acknowledged, counted, and nothing of it kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from accounts.models import Account
from calls.ingest import inbox, pipeline
from calls.models import Call, CallGroup, InboxRecord, LegLink, LegRecord, Pbx, Receipt
from tests.conftest import RECORDED
from tests.records import asterisk_scenarios, freeswitch_scenarios

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FREESWITCH = freeswitch_scenarios()[0].bodies
ASTERISK = next(each.bodies for each in asterisk_scenarios("master.csv") if len(each.bodies) > 1)


def deliver(pbx: Pbx, bodies: Sequence[bytes], now: datetime) -> None:
    inbox.receive(pbx, bodies, now=now)
    while pipeline.fold_batch(pbx, now):
        pass


def kept() -> list[int]:
    return [model._base_manager.count() for model in (Call, CallGroup, LegRecord, LegLink)]


def late() -> list[tuple[str | None, int]]:
    return list(Receipt.objects.values_list("account__slug", "late"))


def remains() -> set[tuple[str, str, str, bytes, str, object]]:
    return {
        (each.state, each.reason, each.message, bytes(each.body), each.leg_key, each.started_at)
        for each in InboxRecord.objects.all()
    }


NOTHING = {("expired", "", "", b"", "", None)}


def test_of_a_call_older_than_its_account_keeps_nothing_stays(
    acme: Account, freeswitch: Pbx
) -> None:
    Account.objects.filter(pk=acme.pk).update(retention_days=30)

    deliver(freeswitch, FREESWITCH, RECORDED + 40 * DAY)

    assert (kept(), remains()) == ([0, 0, 0, 0], NOTHING)
    assert late() == [("acme", len(FREESWITCH))]


def test_of_a_call_older_than_anybody_keeps_nothing_stays(asterisk: Pbx) -> None:
    deliver(asterisk, ASTERISK, RECORDED + 370 * DAY)

    assert (kept(), remains()) == ([0, 0, 0, 0], NOTHING)
    assert late() == [(None, len(ASTERISK))]


def test_it_does_not_wait_until_it_is_settled(acme: Account, freeswitch: Pbx) -> None:
    """The second record of the call is missing, so that it would be provisional."""
    Account.objects.filter(pk=acme.pk).update(retention_days=30)

    deliver(freeswitch, FREESWITCH[:1], RECORDED + 40 * DAY)

    assert (kept(), remains()) == ([0, 0, 0, 0], NOTHING)


def test_a_late_leg_that_makes_a_call_too_old_takes_it_away(acme: Account, freeswitch: Pbx) -> None:
    Account.objects.filter(pk=acme.pk).update(retention_days=30)
    deliver(freeswitch, FREESWITCH[:1], RECORDED)
    assert Call.objects.count() == 1

    deliver(freeswitch, FREESWITCH[1:], RECORDED + 40 * DAY)

    assert (kept(), remains()) == ([0, 0, 0, 0], NOTHING)
    assert late() == [("acme", len(FREESWITCH))]


def test_repeated_it_is_known_and_counted_once(acme: Account, freeswitch: Pbx) -> None:
    for days in (370, 371):
        deliver(freeswitch, FREESWITCH, RECORDED + days * DAY)

    assert late() == [(None, len(FREESWITCH))]


def test_an_account_that_may_keep_more_than_a_year_takes_older_calls(
    acme: Account, freeswitch: Pbx
) -> None:
    Account.objects.filter(pk=acme.pk).update(retention_days=500, keeps_longer=True)

    deliver(freeswitch, FREESWITCH, RECORDED + 400 * DAY)

    assert (Call.objects.count(), late()) == (1, [])
