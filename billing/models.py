"""Price lists, their rates, which account pays by which, and what each paid leg was charged."""

import re
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting, OfAccount
from accounts.models import Account


class PriceList(models.Model):
    class Basis(models.TextChoices):
        NET = "net", _("net")
        GROSS = "gross", _("gross")

    class RoundingMode(models.TextChoices):
        HALF_UP = "ROUND_HALF_UP", _("half up")
        HALF_EVEN = "ROUND_HALF_EVEN", _("half to even")
        UP = "ROUND_UP", _("up")
        DOWN = "ROUND_DOWN", _("down")

    name = models.CharField(_("name"), max_length=100, unique=True)
    base = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("base list"),
        help_text=_("Its rates apply where this list has none as exact."),
    )
    currency = models.CharField(_("currency"), max_length=3, default="PLN")
    basis = models.CharField(
        _("prices are"), max_length=5, choices=Basis.choices, default=Basis.NET
    )
    decimals = models.PositiveSmallIntegerField(
        _("decimals of a charge"), default=4, validators=[MaxValueValidator(6)]
    )
    rounding = models.CharField(
        _("rounding"),
        max_length=20,
        choices=RoundingMode.choices,
        default=RoundingMode.HALF_UP,
    )

    keeping = Lasting("prices")

    class Meta:
        verbose_name = _("price list")
        verbose_name_plural = _("price lists")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        is_base = self.pk is not None and PriceList.objects.filter(base=self.pk).exists()
        if self.base is not None and (is_base or self.base_id == self.pk or self.base.base_id):
            raise ValidationError({"base": _("A base list cannot have a base list of its own.")})


class Rate(models.Model):
    """The price of one prefix from a moment on."""

    class Space(models.TextChoices):
        E164 = "e164", _("with country code")
        SHORT = "short", _("short numbers")

    price_list = models.ForeignKey(
        PriceList, models.CASCADE, related_name="rates", verbose_name=_("price list")
    )
    space = models.CharField(_("numbers"), max_length=5, choices=Space.choices, default=Space.E164)
    prefix = models.CharField(
        _("prefix"), max_length=20, blank=True, help_text=_("Digits only: 48 is all of Poland.")
    )
    name = models.CharField(_("name"), max_length=100)
    per_minute = models.DecimalField(
        _("price a minute"), max_digits=12, decimal_places=6, validators=[MinValueValidator(0)]
    )
    connection_fee = models.DecimalField(
        _("connection fee"),
        max_digits=12,
        decimal_places=6,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
    )
    first_increment = models.PositiveIntegerField(
        _("first increment, s"), default=1, validators=[MinValueValidator(1)]
    )
    next_increment = models.PositiveIntegerField(
        _("next increments, s"), default=1, validators=[MinValueValidator(1)]
    )
    valid_from = models.DateTimeField(_("valid from"), default=timezone.now)
    valid_to = models.DateTimeField(_("valid to"), null=True, blank=True)

    keeping = Lasting("prices")

    class Meta:
        verbose_name = _("rate")
        verbose_name_plural = _("rates")
        constraints = (
            models.UniqueConstraint(
                fields=["price_list", "space", "prefix", "valid_from"],
                name="one_rate_from_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="rate_period_is_ordered",
            ),
            models.CheckConstraint(
                condition=Q(per_minute__gte=0, connection_fee__gte=0), name="rate_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(first_increment__gte=1, next_increment__gte=1),
                name="rate_increments_are_positive",
            ),
        )

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"

    def clean(self) -> None:
        if not re.fullmatch("([1-9][0-9]*)?", self.prefix):
            raise ValidationError({"prefix": _("Write digits only, without + or 00.")})


class AccountPriceList(models.Model):
    """By which list an account pays, from a moment on."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="price_lists", verbose_name=_("account")
    )
    price_list = models.ForeignKey(PriceList, models.PROTECT, verbose_name=_("price list"))
    since = models.DateTimeField(_("since"), default=timezone.now)

    keeping = Lasting("by which prices a firm pays")

    class Meta:
        verbose_name = _("price list of an account")
        verbose_name_plural = _("price lists of accounts")
        constraints = (
            models.UniqueConstraint(
                fields=["account", "since"], name="one_price_list_from_a_moment"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} · {self.price_list}"


class Charge(models.Model):
    """What one paid leg costs, with everything that it was worked out from. Partitioned by ``answered_at``."""

    pk = models.CompositePrimaryKey("account_id", "answered_at", "id")
    account = models.ForeignKey(Account, models.DO_NOTHING, db_constraint=False)
    answered_at = models.DateTimeField()
    # A pure function of the PBX's own ids, so that charging a leg again meets the same row.
    id = models.BigIntegerField()
    call_started_at = models.DateTimeField()
    call_id = models.BigIntegerField()
    number = models.CharField(max_length=64)
    seconds = models.IntegerField()
    estimated = models.BooleanField()
    amount = models.DecimalField(max_digits=14, decimal_places=6)
    currency = models.CharField(max_length=3)
    explanation = models.JSONField()
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
