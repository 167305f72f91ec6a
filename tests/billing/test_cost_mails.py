"""Mails about costs: what they say, that a broken mail server loses none, and that none goes twice."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django import Settings

from accounts.models import Account, Membership
from billing.mailing import send_waiting
from billing.models import Budget, CostWatch, Notice, NoticeMail
from billing.watching import watch
from calls.models import Call, Extension
from tests.billing.mail_server import mail_server
from tests.billing.paid import paid_call
from tests.conftest import RECORDED

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def real_mail(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_TIMEOUT = 5
    settings.PUBLIC_URL = "https://panel.example"


@pytest.fixture
def call(acme: Account, owner: Membership) -> Call:
    """A call that is the first one to Latvia, with its notice, whose mail waits."""
    CostWatch.objects.create(
        account=acme,
        remembers_since=RECORDED - timedelta(days=90),
        looked_until=RECORDED - MINUTE,
        addresses=["biuro@acme.example"],
    )
    Extension.objects.create(account=acme, number="101", name="Bogdan")
    made = paid_call(acme, "14.2", number="+37126123456", name="Łotwa")
    watch(RECORDED)
    return made


def states() -> list[tuple[str, str, int]]:
    mails = NoticeMail.objects.order_by("pk")
    return [(mail.address, mail.state, mail.attempts) for mail in mails]


def test_a_mail_says_in_polish_what_happened_and_leads_to_the_call(
    call: Call, settings: Settings
) -> None:
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        assert send_waiting(RECORDED) == 2

    message = server.received[0]
    assert message["To"] == "alicja@acme.example"
    assert message["Subject"].strip() == "Pierwsze połączenie na: Łotwa (+371) · Acme sp. z o.o."
    link = f"https://panel.example/accounts/acme/calls/call/{call.public_id}/"
    text = message.get_body(("plain",))
    html = message.get_body(("html",))
    assert text is not None and html is not None
    for part in (text.get_content(), html.get_content()):
        assert link in part
        for words in (
            "23.11.2026 13:00",
            "101\xa0Bogdan",
            "+371\xa026123456",
            "14,20 zł",
            "Niczego nie blokujemy",
        ):
            assert words in part
        assert "https://panel.example/accounts/acme/costs/" in part


def test_names_are_text_in_a_mail_and_not_markup(call: Call, settings: Settings) -> None:
    Extension.objects.update(name="<b>&Bogdan")
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        send_waiting(RECORDED)

    text, html = (server.received[0].get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None and "<b>&Bogdan" in text.get_content()
    assert html is not None and "&lt;b&gt;&amp;Bogdan" in html.get_content()


def test_a_mail_server_that_is_away_gets_each_mail_later_and_once(
    call: Call, settings: Settings
) -> None:
    with mail_server() as server:
        settings.EMAIL_PORT = port = server.port
    assert send_waiting(RECORDED) == 0
    assert states() == [("alicja@acme.example", "waiting", 1), ("biuro@acme.example", "waiting", 0)]

    with mail_server(port) as again:
        later = RECORDED + MINUTE
        sent = [send_waiting(later + number * MINUTE) for number in range(3)]

    assert sent == [2, 0, 0]
    assert [message["To"] for message in again.received] == [
        "alicja@acme.example",
        "biuro@acme.example",
    ]
    assert [state for _, state, _ in states()] == ["sent", "sent"]


def test_a_mail_that_is_refused_does_not_keep_the_others_back(
    call: Call, settings: Settings
) -> None:
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        server.answer = "451 later"
        assert send_waiting(RECORDED) == 0
        assert [attempts for *_, attempts in states()] == [1, 1]
        server.answer = "250 taken"
        assert send_waiting(RECORDED + MINUTE) == 2


def test_pauses_grow_to_an_hour_and_after_two_days_it_is_given_up(
    call: Call, settings: Settings
) -> None:
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
    NoticeMail.objects.exclude(address="alicja@acme.example").delete()
    pauses = []
    now = RECORDED
    while NoticeMail.objects.filter(state="waiting").exists():
        send_waiting(now)
        due = NoticeMail.objects.get().next_try_at
        pauses.append((due - now) // MINUTE)
        now = due

    assert pauses[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert timedelta(days=2) < now - RECORDED < timedelta(days=2, hours=6)
    assert states() == [("alicja@acme.example", "failed", 55)]


def test_a_mail_that_a_worker_died_on_is_not_sent_again(call: Call, settings: Settings) -> None:
    NoticeMail.objects.filter(address="alicja@acme.example").update(state="sending")
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        send_waiting(RECORDED)

    assert [message["To"] for message in server.received] == ["biuro@acme.example"]


def test_all_kinds_of_mails_have_their_words(call: Call, acme: Account, settings: Settings) -> None:
    desk = Extension.objects.get(number="101")
    long_ago = RECORDED - timedelta(days=60)
    Budget.objects.create(account=acme, amount=Decimal(16), created_at=long_ago)
    Budget.objects.create(account=acme, extension=desk, amount=Decimal(14), created_at=long_ago)
    for days in range(1, 57):
        paid_call(acme, "2", at=RECORDED - timedelta(days=days))
    paid_call(acme, "30", at=RECORDED)
    watch(RECORDED)
    NoticeMail.objects.filter(notice__kind="first_call").delete()

    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        send_waiting(RECORDED)

    written = [
        (message["Subject"].strip().partition(" · ")[0], _text(message.get_body(("plain",))))
        for message in server.received
        if message["To"] == "alicja@acme.example"
    ]
    spent = "Listopad 2026: połączenia kosztowały 88,20 zł. Budżet wynosi"
    assert written == [
        ("Wydano 100% budżetu", f"{spent} 16,00 zł."),
        ("Wydano 100% budżetu: 101 Bogdan", f"{spent} 14,00 zł."),
        (
            "Wydatki dużo większe niż zwykle",
            "W dniu 23.11.2026 połączenia kosztowały 44,20 zł. W takim dniu zwykle jest to 2,00 zł.",
        ),
        (
            "Wydatki dużo większe niż zwykle",
            "W godzinie od 23.11.2026 13:00 połączenia kosztowały 44,20 zł. Najdroższa godzina takiego dnia kosztuje"
            " zwykle 2,00 zł.",
        ),
    ]


def _text(part: object) -> str:
    return part.get_content().splitlines()[2]  # type: ignore[attr-defined,no-any-return]


def test_a_mail_that_cannot_be_written_does_not_keep_the_others_back(
    call: Call, settings: Settings
) -> None:
    first = NoticeMail.objects.order_by("pk")[0]
    broken = Notice.objects.create(
        account=call.account, key="x", kind="budget", facts={}, created_at=RECORDED
    )
    NoticeMail.objects.filter(pk=first.pk).update(notice=broken)
    with mail_server() as server:
        settings.EMAIL_PORT = server.port
        assert send_waiting(RECORDED) == 1

    assert states() == [("alicja@acme.example", "waiting", 1), ("biuro@acme.example", "sent", 0)]


def test_no_mail_no_connection(settings: Settings, acme: Account) -> None:
    settings.EMAIL_PORT = 1

    assert send_waiting(RECORDED) == 0
