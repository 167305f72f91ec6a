"""«Brak stawki»: where calls go that have no price."""

from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils import timezone
from django.views.generic import TemplateView

from accounts.access import OperatorMixin
from billing.unrated import gaps


class UnratedView(OperatorMixin, TemplateView):
    """By beginning of the number and reason, with a way to add the rate that is missing."""

    section = "unrated"
    template_name = "operator/unrated.html"

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(gaps=gaps(self.now), **kwargs)
