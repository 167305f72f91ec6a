"""What an account's data are kept for, what was deleted, and who sees whole numbers."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.models import AuditEntry, User
from calls.forms import MaskingForm
from calls.retention import holds, reports
from calls.views.account import AccountMixin


class PrivacyView(AccountMixin):
    """For owners and managers; only the owner decides about masking."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not self.membership.sees_retention:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = MaskingForm(initial={"masked_roles": self.account.masked_roles})
        return render(request, "calls/privacy.html", self.get_context_data(form=form))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = MaskingForm(request.POST)
        if not (self.membership.sets_privacy and isinstance(request.user, User)):
            raise Http404
        if not form.is_valid():
            return render(
                request, "calls/privacy.html", self.get_context_data(form=form), status=400
            )
        self.account.masked_roles = form.cleaned_data["masked_roles"]
        self.account.save(update_fields=["masked_roles"])
        AuditEntry.objects.create(
            at=self.now,
            account=self.account,
            by=request.user.email,
            action="masking",
            detail=", ".join(self.account.masked_roles),
        )
        return redirect("privacy", self.account.slug)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            receipts=reports.of_account(self.account),
            next=reports.next_of(self.account, self.now),
            held=self.account.is_held(self.now),
            hold_ends=holds.last_day(self.account),
            erasures=reports.erasures(self.account),
            **kwargs,
        )
