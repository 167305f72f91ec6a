"""Which account pays by which price list, and the VAT that comes on top, each from a day on."""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting
from accounts.models import Account
from billing.models.pricelists import PriceList


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

    @classmethod
    def money_of(cls, account: Account) -> PriceList:
        """A list of the account, all of which have one currency and one basis; before any, an unsaved plain one."""
        assigned = cls.objects.filter(account=account).select_related("price_list").first()
        return assigned.price_list if assigned else PriceList()

    def clean(self) -> None:
        """An account's charges are added up: all its lists are in one currency, and net or gross alike."""
        if self.account_id is None or self.price_list_id is None:
            return
        others = AccountPriceList.objects.filter(account=self.account_id).exclude(pk=self.pk)
        for other in others.select_related("price_list"):
            if other.price_list.money != self.price_list.money:
                raise ValidationError(
                    {
                        "price_list": _(
                            "The account's other lists are in another currency, or net and not gross."
                        )
                    }
                )


class VatRate(models.Model):
    """VAT in percent from a day on: everybody's, or one account's own, which wins. Shown, never stored into a sum."""

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="vat_rates",
        verbose_name=_("account"),
        help_text=_("Empty: all accounts that have none of their own."),
    )
    percent = models.DecimalField(
        _("VAT, %"),
        max_digits=5,
        decimal_places=2,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    since = models.DateField(_("since"))

    keeping = Lasting("a tax rate")

    class Meta:
        verbose_name = _("VAT rate")
        verbose_name_plural = _("VAT rates")
        constraints = (
            models.UniqueConstraint(
                fields=["account", "since"], name="one_vat_from_a_day", nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        return f"{self.percent} %"

    @classmethod
    def of(cls, account_id: int, on: date) -> Decimal | None:
        """The percent that holds for the account on a day of its own zone; None where nothing was entered."""
        entered = cls.objects.filter(Q(account=account_id) | Q(account=None), since__lte=on)
        return (
            entered.order_by(F("account").asc(nulls_last=True), "-since")
            .values_list("percent", flat=True)
            .first()
        )
