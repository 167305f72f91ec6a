"""How the PBXes are doing, for the operator."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.generic import TemplateView

from accounts.access import OperatorMixin
from calls import health
from calls.habit import HOUR
from calls.ingest.source_counts import hour_of
from calls.models import InboxRecord, Pbx
from calls.source_findings import ADVICE

HOURS = 24


class SourceListView(OperatorMixin, TemplateView):
    """All PBXes, with what is worth a look."""

    section = "sources"
    template_name = "operator/sources.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(watched=health.watched(timezone.now()), **kwargs)


@dataclass(frozen=True, slots=True)
class ShownHour:
    """``usual`` None: not known; ``most``: the largest figure on the page."""

    hour: datetime
    records: int
    usual: float | None


class SourceView(OperatorMixin, TemplateView):
    """One PBX: how complete its calls are, its last day beside its habit, and what its configuration keeps from us."""

    section = "sources"
    template_name = "operator/source.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        pbx, now = get_object_or_404(Pbx, name=self.kwargs["name"]), timezone.now()
        records = InboxRecord.objects.filter(pbx=pbx)
        hours = shown_hours(pbx, now)
        return super().get_context_data(
            pbx=pbx,
            source=health.sources(Pbx.objects.filter(pk=pbx.pk))[0],
            waiting=records.filter(state=InboxRecord.State.PENDING).count(),
            refused=records.refused().count(),
            hours=hours,
            most=max((each.records for each in hours), default=0) or 1,
            findings=[(each, ADVICE[each.code]) for each in pbx.findings.order_by("code")],
            silences=pbx.silences.order_by("-since")[:10],
            **kwargs,
        )


def shown_hours(pbx: Pbx, now: datetime) -> list[ShownHour]:
    """The latest hours, this one first; none before the first record."""
    habit = health.habit_of(pbx, now)
    if habit is None:
        return []
    hours = [hour_of(now) - back * HOUR for back in range(HOURS)]
    return [ShownHour(hour, habit.counts.get(hour, 0), habit.usual(hour)) for hour in hours]
