"""The nightly purge: at each account's own hour, in slices, by as many workers as come, with a receipt that is true."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from pytest_django import Settings

from accounts.models import Account
from calls import partitions
from calls.models import (
    Call,
    CallGroup,
    InboxRecord,
    LegLink,
    LegRecord,
    Pbx,
    PurgeAlarm,
    Receipt,
)
from calls.retention import alarms, deleting, purge
from calls.retention.cutoffs import gone_on
from tests.builders import make_call

pytestmark = pytest.mark.django_db(transaction=True)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
# Five in the morning in Warsaw, and still the 22nd in New York.
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CUTOFF = datetime(2025, 11, 22, 23, 0, tzinfo=UTC)
NIGHT = date(2026, 11, 23)


def run(now: datetime = NOW) -> None:
    purge.run(now, database=now)


def receipt_of(account: Account | None, night: date = NIGHT) -> Receipt:
    return Receipt.objects.get(account=account, night=night)


def test_a_night_begins_at_half_past_three_where_the_account_is(acme: Account) -> None:
    old = make_call(acme, at=CUTOFF - SECOND)
    half_past_three = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)

    run(half_past_three - SECOND)
    before = list(Call.objects.values_list("id", flat=True))
    run(half_past_three)

    assert (before, Call.objects.count()) == ([old.id], 0)
    nights = Receipt.objects.filter(account=acme).order_by("night")
    assert [each.night for each in nights] == [date(2026, 11, 22), date(2026, 11, 23)]


def test_a_night_is_done_once(acme: Account) -> None:
    run()
    make_call(acme, at=CUTOFF - SECOND)

    run(NOW + timedelta(hours=20))

    assert (Call.objects.count(), receipt_of(acme).deleted) == (1, 0)


def test_after_days_off_one_night_makes_up_for_all(acme: Account) -> None:
    run(NOW - 9 * DAY)
    for days in range(1, 10):
        make_call(acme, at=CUTOFF - days * DAY)

    run()

    assert Call.objects.count() == 0
    assert receipt_of(acme).counts == {"calls.Call": 9}


def test_the_receipt_says_what_went_and_what_comes_next(acme: Account, beta: Account) -> None:
    for seconds in (1, 60, 3600):
        make_call(acme, at=CUTOFF - seconds * SECOND)
    for hours in (0, 5, 23, 24):
        make_call(acme, at=CUTOFF + timedelta(hours=hours))
    make_call(beta, at=CUTOFF)

    run()

    receipt = receipt_of(acme)
    assert (receipt.counts, receipt.deleted, receipt.left) == ({"calls.Call": 3}, 3, {})
    assert (receipt.oldest, receipt.newest) == (CUTOFF - timedelta(hours=1), CUTOFF - SECOND)
    assert (receipt.cutoff, receipt.next_calls, receipt.finished_at) == (CUTOFF, 3, NOW)
    assert (receipt_of(beta).deleted, receipt_of(beta).next_calls) == (0, 1)
    assert receipt_of(None).deleted == 0


def test_a_call_is_gone_on_the_day_that_its_page_names(acme: Account) -> None:
    call = make_call(acme, at=CUTOFF - SECOND)

    assert gone_on(acme, call.started_at) == date(2026, 11, 23)
    assert gone_on(acme, CUTOFF) == date(2026, 11, 24)


def test_a_slice_that_is_over_leaves_the_rest_to_the_next(
    acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge, "SLICE", -1.0)
    monkeypatch.setattr(deleting, "BATCH", 2)
    for seconds in range(1, 6):
        make_call(acme, at=CUTOFF - seconds * SECOND)

    left = []
    while purge.run_slice(NOW, database=NOW):
        left.append(Call.objects.count())

    assert (left, Call.objects.count()) == ([3, 1], 0)
    assert receipt_of(acme).counts == {"calls.Call": 5}


def at_once(times: int, job: Callable[[], Any]) -> None:
    together = Barrier(times)

    def closing(_: int) -> None:
        try:
            connection.ensure_connection()
            together.wait()
            job()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        list(threads.map(closing, range(times)))


def test_several_workers_at_once_delete_and_count_everything_once(
    acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleting, "BATCH", 3)
    for seconds in range(1, 30):
        make_call(acme, at=CUTOFF - seconds * SECOND)

    at_once(4, run)
    run()

    assert Call.objects.count() == 0
    assert receipt_of(acme).counts == {"calls.Call": 29}


def test_a_dropped_month_is_counted_in_the_receipts_of_those_whose_calls_it_held(
    acme: Account, beta: Account
) -> None:
    for account, days in ((acme, 40), (acme, 41), (beta, 60)):
        make_call(account, at=CUTOFF - days * DAY)

    run()

    assert min(partitions.existing("calls_call")) == date(2025, 11, 1)
    counts = [receipt_of(each).counts for each in (acme, beta)]
    assert counts == [{"calls.Call": 2}, {"calls.Call": 1}]
    assert receipt_of(acme).oldest == CUTOFF - 41 * DAY


def legs_of(call: Call, *, touched_at: datetime) -> None:
    """The group of a call's legs, as the pipeline writes it, and the raw record of the leg."""
    key = f"leg {call.id}"
    span = [int(call.started_at.timestamp() * 1_000_000)] * 2
    group = CallGroup.objects.create(
        pbx=call.pbx,
        account_id=call.account_id,
        started_at=call.started_at,
        call_id=call.id,
        touched_at=touched_at,
    )
    data = {"key": key, "span": span, "links": [key]}
    LegRecord.objects.create(pbx=call.pbx, key=key, group_id=group.pk, data=data)
    LegLink.objects.create(pbx=call.pbx, key=key, leg_key=key, since=0, until=1)
    InboxRecord.objects.create(
        pbx=call.pbx,
        received_at=touched_at,
        started_at=call.started_at,
        body=b"raw",
        digest=key.encode(),
        state="folded",
        leg_key=key,
    )


