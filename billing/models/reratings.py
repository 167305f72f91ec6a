"""Orders to rate again what was charged: counted first, then done in the worker, account by account."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting
from accounts.models import Account, User
from billing.models.pricelists import PriceList


class Rerating(models.Model):
    """Who wants which charges rated again by the prices of today's lists, and why.

    Goes through its parts twice: once to count what would change, and, once somebody has seen that and started it,
    to change it.
    """

    class State(models.TextChoices):
        COUNTING = "counting", _("being counted")
        READY = "ready", _("ready to start")
        RUNNING = "running", _("running")
        STOPPED = "stopped", _("stopped")
        DONE = "done", _("done")

    account = models.ForeignKey(
        Account,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("account"),
        help_text=_("Empty: all accounts."),
    )
    price_list = models.ForeignKey(
        PriceList,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("price list"),
        help_text=_("Only charges that this list made or would make. Empty: all."),
    )
    start = models.DateTimeField(_("calls from"))
    end = models.DateTimeField(_("calls until"))
    reason = models.CharField(_("reason"), max_length=200)
    requested_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", verbose_name=_("requested by")
    )
    requested_at = models.DateTimeField(_("requested"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.COUNTING
    )
    # The totals of the count, as ``totals()`` gives them; None until it is whole.
    preview = models.JSONField(null=True)

    keeping = Lasting("which prices were changed afterwards, by whom and why; sums, and no calls")

    class Meta:
        verbose_name = _("re-rating")
        verbose_name_plural = _("re-ratings")
        constraints = (
            models.CheckConstraint(
                condition=Q(end__gt=F("start")), name="rerating_period_is_ordered"
            ),
        )

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d} – {self.end:%Y-%m-%d}: {self.reason}"

    @property
    def is_applied(self) -> bool:
        """Whether its parts are changing charges, and not only counting what would change."""
        return self.preview is not None

    @property
    def progress(self) -> tuple[int, int | None]:
        """How many charges were looked at, and of how many, which is known once they are counted."""
        looked_at = self.parts.aggregate(sum=Coalesce(Sum("charges"), 0))["sum"]
        return looked_at, self.preview["charges"] if self.preview else None

    def totals(self) -> dict[str, Any]:
        """Of all parts so far: ``charges`` looked at, ``calls`` that change, ``unrated`` among them, and ``sums``.

        ``sums``: currency → ``before`` and ``after`` of the charges that change, as exact text.
        """
        parts = list(self.parts.all())
        sums: dict[str, dict[str, Decimal]] = {}
        for part in parts:
            for currency, pair in part.sums.items():
                total = sums.setdefault(currency, {"before": Decimal(0), "after": Decimal(0)})
                for side, amount in pair.items():
                    total[side] += Decimal(amount)
        return {
            "charges": sum(part.charges for part in parts),
            "calls": sum(part.calls for part in parts),
            "unrated": sum(part.unrated for part in parts),
            "sums": {
                currency: {side: str(amount) for side, amount in pair.items()}
                for currency, pair in sorted(sums.items())
            },
        }


class ReratingPart(models.Model):
    """One account's share of a re-rating, and how far it got: written with every chunk of changes."""

    rerating = models.ForeignKey(Rerating, models.CASCADE, related_name="parts")
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    finished = models.BooleanField(default=False)
    # An account with bundles is gone through month by month, in the order of answering; others call by call.
    by_month = models.BooleanField(default=False)
    # The last call that was looked at, or the end of the last month.
    reached = models.DateTimeField(null=True)
    reached_id = models.BigIntegerField(null=True)
    charges = models.IntegerField(default=0)
    calls = models.IntegerField(default=0)
    unrated = models.IntegerField(default=0)
    sums = models.JSONField(default=dict)

    keeping = Lasting("sums of a re-rating, and how far it got")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["rerating", "account"], name="one_part_of_a_rerating_per_account"
            ),
        )

    def __str__(self) -> str:
        return f"{self.rerating_id} · {self.account}"
