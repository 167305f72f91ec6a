"""The operator's price lists: what they are, as files, and new prices for them."""

from datetime import datetime
from functools import cached_property
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from accounts.access import OperatorMixin
from accounts.models import User
from billing import tasks
from billing.forms import ImportForm, RateForm
from billing.models import PriceList, PriceListImport, Rate
from billing.pricefiles import report, stored, writing
from billing.pricefiles.imports import operator_zone

WRITERS = {
    "csv": ("text/csv; charset=utf-8", writing.as_csv),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        writing.as_xlsx,
    ),
}
# How often a page looks whether the worker is done, in seconds.
REFRESH = 2


class PricesMixin(OperatorMixin):
    section = "prices"

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    @cached_property
    def price_list(self) -> PriceList:
        return get_object_or_404(PriceList, pk=self.kwargs["pk"])


class PriceListsView(PricesMixin, TemplateView):
    """All price lists."""

    template_name = "operator/prices/lists.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(lists=PriceList.objects.overview(self.now), **kwargs)


class PriceListView(PricesMixin):
    """One price list: its files, and the form for new prices."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(ImportForm(now=self.now))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        order = PriceListImport(
            price_list=self.price_list,
            requested_by=cast(User, request.user),
            requested_at=self.now,
        )
        form = ImportForm(request.POST, request.FILES, instance=order, now=self.now)
        if not form.is_valid():
            return self.page(form)
        form.save()
        tasks.soon(tasks.work_price_imports)
        return redirect("price-import", order.pk)

    def page(self, form: ImportForm) -> HttpResponse:
        imports = PriceListImport.objects.filter(price_list=self.price_list).defer("content")
        context = self.get_context_data(
            price_list=PriceList.objects.overview(self.now).get(pk=self.price_list.pk),
            form=form,
            imports=imports.select_related("requested_by").order_by("-id")[:20],
        )
        return render(self.request, "operator/prices/list.html", context)


class RateView(PricesMixin):
    """A new rate in a price list; what waited for it is charged by itself."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = {name: request.GET[name] for name in ("space", "prefix") if name in request.GET}
        since = parse_datetime(request.GET.get("since", "")) or self.now
        local = since.astimezone(operator_zone()).replace(second=0, microsecond=0)
        return self.page(
            RateForm(
                instance=Rate(price_list=self.price_list), initial={**asked, "valid_from": local}
            )
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = RateForm(request.POST, instance=Rate(price_list=self.price_list))
        if not form.is_valid():
            return self.page(form)
        form.save()
        messages.success(request, _("The rate is saved; calls that waited for it are charged now."))
        return redirect("unrated")

    def page(self, form: RateForm) -> HttpResponse:
        context = self.get_context_data(price_list=self.price_list, form=form)
        return render(self.request, "operator/prices/rate.html", context)


class PriceListExportView(PricesMixin):
    """The prices that hold now, or with ``?dates=1`` all of them with their dates, as a file."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        content_type, write = WRITERS[self.kwargs["kind"]]
        dates = bool(request.GET.get("dates"))
        versions = stored.versions(self.price_list)
        if not dates:
            versions = stored.in_force(versions, self.now)
        content = write(versions, operator_zone(), dates=dates)
        day = f"{self.now.astimezone(operator_zone()):%Y-%m-%d}"
        response = HttpResponse(content, content_type=content_type)
        name = f"cennik-{self.price_list.pk}-{day}.{self.kwargs['kind']}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class PriceImportView(PricesMixin):
    """What a file would change, and the order to do it."""

    @cached_property
    def order(self) -> PriceListImport:
        orders = PriceListImport.objects.select_related("price_list", "requested_by")
        return get_object_or_404(orders.defer("content"), pk=self.kwargs["pk"])

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        context = self.get_context_data(
            order=self.order,
            price_list=self.order.price_list,
            kinds=report.kinds(self.order.report),
            is_past=self.order.is_past(self.now),
            shown=report.SHOWN,
        )
        response = render(request, "operator/prices/import.html", context)
        if self.order.is_working:
            response["Refresh"] = str(REFRESH)
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("action") == "apply":
            accepted = {name for name in ("findings", "past") if request.POST.get(name)}
            if self.order.order(self.now, accepted):
                tasks.soon(tasks.work_price_imports)
        elif request.POST.get("action") == "discard":
            self.order.discard(self.now)
        else:
            raise Http404
        return redirect("price-import", self.order.pk)
