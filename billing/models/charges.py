"""What each paid leg was charged, the terms it was charged by, and every change of a charge. Big tables."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting, OfAccount
from accounts.models import Account
from billing import terms


class ChargeTerms(models.Model):
    """Everything in a charge that is not its leg's own: list, rate, prices, band, rounding. Never changed or deleted.

    ``id`` is made of the content (billing.terms.Terms.id), so that a million charges by one rate share a row, and
    explain themselves long after the rate was changed.
    """

    id = models.BigIntegerField(primary_key=True)
    factors = models.JSONField()

    keeping = Lasting("prices; they name a prefix and no call")

    def __str__(self) -> str:
        return str(self.terms)

    @property
    def terms(self) -> terms.Terms:
        return terms.Terms.from_json(self.factors)


class Charge(models.Model):
    """What one paid leg costs. Partitioned by ``answered_at``."""

    pk = models.CompositePrimaryKey("account_id", "answered_at", "id")
    account = models.ForeignKey(Account, models.DO_NOTHING, db_constraint=False, db_index=False)
    answered_at = models.DateTimeField()
    # A pure function of the PBX's own ids, so that charging a leg again meets the same row.
    id = models.BigIntegerField()
    call_started_at = models.DateTimeField()
    call_id = models.BigIntegerField()
    number = models.CharField(max_length=64)
    seconds = models.IntegerField()
    # How many of the seconds bundles paid for; which ones is in BundleUse.
    bundle_seconds = models.IntegerField(default=0)
    estimated = models.BooleanField()
    amount = models.DecimalField(max_digits=14, decimal_places=6)
    currency = models.CharField(max_length=3)
    terms = models.ForeignKey(
        ChargeTerms, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    charged_at = models.DateTimeField()

    keeping = OfAccount("call_started_at", partitioned=True, numbers=("number",))

    class Meta:
        verbose_name = _("charge")
        verbose_name_plural = _("charges")
        indexes = (
            models.Index(fields=["account", "call_started_at", "call_id"], name="charge_call"),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.seconds} s {self.amount} {self.currency}"

    @property
    def explanation(self) -> dict[str, Any]:
        """Every factor of the charge as plain data; money and fractions as exact text."""
        price = self.terms.terms.price(self.seconds, self.bundle_seconds)
        return {**price.explanation(), "answered_at": self.answered_at.isoformat()}


class ChargeChange(models.Model):
    """What a charge was before and after a change. Only ever added to. Partitioned by ``answered_at``."""

    class Cause(models.TextChoices):
        RERATING = "rerating", _("re-rated")
        RECORD = "record", _("the call's records changed")
        BUNDLE = "bundle", _("an earlier call of the month used the bundle")

    pk = models.CompositePrimaryKey("account_id", "answered_at", "charge_id", "id")
    account = models.ForeignKey(
        Account, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    answered_at = models.DateTimeField()
    charge_id = models.BigIntegerField()
    # Out of a clock; two changes of a charge may have the same ``changed_at``.
    id = models.BigIntegerField()
    changed_at = models.DateTimeField()
    cause = models.CharField(max_length=10, choices=Cause.choices)
    rerating_id = models.BigIntegerField(null=True)
    old_amount = models.DecimalField(max_digits=14, decimal_places=6)
    old_terms_id = models.BigIntegerField()
    old_seconds = models.IntegerField()
    old_bundle_seconds = models.IntegerField()
    # None: there is no charge any more.
    new_amount = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    new_terms_id = models.BigIntegerField(null=True)
    new_seconds = models.IntegerField(null=True)
    new_bundle_seconds = models.IntegerField(null=True)

    # Of the number called it knows nothing: that stands in the charge.
    keeping = OfAccount("answered_at", partitioned=True)

    class Meta:
        verbose_name = _("change of a charge")
        verbose_name_plural = _("changes of charges")

    def __str__(self) -> str:
        return f"{self.old_amount} → {self.new_amount}"
