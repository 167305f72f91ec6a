"""Legal holds, put on and lifted by the operator."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from django.views.generic.base import View

from accounts.access import OperatorMixin
from accounts.models import Account
from calls.forms import HoldForm
from calls.retention import holds, reports


class HoldView(OperatorMixin, TemplateView):
    """What is on hold, and a form for the next one."""

    section = "receipts"
    template_name = "operator/holds.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = timezone.now()
        held = [(account, holds.last_day(account)) for account in reports.holds(now)]
        return super().get_context_data(**{"form": HoldForm(now=now), "held": held, **kwargs})

    def post(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        form = HoldForm(request.POST, now=now)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form), status=400)
        holds.put_on(**form.cleaned_data, by=self.staff.email, now=now)
        messages.success(request, _("Nothing of this account is deleted until then."))
        return redirect("holds")


class LiftView(OperatorMixin, View):
    """The hold of one account ends now."""

    section = "receipts"
    http_method_names = ("post",)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        account = get_object_or_404(Account, slug=slug)
        holds.lift(account, by=self.staff.email, now=timezone.now())
        messages.success(request, _("The next night deletes what is too old."))
        return redirect("holds")
