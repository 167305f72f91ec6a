"""Price lists and their rates."""

import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting
from billing import rating


def new_revision() -> int:
    """Random, not counted: a revision that was rolled back never comes again with other prices."""
    return secrets.randbits(63)


class PriceListQuerySet(models.QuerySet["PriceList"]):
    def overview(self, now: datetime) -> "PriceListQuerySet":
        """By name, with ``prefixes`` that have a price at the moment, and ``payers``: accounts that have the list."""
        holding = Rate.objects.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gt=now),
            price_list=OuterRef("pk"),
            valid_from__lte=now,
        ).order_by()
        count = Count(Concat("space", "prefix"), distinct=True)
        return (
            self.select_related("base")
            .annotate(
                prefixes=Coalesce(
                    Subquery(holding.values("price_list").annotate(n=count).values("n")), 0
                ),
                payers=Count("accountpricelist__account", distinct=True),
            )
            .order_by("name")
        )


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
    day_from = models.TimeField(
        _("workday prices from"),
        null=True,
        blank=True,
        help_text=_("Empty: this list knows no evening and weekend prices."),
    )
    day_to = models.TimeField(
        _("workday prices until"),
        null=True,
        blank=True,
        help_text=_("Before and after: evening. Saturdays, Sundays and public holidays: weekend."),
    )
    # Another one after every change of the list and of its rates: what was read stays valid while it is the same.
    revision = models.BigIntegerField(default=new_revision, editable=False)

    keeping = Lasting("prices")
    objects = PriceListQuerySet.as_manager()

    class Meta:
        verbose_name = _("price list")
        verbose_name_plural = _("price lists")
        constraints = (
            models.CheckConstraint(
                condition=Q(day_from__isnull=True, day_to__isnull=True)
                | Q(day_from__lt=F("day_to")),
                name="price_list_day_is_ordered",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.revision = new_revision()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        if (self.day_from is None) != (self.day_to is None):
            raise ValidationError({"day_to": _("A workday has both a beginning and an end.")})
        self._check_base()
        self._check_money()

    def _check_base(self) -> None:
        if self.base is None:
            return
        is_base = self.pk is not None and PriceList.objects.filter(base=self.pk).exists()
        if is_base or self.base_id == self.pk or self.base.base_id:
            raise ValidationError({"base": _("A base list cannot have a base list of its own.")})
        if self.base.money != self.money:
            raise ValidationError(
                {"base": _("Its base list needs the same currency, net or gross alike.")}
            )

    def _check_money(self) -> None:
        """An account's charges are added up, so what it pays in never changes under it."""
        before = PriceList.objects.filter(pk=self.pk).first()
        if before is None or before.money == self.money:
            return
        if before.pricelist_set.exists() or before.accountpricelist_set.exists():
            raise ValidationError(
                _("A list in use keeps its currency, and stays net or gross: make a new one.")
            )

    @property
    def money(self) -> tuple[str, str]:
        """What its sums are in: currency and basis."""
        return self.currency, self.basis

    @classmethod
    def touch(cls, price_lists: Iterable[int]) -> None:
        """Say that the rates of these lists changed; whoever writes rates past the ORM has to."""
        for pk in sorted(set(price_lists)):
            cls.objects.filter(pk=pk).update(revision=new_revision())


class RateQuerySet(models.QuerySet["Rate"]):
    """Many rates at once, without signals: their lists are told."""

    def update(self, **kwargs: Any) -> int:
        with transaction.atomic(using=self.db):
            lists = list(self.order_by().values_list("price_list", flat=True).distinct())
            changed = super().update(**kwargs)
            PriceList.touch(lists)
        return changed

    def bulk_create(self, objs: Iterable["Rate"], *args: Any, **kwargs: Any) -> list["Rate"]:
        with transaction.atomic(using=self.db):
            created = super().bulk_create(list(objs), *args, **kwargs)
            PriceList.touch(rate.price_list_id for rate in created)
        return created


class Rate(models.Model):
    """The price of one prefix from a moment on."""

    class Space(models.TextChoices):
        E164 = "e164", _("with country code")
        SHORT = "short", _("short numbers")

    class Treatment(models.TextChoices):
        PRICED = rating.Treatment.PRICED.value, _("priced")
        FREE = rating.Treatment.FREE.value, _("free")
        BLOCKED = rating.Treatment.BLOCKED.value, _("blocked")

    price_list = models.ForeignKey(
        PriceList, models.CASCADE, related_name="rates", verbose_name=_("price list")
    )
    space = models.CharField(_("numbers"), max_length=5, choices=Space.choices, default=Space.E164)
    prefix = models.CharField(
        _("prefix"), max_length=20, blank=True, help_text=_("Digits only: 48 is all of Poland.")
    )
    name = models.CharField(_("name"), max_length=100)
    treatment = models.CharField(
        _("treatment"),
        max_length=10,
        choices=Treatment.choices,
        default=Treatment.PRICED,
        help_text=_("Calls to a blocked destination are never priced: the operator is shown them."),
    )
    per_minute = models.DecimalField(
        _("price a minute"),
        max_digits=12,
        decimal_places=6,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
    )
    per_call = models.DecimalField(
        _("price a call"),
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Instead of a price a minute, however long the call is."),
    )
    evening = models.DecimalField(
        _("price in the evening"),
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("A minute or a call, as the price by day. Empty: as by day."),
    )
    weekend = models.DecimalField(
        _("price at the weekend"),
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Public holidays too. Empty: as by day."),
    )
    connection_fee = models.DecimalField(
        _("connection fee"),
        max_digits=12,
        decimal_places=6,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
    )
    minimum = models.DecimalField(
        _("minimum charge"),
        max_digits=12,
        decimal_places=6,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
        help_text=_("The least that an answered call costs, connection fee included."),
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
    objects = RateQuerySet.as_manager()

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
                condition=Q(per_minute__gte=0, connection_fee__gte=0, minimum__gte=0)
                & (Q(per_call__isnull=True) | Q(per_call__gte=0))
                & (Q(evening__isnull=True) | Q(evening__gte=0))
                & (Q(weekend__isnull=True) | Q(weekend__gte=0)),
                name="rate_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(per_call__isnull=True) | Q(per_minute=0),
                name="rate_is_by_minute_or_by_call",
                violation_error_message=_(
                    "A rate has a price a minute or a price a call, not both."
                ),
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
