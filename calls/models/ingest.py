"""The way in: raw records as they came, and which leg belongs to which call while late legs may still come."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.keeping import ForDays, Lasting, WithItsCall
from accounts.models import Account
from calls.inbox_querysets import SET_ASIDE, InboxQuerySet
from calls.ingest.records import Leg
from calls.models.pbx import Pbx


class Decision(models.Model):
    """What the operator's staff decided about refused records; carried out in batches, in the order of their ids."""

    class Action(models.TextChoices):
        RETRY = "retry", _("try again")
        DISMISS = "dismiss", _("dismiss")

    action = models.CharField(_("decision"), max_length=10, choices=Action.choices)
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("who"),
    )
    note = models.TextField(_("note"), blank=True)
    # calls.ingest.selection.Selection as JSON, of the records up to this id: those that come later are not meant.
    selection = models.JSONField()
    until = models.BigIntegerField()
    reached = models.BigIntegerField(default=0)
    records = models.IntegerField(_("records"), default=0)
    finished_at = models.DateTimeField(null=True)

    keeping = ForDays("at", Account.LONGEST_RETENTION_DAYS)

    class Meta:
        verbose_name = _("decision on refused records")
        verbose_name_plural = _("decisions on refused records")
        indexes = (
            models.Index(
                fields=["id"], condition=Q(finished_at__isnull=True), name="decision_in_hand"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.records} ({self.at:%Y-%m-%d %H:%M})"


class InboxRecord(models.Model):
    """One raw record, stored before it is acknowledged."""

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        FOLDED = "folded", _("taken over")
        QUARANTINED = "quarantined", _("not understood")
        UNASSIGNED = "unassigned", _("belongs to nobody")
        EXPIRED = "expired", _("too old to be kept")
        DISMISSED = "dismissed", _("dismissed")

    pbx = models.ForeignKey(Pbx, models.CASCADE, db_index=False, verbose_name=_("PBX"))
    received_at = models.DateTimeField(_("received"))
    layout = models.TextField(_("header of the file"), blank=True)
    body = models.BinaryField()
    digest = models.BinaryField(max_length=32)
    state = models.CharField(
        _("state"), max_length=20, choices=State.choices, default=State.PENDING
    )
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    message = models.TextField(_("what to do"), blank=True)
    leg_key = models.CharField(_("record id"), max_length=255, blank=True)
    # When the leg of a readable record began; unknown of one that nobody can read.
    started_at = models.DateTimeField(null=True)
    # By what the owner of a call that is nobody's was looked for.
    called = models.CharField(_("number called"), max_length=64, blank=True)
    tenants = ArrayField(models.TextField(), verbose_name=_("tenant codes"), default=list)
    # The latest one that dismissed it.
    dismissal = models.ForeignKey(
        Decision, models.SET_NULL, null=True, db_index=False, related_name="+"
    )

    keeping = (
        ForDays("received_at", 14, only=(("state__in", ("folded", "expired")),)),
        ForDays("received_at", Account.LONGEST_RETENTION_DAYS),
        ForDays("started_at", Account.LONGEST_RETENTION_DAYS),
    )
    objects = InboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("received record")
        verbose_name_plural = _("received records")
        constraints = (
            models.UniqueConstraint(fields=["pbx", "digest"], name="inbox_record_comes_once"),
        )
        indexes = (
            models.Index(fields=["pbx", "id"], condition=Q(state="pending"), name="inbox_pending"),
            models.Index(fields=["pbx", "leg_key"], name="inbox_leg"),
            models.Index(fields=["received_at"], name="inbox_received"),
            models.Index(
                fields=["pbx", "state", "id"],
                condition=Q(state__in=SET_ASIDE),
                name="inbox_set_aside",
            ),
        )

    def __str__(self) -> str:
        return f"{self.pbx} {self.received_at:%Y-%m-%d %H:%M:%S} {self.get_state_display()}"

    @property
    def current_dismissal_id(self) -> int | None:
        """The decision that dismissed it, unless it was reopened since."""
        return self.dismissal_id if self.state == self.State.DISMISSED else None


class CallGroup(models.Model):
    """The legs of one call, and where the call that they make is stored (nowhere, while it belongs to nobody)."""

    pbx = models.ForeignKey(Pbx, models.CASCADE, db_index=False)
    account_id = models.BigIntegerField(null=True)
    started_at = models.DateTimeField(null=True)
    call_id = models.BigIntegerField(null=True)
    # Set while a call may still change by itself: until then it is provisional.
    settles_at = models.DateTimeField(null=True)
    touched_at = models.DateTimeField()

    keeping = WithItsCall()

    class Meta:
        verbose_name_plural = _("groups of legs")
        indexes = (
            models.Index(
                fields=["settles_at"], condition=Q(settles_at__isnull=False), name="group_settles"
            ),
            models.Index(fields=["touched_at"], name="group_touched"),
            models.Index(fields=["pbx", "started_at", "call_id"], name="group_call"),
        )

    def __str__(self) -> str:
        return f"{self.pbx} {self.started_at} {self.call_id}"


class LegRecord(models.Model):
    """A leg by the PBX's own id of it, kept for the late window."""

    pk = models.CompositePrimaryKey("pbx_id", "key")
    pbx = models.ForeignKey(Pbx, models.CASCADE, db_constraint=False, db_index=False)
    key = models.CharField(max_length=255)
    group_id = models.BigIntegerField()
    data = models.JSONField()

    keeping = WithItsCall()

    class Meta:
        verbose_name_plural = _("legs")
        indexes = (models.Index(fields=["group_id"], name="leg_group"),)

    def __str__(self) -> str:
        return self.key

    @property
    def leg(self) -> Leg:
        return Leg.from_json(self.data)


class LegLink(models.Model):
    """A name that a leg holds between two moments (µs since the epoch), by which other legs find it."""

    pk = models.CompositePrimaryKey("pbx_id", "key", "leg_key")
    pbx = models.ForeignKey(Pbx, models.CASCADE, db_constraint=False, db_index=False)
    key = models.CharField(max_length=300)
    leg_key = models.CharField(max_length=255)
    since = models.BigIntegerField()
    until = models.BigIntegerField()

    keeping = WithItsCall()

    class Meta:
        verbose_name_plural = _("names of legs")

    def __str__(self) -> str:
        return f"{self.key} · {self.leg_key}"


class FollowedFile(models.Model):
    """How far a growing file was taken over; written in the transaction that stores its records."""

    pbx = models.ForeignKey(Pbx, models.CASCADE)
    path = models.TextField()
    inode = models.BigIntegerField()
    offset = models.BigIntegerField()
    # A digest of the bytes before the offset: if others stand there now, the file was emptied and began anew.
    before = models.BinaryField(max_length=128)
    layout = models.TextField(blank=True)
    # Of calls, and no channel events alone: only then it tells until when calls are complete.
    holds_rows = models.BooleanField(default=True)
    # When the follower last found nothing more in it.
    checked_at = models.DateTimeField(null=True)

    keeping = Lasting("a place in a file and a digest, nothing of what is written there")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["pbx", "path"], name="file_is_followed_once"),
        )

    def __str__(self) -> str:
        return f"{self.path} at {self.offset}"
