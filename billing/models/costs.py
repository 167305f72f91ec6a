"""What an account wants to be told of its costs, and what it was told."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting, OfAccount
from accounts.models import Account, Role
from calls.models import Extension


class Recipients(models.Model):
    """Who gets a mail: owners, managers, or chosen addresses."""

    to_owners = models.BooleanField(_("mail to the owners"), default=True)
    to_managers = models.BooleanField(_("mail to the managers"), default=False)
    addresses = ArrayField(
        models.EmailField(),
        verbose_name=_("other addresses"),
        default=list,
        blank=True,
        help_text=_("Separated by commas."),
    )

    class Meta:
        abstract = True

    def emails(self, account: Account) -> list[str]:
        """The addresses at this moment, each once."""
        wanted = {Role.OWNER: self.to_owners, Role.MANAGER: self.to_managers}
        members = account.memberships.filter(
            role__in=[role for role, is_wanted in wanted.items() if is_wanted],
            user__is_active=True,
        )
        people = members.order_by("pk").values_list("user__email", flat=True)
        return list(dict.fromkeys([*people, *(each.lower() for each in self.addresses)]))


class Budget(Recipients):
    """What an account, or one extension of it, should spend in a month at most. Nothing is ever cut off."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="budgets")
    extension = models.ForeignKey(
        Extension,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="budgets",
        verbose_name=_("extension"),
        help_text=_("Empty: the whole firm."),
    )
    amount = models.DecimalField(
        _("amount a month"),
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    keeping = Lasting("what a firm wants to spend at most")

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        constraints = (
            models.UniqueConstraint(
                fields=["account", "extension"],
                name="one_budget_per_extension",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="budget_is_positive"),
        )

    def __str__(self) -> str:
        return str(self.extension or self.account)

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        # Whoever watches looks at the account again, though nothing was charged since.
        CostWatch.objects.filter(account=self.account_id).update(seen=None)


class CostWatch(Recipients):
    """What else an account is told of, and how far whoever watches its charges got."""

    account = models.OneToOneField(Account, models.CASCADE, related_name="cost_watch")
    first_calls = models.BooleanField(
        _("tell of first calls to a country or to premium numbers"), default=True
    )
    unusual = models.BooleanField(_("tell of spending far above the usual"), default=True)
    # Since when the destinations of its charges are remembered; what was charged before then counts as known.
    remembers_since = models.DateTimeField(null=True, editable=False)
    looked_until = models.DateTimeField(null=True, editable=False)
    # A hash of the fresh charges that were looked at last: while they are the same there is nothing to do.
    seen = models.BigIntegerField(null=True, editable=False)

    keeping = Lasting("what a firm wants to be told")

    class Meta:
        verbose_name = _("cost messages")
        verbose_name_plural = _("cost messages")

    def __str__(self) -> str:
        return str(self.account)


class SeenDestination(models.Model):
    """Where an account has called before: countries and premium ranges. Says nothing of whom, by whom, how often."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="seen_destinations")
    destination = models.CharField(max_length=10)

    keeping = Lasting("a country or a range of numbers, and no call")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["account", "destination"], name="destination_is_seen_once"
            ),
        )

    def __str__(self) -> str:
        return self.destination


class Notice(models.Model):
    """Something that an account was told of its costs, once: ``key`` says what makes it the same thing.

    ``facts`` are figures and public ids of calls; numbers and names stay with the calls.
    """

    class Kind(models.TextChoices):
        BUDGET = "budget", _("budget")
        FIRST_CALL = "first_call", _("first call")
        UNUSUAL = "unusual", _("unusual spending")

    account = models.ForeignKey(Account, models.CASCADE, related_name="cost_notices")
    key = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    facts = models.JSONField()
    created_at = models.DateTimeField()

    keeping = OfAccount("created_at")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "key"], name="one_notice_of_a_thing"),
        )
        indexes = (models.Index(fields=["account", "-created_at"], name="notice_newest"),)

    def __str__(self) -> str:
        return self.key

    @classmethod
    def tell(
        cls,
        account: Account,
        key: str,
        kind: "Notice.Kind",
        facts: dict[str, Any],
        emails: list[str],
        now: datetime,
    ) -> bool:
        """Keep it and put its mails in line, unless it was told before. Needs a transaction."""
        notice, created = cls.objects.get_or_create(
            account=account,
            key=key,
            defaults={"kind": kind, "facts": facts, "created_at": now},
        )
        if created:
            NoticeMail.objects.bulk_create(
                NoticeMail(notice=notice, address=address, next_try_at=now) for address in emails
            )
        return created


class NoticeMail(models.Model):
    """One mail to one address. It is marked before it is sent: it may be lost with a worker, never sent twice."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits to be sent")
        SENDING = "sending", _("handed to the mail server")
        SENT = "sent", _("sent")
        FAILED = "failed", _("could not be sent")

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="mails")
    address = models.EmailField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    keeping = Lasting("goes with its notice; it names who was told, and no caller")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["notice", "address"], name="one_mail_per_address"),
        )
        indexes = (
            models.Index(
                fields=["next_try_at"], condition=Q(state="waiting"), name="mails_waiting"
            ),
        )

    def __str__(self) -> str:
        return f"{self.notice} → {self.address}"
