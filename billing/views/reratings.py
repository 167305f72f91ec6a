"""The operator's orders to rate again: seen first, then started, stopped, resumed, and kept."""

from datetime import datetime
from functools import cached_property
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.access import OperatorMixin
from accounts.models import User
from billing import rerating, tasks
from billing.forms import ReratingForm
from billing.history import changes_by
from billing.models import Rerating
from billing.views.pricelists import REFRESH

State = Rerating.State


class ReratingsMixin(OperatorMixin):
    section = "reratings"

    @cached_property
    def now(self) -> datetime:
        return timezone.now()


class ReratingsView(ReratingsMixin):
    """All orders, and the form for a new one."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(ReratingForm(now=self.now))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = ReratingForm(request.POST, now=self.now)
        if not form.is_valid():
            return self.page(form)
        order = rerating.request(
            start=form.period.start,
            end=form.period.end,
            reason=form.cleaned_data["reason"],
            by=cast(User, request.user),
            now=self.now,
            account=form.cleaned_data["account"],
            price_list=form.cleaned_data["price_list"],
        )
        tasks.soon(tasks.rerate)
        return redirect("rerating", order.pk)

    def page(self, form: ReratingForm) -> HttpResponse:
        orders = Rerating.objects.select_related("account", "price_list", "requested_by")
        context = self.get_context_data(form=form, orders=orders.order_by("-pk")[:50])
        return render(self.request, "operator/reratings.html", context)


class ReratingView(ReratingsMixin):
    """One order: what it would change, how far it is, what it changed."""

    @cached_property
    def order(self) -> Rerating:
        orders = Rerating.objects.select_related("account", "price_list", "requested_by")
        return get_object_or_404(orders, pk=self.kwargs["pk"])

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        order = self.order
        working = order.state in {State.COUNTING, State.RUNNING}
        context = self.get_context_data(
            order=order,
            working=working,
            progress=order.progress,
            totals=order.totals() if order.state != State.READY else order.preview,
            changes=changes_by(order),
        )
        response = render(request, "operator/rerating.html", context)
        if working:
            response["Refresh"] = str(REFRESH)
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("action") == "stop":
            rerating.stop(self.order)
        elif request.POST.get("action") == "start":
            self.start()
        else:
            raise Http404
        return redirect("rerating", self.order.pk)

    def start(self) -> None:
        """Nothing, where somebody else started it a moment ago."""
        if self.order.state in {State.READY, State.STOPPED}:
            rerating.start(self.order)
            tasks.soon(tasks.rerate)