def kept_legs() -> list[set[str]]:
    return [
        set(LegRecord.objects.values_list("key", flat=True)),
        set(LegLink.objects.values_list("leg_key", flat=True)),
        set(InboxRecord.objects.values_list("leg_key", flat=True)),
        {f"leg {pk}" for pk in CallGroup.objects.values_list("call_id", flat=True)},
    ]


def test_legs_and_raw_records_go_with_their_call_where_an_account_keeps_little(
    acme: Account, beta: Account
) -> None:
    Account.objects.filter(pk=acme.pk).update(retention_days=7)
    for account in (acme, beta):
        for days in (6, 9):
            at = NOW - days * DAY
            legs_of(make_call(account, at=at), touched_at=at)
    kept = {f"leg {call.id}" for call in Call.objects.exclude(account=acme)}
    kept |= {f"leg {call.id}" for call in Call.objects.filter(started_at__gt=NOW - 7 * DAY)}

    run()

    assert kept_legs() == [kept] * 4
    assert receipt_of(acme).counts == {
        **{"calls.Call": 1, "calls.CallGroup": 1, "calls.LegRecord": 1, "calls.LegLink": 1},
        "calls.InboxRecord": 1,
    }


def test_an_old_call_that_came_yesterday_takes_its_legs_along(acme: Account) -> None:
    for at in (CUTOFF - SECOND, CUTOFF):
        legs_of(make_call(acme, at=at), touched_at=NOW - DAY)
    kept = {f"leg {Call.objects.get(started_at=CUTOFF).id}"}

    run()

    assert kept_legs() == [kept] * 4


def test_what_is_nobodys_goes_after_a_year_with_its_raw_record(freeswitch: Pbx) -> None:
    for days in (360, 367):
        at = int((NOW - days * DAY).timestamp() * 1_000_000)
        group = CallGroup.objects.create(pbx=freeswitch, touched_at=NOW - DAY)
        data = {"key": f"{days}", "span": [at, at], "links": []}
        LegRecord.objects.create(pbx=freeswitch, key=f"{days}", group_id=group.pk, data=data)
        InboxRecord.objects.create(
            pbx=freeswitch,
            received_at=NOW - DAY,
            started_at=NOW - days * DAY,
            body=b"raw",
            digest=b"%d" % days,
            state="unassigned",
            leg_key=f"{days}",
        )

    run()

    assert kept_legs()[0] == kept_legs()[2] == {"360"}
    assert receipt_of(None).counts == {
        **{"calls.CallGroup": 1, "calls.LegRecord": 1, "calls.InboxRecord": 1}
    }


