"""The operator's view of what was deleted, and of what keeps it from being deleted."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from accounts.access import OperatorMixin
from calls.retention import alarms, reports


class ReceiptListView(OperatorMixin, TemplateView):
    """Night by night; what is wrong comes first."""

    section = "receipts"
    template_name = "operator/receipts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            nights=reports.nights(),
            alarms=reports.alarms(),
            holds=reports.holds(timezone.now()),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """The clock is right, says the person."""
        alarms.confirm_clock(timezone.now(), by=self.staff.email)
        messages.success(request, _("The purge runs again within five minutes."))
        return redirect("receipts")


class NightView(OperatorMixin, TemplateView):
    """The receipts of one night, account by account."""

    section = "receipts"
    template_name = "operator/night.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            night = date.fromisoformat(self.kwargs["night"])
        except ValueError as error:
            raise Http404 from error
        receipts = list(reports.of_night(night))
        if not receipts:
            raise Http404
        return super().get_context_data(**{**kwargs, "night": night, "receipts": receipts})
