"""Questions about received records, above all about those that could not be taken over."""

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, F, Max, Min, Q

from calls.ingest.selection import Selection

if TYPE_CHECKING:
    from calls.models import InboxRecord

REFUSED = ("quarantined", "unassigned")
SET_ASIDE = (*REFUSED, "dismissed")


class InboxQuerySet(models.QuerySet["InboxRecord"]):
    def refused(self) -> "InboxQuerySet":
        """What waits for the operator: not understood, or nobody's."""
        return self.filter(state__in=REFUSED)

    def set_aside(self) -> "InboxQuerySet":
        """What was refused, also if it was dismissed since."""
        return self.filter(state__in=SET_ASIDE)

    def page_before(self, edge: str, size: int) -> "list[InboxRecord]":
        """The newest records (those before the id ``edge``, if it is one), and one more if there are more."""
        records = self.filter(pk__lt=int(edge)) if edge.isascii() and edge.isdigit() else self
        return list(records.select_related("pbx").order_by("-pk")[: size + 1])

    def selected(self, selection: Selection) -> "InboxQuerySet":
        """The records that a selection means, without their bodies."""
        if selection.dismissal is None:
            records = self.refused()
        else:
            records = self.filter(state="dismissed", dismissal=selection.dismissal)
        exact = {
            "pk": selection.record,
            "pbx__name": selection.pbx,
            "state": selection.state,
            "reason": selection.reason,
        }
        records = records.filter(**{name: value for name, value in exact.items() if value})
        if selection.called is not None:
            records = records.filter(called=selection.called, tenants=list(selection.tenants or ()))
        return records.defer("body", "layout")

    def not_understood(self) -> Any:
        """Groups of ``pbx__name, reason, count, first, last, example`` (an id), the largest first."""
        return self.filter(state="quarantined")._grouped("pbx__name", "reason")

    def nobodys(self) -> Any:
        """Groups of ``pbx__name, reason, called, tenants, count, first, last, example``, the largest first."""
        groups = self.filter(state="unassigned")
        return groups._grouped("pbx__name", "reason", "called", "tenants")

    def _grouped(self, *by: str) -> Any:
        return (
            self.order_by()
            .values(*by)
            .annotate(
                count=Count("id"),
                first=Min("received_at"),
                last=Max("received_at"),
                example=Max("id"),
            )
            .order_by(F("count").desc(), *by)
        )

    def now_somebodys(self) -> "InboxQuerySet":
        """Unassigned records whose call has an owner by now, as far as can be told without folding it."""
        from calls.models import Number, TenantCode  # noqa: PLC0415 - models import this module

        row = models.OuterRef
        held = Number.objects.filter(
            Q(until__isnull=True) | Q(until__gt=row("started_at")),
            number=row("called"),
            since__lte=row("started_at"),
        )
        tenants = models.ExpressionWrapper(row("tenants"), ArrayField(models.TextField()))
        codes = TenantCode.objects.filter(pbx=row("pbx")).annotate(tenants=tenants)
        named = codes.filter(**{"tenants__contains": [F("code")]})
        return self.filter(
            Q(pbx__account__isnull=False) | models.Exists(held) | models.Exists(named),
            state="unassigned",
            reason="unassigned",
        )