def test_sessions_that_are_over_go(acme: Account) -> None:
    for name, days in (("over", -1), ("open", 1)):
        Session.objects.create(session_key=name, session_data="", expire_date=NOW + days * DAY)

    run()

    assert [each.session_key for each in Session.objects.all()] == ["open"]


def test_what_the_purge_cannot_reach_raises_the_alarm_until_it_is_gone(
    freeswitch: Pbx, settings: Settings
) -> None:
    settings.OPERATOR_EMAILS = ["operator@example.com"]
    stray = LegLink.objects.create(pbx=freeswitch, key="x", leg_key="gone", since=0, until=1)

    run()
    raised = [(each.kind, each.details) for each in PurgeAlarm.objects.filter(settled_at=None)]
    stray.delete()
    run(NOW + 2 * DAY)

    assert raised == [("left", {"what": "calls.LegLink 1"})]
    assert receipt_of(None).left == {"calls.LegLink": 1}
    assert not PurgeAlarm.objects.filter(settled_at=None).exists()
    assert [each.to for each in mail.outbox] == [["operator@example.com"]]
    assert "calls.LegLink 1" in mail.outbox[0].body


def test_a_model_without_a_rule_raises_the_alarm(
    acme: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Receipt, "keeping")

    run()

    assert PurgeAlarm.objects.get().details == {"tables": "calls.Receipt"}


@pytest.mark.parametrize(
    ("database", "kind"),
    [(NOW + timedelta(minutes=3), "differ"), (NOW - timedelta(hours=1), "differ"), (NOW, None)],
    ids=["PostgreSQL is ahead", "PostgreSQL is behind", "both agree"],
)
def test_nothing_is_deleted_while_the_clocks_disagree(
    acme: Account, database: datetime, kind: str | None
) -> None:
    make_call(acme, at=CUTOFF - SECOND)

    purge.run(NOW, database=database)

    raised = list(PurgeAlarm.objects.values_list("kind", flat=True))
    assert (raised, Call.objects.count()) == (([kind], 1) if kind else ([], 0))


def test_after_a_leap_of_the_clock_nothing_is_deleted_until_a_person_says_that_it_is_right(
    acme: Account,
) -> None:
    run()
    call = make_call(acme, at=NOW)
    later = NOW + 400 * DAY

    run(later)
    refused = [each.id for each in Call.objects.all()]
    alarms.settle([PurgeAlarm.Kind.CLOCK_AHEAD], later, by="olga@operator.example")
    run(later + SECOND)

    assert (refused, Call.objects.count()) == ([call.id], 0)
    alarm = PurgeAlarm.objects.get()
    assert (alarm.kind, alarm.settled_by) == ("ahead", "olga@operator.example")
    assert "2028" not in alarm.message and "2027-12-28" in alarm.message


def test_weeks_off_need_nobodys_word(acme: Account) -> None:
    run(NOW - 29 * DAY)
    make_call(acme, at=CUTOFF - SECOND)

    run()

    assert (Call.objects.count(), PurgeAlarm.objects.count()) == (0, 0)


def test_a_clock_that_went_back_stops_the_purge_until_it_is_right_again(acme: Account) -> None:
    run(NOW)
    make_call(acme, at=CUTOFF - 40 * DAY)

    run(NOW - 3 * DAY)
    refused = Call.objects.count()
    run(NOW + DAY)

    assert (refused, Call.objects.count()) == (1, 0)
    assert [(each.kind, each.settled_at) for each in PurgeAlarm.objects.all()] == [
        ("behind", NOW + DAY)
    ]


def test_a_broken_mail_server_delays_the_mail_and_nothing_else(
    acme: Account, settings: Settings
) -> None:
    settings.OPERATOR_EMAILS = ["operator@example.com"]
    settings.EMAIL_BACKEND = f"{Broken.__module__}.{Broken.__qualname__}"
    purge.run(NOW, database=NOW + DAY)
    Broken.is_broken = False
    try:
        purge.run(NOW + SECOND, database=NOW + DAY)
        purge.run(NOW + 2 * SECOND, database=NOW + DAY)
    finally:
        Broken.is_broken = True

    assert len(mail.outbox) == 1
    assert PurgeAlarm.objects.get().mailed_at == NOW + SECOND


class Broken(EmailBackend):
    is_broken = True

    def send_messages(self, messages: Any) -> int:
        if self.is_broken:
            raise ConnectionRefusedError
        sent: int = super().send_messages(messages)
        return sent
