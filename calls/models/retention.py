"""What remains of deleted data: that they were deleted. Nothing here names a caller."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting, OfAccount
from accounts.models import Account


class Receipt(models.Model):
    """What one night's purge deleted of an account, or of what belongs to nobody in particular (no account).

    There is always at most one that is open: it counts what arrived too late, and is then the next night's. Counts
    are written in the transaction that deletes, so they are right whenever a worker is killed.
    """

    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="receipts")
    # The local day of the account on which the purge ran, and the moment before which nothing was to remain.
    night = models.DateField(null=True)
    cutoff = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    took = models.DurationField(default=timedelta)
    # Model label → rows.
    counts = models.JSONField(default=dict)
    deleted = models.BigIntegerField(default=0)
    oldest = models.DateTimeField(null=True)
    newest = models.DateTimeField(null=True)
    # Records that were too old on arrival, and so were never stored.
    late = models.BigIntegerField(default=0)
    held = models.BooleanField(default=False)
    # What was still there after the purge, which should be nothing.
    left = models.JSONField(default=dict)
    # The calls that the next night is going to delete.
    next_calls = models.BigIntegerField(default=0)

    keeping = Lasting("the proof that data were deleted; it holds none of them")

    class Meta:
        verbose_name = _("receipt of a purge")
        verbose_name_plural = _("receipts of purges")
        constraints = (
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(finished_at__isnull=True),
                nulls_distinct=False,
                name="one_open_receipt",
            ),
            models.UniqueConstraint(
                fields=["account", "night"],
                condition=Q(night__isnull=False),
                nulls_distinct=False,
                name="one_receipt_a_night",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True)
                | Q(night__isnull=False, begun_at__isnull=False),
                name="finished_receipt_has_its_night",
            ),
        )
        indexes = (
            models.Index(F("night").desc(), name="receipt_night"),
            models.Index(fields=["finished_at"], name="receipt_finished"),
        )

    def __str__(self) -> str:
        return f"{self.account or '–'} {self.night}: {self.deleted}"


class PurgeAlarm(models.Model):
    """Something that keeps the purge from its promise, from when it was noticed until it was well again."""

    class Kind(models.TextChoices):
        CLOCKS_DIFFER = "differ", _("The purge does not run: two clocks disagree")
        CLOCK_AHEAD = "ahead", _("The purge does not run: the clock has leapt ahead")
        CLOCK_BEHIND = "behind", _("The purge does not run: the clock went back")
        LEFT = "left", _("Something too old is still there")
        RULE = "rule", _("A table does not say how long it is kept")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    # What ``message`` names.
    details = models.JSONField()
    since = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    # Who said that all is well, where a person did.
    settled_by = models.EmailField(blank=True)

    keeping = Lasting("what went wrong with deleting; it names no caller")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["kind"], condition=Q(settled_at__isnull=True), name="one_alarm_of_a_kind"
            ),
        )

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M} {self.kind}: {self.details}"

    @property
    def message(self) -> str:
        """What is wrong and what to do."""
        text: str = str(MESSAGES[self.Kind(self.kind)]) % self.details
        return text

    @property
    def can_be_confirmed(self) -> bool:
        """Whether a person can say that all is well, because nobody else knows."""
        return self.kind == self.Kind.CLOCK_AHEAD


MESSAGES = {
    PurgeAlarm.Kind.CLOCKS_DIFFER: _(
        "The worker's clock says %(now)s, PostgreSQL's %(database)s. Set both by NTP; nothing is deleted until then."
    ),
    PurgeAlarm.Kind.CLOCK_AHEAD: _(
        "The clock says %(now)s, and the last purge ended at %(last)s. If the clock is right, confirm it; nothing is"
        " deleted until then."
    ),
    PurgeAlarm.Kind.CLOCK_BEHIND: _(
        "The clock says %(now)s, but the last purge ended at %(last)s. Set the clock by NTP; nothing is deleted until"
        " then."
    ),
    PurgeAlarm.Kind.LEFT: _(
        "After the purge there were still rows that should be gone: %(what)s. Tell the makers of callpanel."
    ),
    PurgeAlarm.Kind.RULE: _(
        "Nobody knows how long to keep %(tables)s. The model needs its rule: see accounts/keeping.py."
    ),
}


class Erasure(models.Model):
    """Everything about one outside number is to be erased in an account; once it is done, the receipt of that.

    The number is known only until then.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    number = models.CharField(max_length=64, blank=True)
    # Which number it was can be checked, but not read: see calls.erasure.suppression.
    digest = models.CharField(max_length=64)
    requested_at = models.DateTimeField()
    requested_by = models.EmailField()
    done_at = models.DateTimeField(null=True)
    # Model label → rows.
    counts = models.JSONField(default=dict)

    keeping = Lasting("the proof of an erasure; of the number it keeps a keyed digest")

    class Meta:
        verbose_name = _("erasure of a number")
        verbose_name_plural = _("erasures of numbers")
        constraints = (
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(number=""), name="erased_number_is_forgotten"
            ),
        )
        indexes = (
            models.Index(
                fields=["requested_at"], condition=Q(done_at__isnull=True), name="erasure_waiting"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.requested_at:%Y-%m-%d %H:%M}"


class Suppression(models.Model):
    """Calls before ``until`` with this number are stored without it: an erased number must not come back with a file.

    Of no use, and gone, once the account would not take calls so old anyway.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    until = models.DateTimeField()

    keeping = OfAccount("until")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["account", "digest"], name="number_is_erased_once"),
        )

    def __str__(self) -> str:
        return f"{self.account} until {self.until:%Y-%m-%d %H:%M}"
