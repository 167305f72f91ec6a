"""Sends what accounts are told of their costs: each mail once, again later where the mail server does not take it."""

import logging
import smtplib
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Account
from billing.models import AccountPriceList, NoticeMail
from billing.notices import calls_of, told
from calls.models import Extension

logger = logging.getLogger("callpanel.billing")

State = NoticeMail.State
# A mail server that is away is tried again after 1, 2, 4 … minutes, at most an hour, for about two days.
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 55
# What is wrong with one mail and not with the server.
OF_ONE_MAIL = (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException)


def send_waiting(now: datetime) -> int:
    """Send the mails that are due; returns how many were sent. Stops where the mail server is away."""
    due = NoticeMail.objects.filter(state=State.WAITING, next_try_at__lte=now)
    connection = get_connection()
    sent = 0
    for mail in due.select_related("notice__account").order_by("pk"):
        try:
            sent += _send(mail, connection, now)
        except OSError as error:
            logger.warning("mail %d could not be sent: %s", mail.pk, error)
            _put_off(mail, now)
            if not isinstance(error, OF_ONE_MAIL):
                break
        except Exception:
            # What is wrong with one mail does not keep the others back.
            logger.exception("mail %d could not be written", mail.pk)
            _put_off(mail, now)
    return sent


def _send(mail: NoticeMail, connection: BaseEmailBackend, now: datetime) -> bool:
    """One mail, which is ours alone once it is marked. Raises OSError."""
    message = _message(mail, connection)
    mine = NoticeMail.objects.filter(pk=mail.pk)
    if not mine.filter(state=State.WAITING).update(state=State.SENDING):
        return False
    message.send()
    mine.update(state=State.SENT, sent_at=now)
    return True


def _put_off(mail: NoticeMail, now: datetime) -> None:
    attempts = mail.attempts + 1
    pause = min(LONGEST_PAUSE, timedelta(minutes=2 ** min(mail.attempts, 6)))
    NoticeMail.objects.filter(pk=mail.pk).update(
        state=State.WAITING if attempts < MOST_ATTEMPTS else State.FAILED,
        attempts=attempts,
        next_try_at=now + pause,
    )


def _sees_full_numbers(account: Account, address: str) -> bool:
    """As that person sees them on the pages; for an address of nobody's, only where everybody sees them whole."""
    member = account.memberships.filter(user__email__iexact=address).first()
    return member.sees_full_numbers if member else not account.masked_roles


def _message(mail: NoticeMail, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    account = mail.notice.account
    with translation.override(settings.LANGUAGE_CODE), timezone.override(account.tz):
        pays = AccountPriceList.money_of(account)
        message = told(mail.notice, account, pays.currency)
        calls = calls_of(mail.notice, account)
        context = {
            "account": account,
            "told": message,
            "calls": calls if _sees_full_numbers(account, mail.address) else calls.masked(),
            "names": Extension.names_in(account),
            "pays": pays,
            "root": settings.PUBLIC_URL,
            "settings_path": reverse("costs", args=[account.slug]),
        }
        html = render_to_string("mail/costs.html", context)
        text = render_to_string("mail/costs.txt", context)
    # The same id in every attempt, so that a mailbox can tell a mail that it has already.
    host = settings.PUBLIC_URL.partition("://")[2].partition("/")[0].partition(":")[0]
    return EmailMultiAlternatives(
        f"{message.title} · {account.name}".replace("\n", " "),
        text,
        to=[mail.address],
        headers={"Message-ID": f"<costs-{mail.pk}@{host}>", "Auto-Submitted": "auto-generated"},
        alternatives=[(html, "text/html")],
        connection=connection,
    )
