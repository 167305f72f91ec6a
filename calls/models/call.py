"""The call: one row for one phone call as a person would count it.

Partitioned by the month of ``started_at`` (UTC). Nothing has a foreign key into it: rows move between partitions and
disappear with them.
"""

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.keeping import OfAccount
from accounts.models import Account
from calls.ingest.records import Kind as FoldedKind
from calls.ingest.records import Outcome as FoldedOutcome
from calls.ingest.records import micros, moment
from calls.models.pbx import Pbx
from calls.numbers import Direction as NumberDirection
from calls.querysets import CallQuerySet


class Call(models.Model):
    class Kind(models.TextChoices):
        OUTGOING = FoldedKind.OUTGOING.value, _("outgoing")
        INCOMING = FoldedKind.INCOMING.value, _("incoming")
        INTERNAL = FoldedKind.INTERNAL.value, _("internal")

    class Outcome(models.TextChoices):
        ANSWERED = FoldedOutcome.ANSWERED.value, _("answered")
        BUSY = FoldedOutcome.BUSY.value, _("busy")
        NO_ANSWER = FoldedOutcome.NO_ANSWER.value, _("not answered")
        REJECTED = FoldedOutcome.REJECTED.value, _("rejected")
        CANCELLED = FoldedOutcome.CANCELLED.value, _("caller gave up")
        FAILED = FoldedOutcome.FAILED.value, _("could not be connected")
        VOICEMAIL = FoldedOutcome.VOICEMAIL.value, _("voicemail")
        IVR_ABANDON = FoldedOutcome.IVR_ABANDON.value, _("hung up in the menu")
        QUEUE_ABANDON = FoldedOutcome.QUEUE_ABANDON.value, _("hung up in the queue")
        CLOSED = FoldedOutcome.CLOSED.value, _("closed hours")
        SERVICE = FoldedOutcome.SERVICE.value, _("service call")

    class Direction(models.TextChoices):
        DOMESTIC = NumberDirection.DOMESTIC.value, _("domestic")
        MOBILE = NumberDirection.MOBILE.value, _("mobile")
        INTERNATIONAL = NumberDirection.INTERNATIONAL.value, _("international")
        SPECIAL = NumberDirection.SPECIAL.value, _("special")
        EMERGENCY = NumberDirection.EMERGENCY.value, _("emergency")
        INTERNAL = NumberDirection.INTERNAL.value, _("internal numbers")
        UNKNOWN = NumberDirection.UNKNOWN.value, _("unknown")

    class Charging(models.TextChoices):
        FREE = "free", _("nothing to pay")
        PENDING = "pending", _("being priced")
        CHARGED = "charged", _("priced")
        NO_RATE = "no_rate", _("no rate")

    pk = models.CompositePrimaryKey("account_id", "started_at", "id")
    account = models.ForeignKey(Account, models.DO_NOTHING, db_constraint=False, db_index=False)
    started_at = models.DateTimeField()
    # A pure function of the PBX's own ids: see calls.ingest.store.call_id.
    id = models.BigIntegerField()
    pbx = models.ForeignKey(Pbx, models.DO_NOTHING, db_constraint=False, db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    outcome = models.CharField(max_length=20, choices=Outcome.choices)
    missed = models.BooleanField()
    provisional = models.BooleanField()
    estimated = models.BooleanField()
    direction = models.CharField(max_length=15, choices=Direction.choices)
    extension = models.CharField(max_length=64)
    extensions = ArrayField(models.CharField(max_length=64))
    peer = models.CharField(max_length=64)
    peer_name = models.CharField(max_length=100)
    hidden = models.BooleanField()
    own_number = models.CharField(max_length=64)
    people = ArrayField(models.CharField(max_length=64))
    wait_s = models.IntegerField()
    talk_s = models.IntegerField()
    paid = models.JSONField()
    legs = models.JSONField()
    charging = models.CharField(max_length=10, choices=Charging.choices)
    cost = models.DecimalField(max_digits=14, decimal_places=6, null=True)

    keeping = OfAccount("started_at", partitioned=True)
    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        indexes = (
            models.Index(fields=["account", "peer", "started_at"], name="call_peer"),
            models.Index(fields=["account", "extension", "started_at"], name="call_extension"),
            models.Index(
                fields=["account", "started_at", "id"], condition=Q(missed=True), name="call_missed"
            ),
        )

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} {self.kind} {self.extension} {self.peer}"

    @property
    def public_id(self) -> str:
        """What stands in addresses: the time too, without which finding a row would mean asking every partition."""
        return public_id(self.started_at, self.id)


def public_id(started_at: datetime, call_id: int) -> str:
    return f"{micros(started_at)}-{call_id}"


def from_public_id(text: str) -> dict[str, Any] | None:
    """``started_at`` and ``id`` of a call; None for a text that is no public id."""
    began, _dash, call_id = text.partition("-")
    if not (began.isdecimal() and call_id.isdecimal() and len(text) <= 40):
        return None
    try:
        started_at = moment(int(began))
    except OverflowError:
        return None
    return {"started_at": started_at, "id": int(call_id)} if int(call_id) < 1 << 63 else None


class MovedCall(models.Model):
    """Where a call went whose beginning or account changed, so that its old address still finds it."""

    pk = models.CompositePrimaryKey("account_id", "started_at", "call_id")
    account = models.ForeignKey(Account, models.DO_NOTHING, db_constraint=False, related_name="+")
    started_at = models.DateTimeField()
    call_id = models.BigIntegerField()
    new_account_id = models.BigIntegerField(null=True)
    new_started_at = models.DateTimeField(null=True)
    new_call_id = models.BigIntegerField(null=True)

    keeping = (OfAccount("started_at"), OfAccount("new_started_at"))

    class Meta:
        verbose_name_plural = _("addresses of moved calls")
        indexes = (
            models.Index(
                fields=["new_account_id", "new_started_at", "new_call_id"], name="moved_to"
            ),
        )

    def __str__(self) -> str:
        return f"{self.call_id} → {self.new_call_id}"

    @classmethod
    def new_public_id(cls, account: Account, started_at: datetime, call_id: int) -> str | None:
        """Where a call of the account is now; None if it did not move within the account."""
        moved = cls.objects.filter(
            account=account,
            started_at=started_at,
            call_id=call_id,
            new_account_id=account.pk,
        ).first()
        if moved is None or moved.new_started_at is None or moved.new_call_id is None:
            return None
        return public_id(moved.new_started_at, moved.new_call_id)


class UnpricedCall(models.Model):
    """The queue of calls with something to pay for, written in the transaction that stores the call."""

    class Reason(models.TextChoices):
        NO_LIST = "no_list", _("the account has no price list")
        NO_RATE = "no_rate", _("no rate for the number")
        BLOCKED = "blocked", _("the destination is blocked")
        ERROR = "error", _("callpanel failed on it, its log says how")

    pk = models.CompositePrimaryKey("account_id", "started_at", "call_id")
    account = models.ForeignKey(
        Account, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    started_at = models.DateTimeField()
    call_id = models.BigIntegerField()
    # Set aside until prices change, and why; the reason of an entry that waits is out of date.
    no_rate = models.BooleanField(default=False)
    reason = models.CharField(max_length=10, choices=Reason.choices, blank=True, db_default="")

    keeping = OfAccount("started_at")

    class Meta:
        verbose_name_plural = _("calls to be priced")
        indexes = (
            models.Index(
                fields=["account", "started_at", "call_id"],
                condition=Q(no_rate=False),
                name="unpriced_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.started_at} {self.call_id}"
