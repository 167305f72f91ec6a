"""Files with prices on their way into a price list: compared in the worker, looked at, then applied."""

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting
from accounts.models import User
from billing.models.pricelists import PriceList


class PriceListImport(models.Model):
    """One file for one list: what it would change, who wants that, and how far it is."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waits to be read")
        READY = "ready", _("ready to apply")
        REFUSED = "refused", _("not understood")
        ORDERED = "ordered", _("being applied")
        DONE = "done", _("applied")
        DISCARDED = "discarded", _("discarded")

    class Mode(models.TextChoices):
        ADDITIONS = "additions", _("additions: other prices stay")
        COMPLETE = "complete", _("complete list: prefixes that are missing end on that day")

    price_list = models.ForeignKey(
        PriceList, models.CASCADE, related_name="imports", verbose_name=_("price list")
    )
    file_name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField()
    mode = models.CharField(
        _("the file is"), max_length=10, choices=Mode.choices, default=Mode.ADDITIONS
    )
    effective = models.DateTimeField(_("prices hold from"))
    requested_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", verbose_name=_("requested by")
    )
    requested_at = models.DateTimeField(_("requested"))
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    # Rows read so far, of so many; a worker that is at it renews claimed_at.
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    # What billing.pricefiles.report makes of the comparison, and the list's revision that it was made with.
    report = models.JSONField(default=dict)
    revision = models.BigIntegerField(null=True)
    # What the operator said yes to: rows left out, and prices of a time that is over.
    accepts_findings = models.BooleanField(default=False)
    accepts_past = models.BooleanField(default=False)
    finished_at = models.DateTimeField(_("finished"), null=True)

    keeping = Lasting("prices as they came from the operator, and who applied them")

    class Meta:
        verbose_name = _("import of prices")
        verbose_name_plural = _("imports of prices")

    def __str__(self) -> str:
        return f"{self.file_name} → {self.price_list}"

    @property
    def is_working(self) -> bool:
        return self.state in {self.State.WAITING, self.State.ORDERED}

    @property
    def is_complete(self) -> bool:
        return self.mode == self.Mode.COMPLETE

    def is_past(self, now: datetime) -> bool:
        """Whether applying it would change prices of a time that is over."""
        earliest = self.report.get("earliest")
        return earliest is not None and datetime.fromisoformat(earliest) < now

    def order(self, now: datetime, accepted: set[str]) -> bool:
        """Let the worker apply it, if everything that has to be said yes to is in ``accepted``: `findings`, `past`."""
        needed = {"findings"} if self.report["counts"]["findings"] else set()
        if self.is_past(now):
            needed.add("past")
        if not needed <= accepted:
            return False
        return self._leave_ready(
            state=self.State.ORDERED,
            accepts_findings="findings" in accepted,
            accepts_past="past" in accepted,
        )

    def discard(self, now: datetime) -> bool:
        return self._leave_ready(state=self.State.DISCARDED, finished_at=now)

    def _leave_ready(self, **changes: Any) -> bool:
        mine = PriceListImport.objects.filter(pk=self.pk, state=self.State.READY)
        return bool(mine.update(**changes))
