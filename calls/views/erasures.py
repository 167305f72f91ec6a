"""Erasing a number: first what it concerns, then, confirmed, the erasure itself by the worker."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from accounts.access import OperatorMixin
from calls.erasure import erasing
from calls.forms import ErasureForm
from calls.retention import reports


class ErasureView(OperatorMixin, TemplateView):
    """A number never stands in an address, where it would be logged: everything is posted."""

    section = "receipts"
    template_name = "operator/erasures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        erasures = [(each, each.account.is_held(timezone.now())) for each in reports.erasures()]
        return super().get_context_data(**{"form": ErasureForm(), "erasures": erasures, **kwargs})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ErasureForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=400)
        account, number = form.cleaned_data["account"], form.cleaned_data["number"]
        if form.cleaned_data["confirmed"]:
            erasing.request(account, number, by=self.staff.email, now=timezone.now())
            messages.success(request, _("The number is erased within minutes."))
            return redirect("erasures")
        found = dict(erasing.preview(account, number))
        return self.render_to_response(
            self.get_context_data(form=form, number=number, found=found, account=account)
        )
