"""Bundles of minutes that an account has every month, and what its calls used of them."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting, OfAccount
from accounts.models import Account
from calls.models import Call


class Bundle(models.Model):
    """Seconds that an account may talk to some numbers each month (of its own zone) before it pays by its list."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="bundles", verbose_name=_("account")
    )
    name = models.CharField(_("name"), max_length=100)
    seconds = models.PositiveIntegerField(
        _("seconds a month"),
        validators=[MinValueValidator(1)],
        help_text=_("100 minutes are 6000."),
    )
    classes = ArrayField(
        models.CharField(max_length=15, choices=Call.Direction.choices),
        verbose_name=_("directions"),
        default=list,
        blank=True,
        help_text=_("Codes, separated by commas, such as domestic,mobile."),
    )
    prefixes = ArrayField(
        models.CharField(
            max_length=20,
            validators=[RegexValidator("^[1-9][0-9]*$", _("Write digits only, without + or 00."))],
        ),
        verbose_name=_("prefixes"),
        default=list,
        blank=True,
        help_text=_("With country code, digits only: 4822,49."),
    )
    position = models.PositiveSmallIntegerField(
        _("order"), default=0, help_text=_("Of two bundles for a number, the lower is used first.")
    )
    since = models.DateField(_("first month"), help_text=_("The first day of a month."))
    until = models.DateField(
        _("not any more from"), null=True, blank=True, help_text=_("The first day of a month.")
    )

    keeping = Lasting("what a firm bought")

    class Meta:
        verbose_name = _("bundle")
        verbose_name_plural = _("bundles")
        constraints = (
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gt=F("since")),
                name="bundle_period_is_ordered",
            ),
            models.CheckConstraint(condition=Q(seconds__gte=1), name="bundle_is_not_empty"),
        )

    def __str__(self) -> str:
        return f"{self.name} · {self.account}"

    def clean(self) -> None:
        for name, day in (("since", self.since), ("until", self.until)):
            if day is not None and day.day != 1:
                raise ValidationError({name: _("A bundle begins and ends with a month.")})
        if not (self.classes or self.prefixes):
            raise ValidationError(_("Name the directions or the prefixes that it is for."))
        self._check_use()

    def _check_use(self) -> None:
        """The next late call would share out the whole month anew: what was charged must not change with it."""
        before = Bundle.objects.filter(pk=self.pk).first()
        if before is None or before.offer == self.offer:
            return
        if BundleUse.objects.filter(account=self.account_id, bundle=self.pk).exists():
            raise ValidationError(
                _(
                    "A bundle in use keeps its seconds and what it is for: end it and make a new one."
                )
            )

    @property
    def offer(self) -> tuple[int, list[str], list[str], int, date]:
        return self.seconds, self.classes, self.prefixes, self.position, self.since

    def holds_in(self, month: date) -> bool:
        return self.since <= month and (self.until is None or month < self.until)


class BundleUse(models.Model):
    """How many seconds of a bundle a charged leg used. Partitioned by ``month``, the first day of a local month.

    Kept until the whole month is too old, also after the calls of its first days are gone: a late call must still
    find what was used before it. Says nothing of who was called.
    """

    pk = models.CompositePrimaryKey("account_id", "month", "answered_at", "charge_id", "bundle_id")
    account = models.ForeignKey(
        Account, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    month = models.DateField()
    answered_at = models.DateTimeField()
    charge_id = models.BigIntegerField()
    bundle = models.ForeignKey(
        Bundle, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    seconds = models.IntegerField()

    keeping = OfAccount("month", partitioned=True, whole_months=True)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.bundle_id}: {self.seconds} s"
