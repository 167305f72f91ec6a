"""A source that falls silent is noticed once, told once, and once more when it sends again."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from pytest_django import Settings

from calls import silences
from calls.ingest import inbox, pipeline
from calls.models import Pbx, Silence, SourceHour, SourceState
from tests.conftest import RECORDED
from tests.records import freeswitch_scenarios

pytestmark = pytest.mark.django_db
BODIES = [body for scenario in freeswitch_scenarios() for body in scenario.bodies]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
# A Monday at noon UTC.
LAST = RECORDED
WARSAW = ZoneInfo("Europe/Warsaw")
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture(autouse=True)
def addresses(settings: Settings) -> None:
    settings.OPERATOR_EMAILS = ["olga@operator.example", "jan@operator.example"]
    settings.DEFAULT_FROM_EMAIL = "callpanel@operator.example"
    settings.PUBLIC_URL = "https://panel.example.com"


@pytest.fixture
def busy(freeswitch: Pbx) -> Pbx:
    """A PBX that sent 120 records in every hour of the ten weeks before, and then one more."""
    hour = LAST.replace(minute=0)
    SourceHour.objects.bulk_create(
        SourceHour(pbx=freeswitch, hour=hour - back * HOUR, records=120)
        for back in range(24 * 7 * 10)
    )
    send(freeswitch, LAST)
    return freeswitch


def send(pbx: Pbx, at: datetime, *, folded: bool = True) -> None:
    inbox.receive(pbx, [BODIES[len(SENT)]], now=at)
    SENT.append(at)
    while folded and pipeline.fold_batch(pbx, at):
        pass


SENT: list[datetime] = []


@pytest.fixture(autouse=True)
def nothing_sent() -> None:
    SENT.clear()


def told() -> list[str]:
    """The subjects of the mails so far."""
    return [str(message.subject) for message in mail.outbox]


def check(*moments: datetime) -> None:
    for moment in moments:
        silences.check(moment)


def test_a_silence_is_told_once_at_its_beginning_and_once_at_its_end(busy: Pbx) -> None:
    check(LAST, LAST + 2 * MINUTE)
    assert told() == []

    check(*(LAST + minutes * MINUTE for minutes in (30, 31, 32, 90)))
    assert told() == ["Centrala freeswitch zamilkła"]

    send(busy, LAST + 91 * MINUTE)
    check(LAST + 92 * MINUTE, LAST + 93 * MINUTE)
    assert told() == ["Centrala freeswitch zamilkła", "Centrala freeswitch znów wysyła"]
    silence = Silence.objects.get()
    assert (silence.since, silence.ended_at) == (LAST, LAST + 91 * MINUTE)


def test_the_mails_say_what_happened_and_lead_to_the_page(busy: Pbx) -> None:
    check(LAST + 30 * MINUTE)
    send(busy, LAST + 31 * MINUTE)
    check(LAST + 32 * MINUTE)

    began, ended = mail.outbox
    assert "nie przysłała żadnego rekordu od 23.11.2026 13:00" in began.body
    assert "Zwykle w takim czasie przychodzi 60 rekordów." in began.body
    assert "od 23.11.2026 13:31. Milczała od 23.11.2026 13:00" in ended.body
    for message in (began, ended):
        assert "https://panel.example.com/operator/sources/freeswitch/" in message.body
        assert message.to == ["olga@operator.example", "jan@operator.example"]
        assert message.from_email == "callpanel@operator.example"


def test_each_mail_has_an_id_of_its_own_that_a_repetition_would_share(busy: Pbx) -> None:
    check(LAST + 30 * MINUTE)
    send(busy, LAST + 31 * MINUTE)
    check(LAST + 32 * MINUTE)

    ids = [message.message()["Message-ID"] for message in mail.outbox]
    pk = Silence.objects.get().pk
    assert ids == [
        f"<silence-{pk}-began@panel.example.com>",
        f"<silence-{pk}-ended@panel.example.com>",
    ]


def test_the_next_silence_is_another_one(busy: Pbx) -> None:
    check(LAST + 30 * MINUTE)
    send(busy, LAST + 31 * MINUTE)
    check(LAST + 32 * MINUTE, LAST + 62 * MINUTE, LAST + 70 * MINUTE)

    assert told() == [
        "Centrala freeswitch zamilkła",
        "Centrala freeswitch znów wysyła",
        "Centrala freeswitch zamilkła",
    ]
    assert Silence.objects.count() == 2


def test_a_broken_mail_server_delays_and_loses_nothing(busy: Pbx, settings: Settings) -> None:
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", 1
    check(LAST + 30 * MINUTE, LAST + 31 * MINUTE)
    send(busy, LAST + 40 * MINUTE)
    check(LAST + 41 * MINUTE)
    assert (told(), Silence.objects.get().began_told_at) == ([], None)

    settings.EMAIL_BACKEND = working
    check(LAST + 42 * MINUTE, LAST + 43 * MINUTE)

    assert told() == ["Centrala freeswitch zamilkła", "Centrala freeswitch znów wysyła"]
    silence = Silence.objects.get()
    assert (silence.began_told_at, silence.end_told_at) == (LAST + 42 * MINUTE,) * 2


def test_where_no_address_is_set_nobody_is_told_now_or_later(busy: Pbx, settings: Settings) -> None:
    addresses, settings.OPERATOR_EMAILS = settings.OPERATOR_EMAILS, []
    check(LAST + 30 * MINUTE)
    settings.OPERATOR_EMAILS = addresses

    check(LAST + 31 * MINUTE)

    assert (told(), Silence.objects.count()) == ([], 1)


def test_records_that_only_wait_to_be_folded_are_no_silence(busy: Pbx) -> None:
    send(busy, LAST + 40 * MINUTE, folded=False)

    check(LAST + 44 * MINUTE)
    assert not Silence.objects.exists()
    check(LAST + 80 * MINUTE)
    assert Silence.objects.get().since == LAST + 40 * MINUTE


@pytest.mark.parametrize("weeks", [0, 2])
def test_a_new_source_has_no_habit_that_it_could_break(busy: Pbx, weeks: int) -> None:
    SourceHour.objects.filter(hour__lt=LAST - timedelta(weeks=weeks)).delete()

    check(LAST + 6 * HOUR)

    assert not Silence.objects.exists()


def test_a_source_that_never_sent_is_not_silent(freeswitch: Pbx) -> None:
    check(RECORDED + 1000 * HOUR)

    assert not Silence.objects.exists()


def test_calls_of_many_legs_need_a_longer_silence(busy: Pbx) -> None:
    SourceState.objects.update(folded=600, calls=100)
    check(LAST + 25 * MINUTE)
    assert not Silence.objects.exists()

    check(LAST + 30 * MINUTE)
    assert Silence.objects.exists()


def test_a_source_switched_off_is_no_longer_waited_for(busy: Pbx) -> None:
    check(LAST + 30 * MINUTE)
    Pbx.objects.update(is_active=False)

    check(LAST + 31 * MINUTE, LAST + 32 * MINUTE)

    assert told() == ["Centrala freeswitch zamilkła"]
    assert Silence.objects.get().ended_at == LAST + 31 * MINUTE


def test_a_public_holiday_alarms_nobody_at_an_office(freeswitch: Pbx) -> None:
    # Independence Day, a Wednesday.
    holiday = datetime(2026, 11, 11, 11, 0, tzinfo=LAST.tzinfo)
    last = holiday - timedelta(hours=20, minutes=1)
    hours = (holiday.replace(minute=0) - back * HOUR for back in range(24 * 7 * 9))
    SourceHour.objects.bulk_create(
        SourceHour(pbx=freeswitch, hour=hour, records=200)
        for hour in hours
        if hour.weekday() < 5 and 8 <= hour.astimezone(WARSAW).hour < 16 and hour < last
    )
    SourceState.objects.create(pbx=freeswitch, last_received_at=last, last_ended_at=last)

    check(holiday)
    assert not Silence.objects.exists()
    check(holiday + timedelta(days=1))
    assert Silence.objects.exists()
