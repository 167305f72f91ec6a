"""The account's costs: what was spent, what it is heading for, and who is told."""

from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from billing.forms import BudgetForm, QuoteForm, WatchForm
from billing.models import AccountPriceList, Budget, CostWatch, Notice, PriceList
from billing.notices import told
from billing.overview import budgets_of, overview
from billing.quoting import Quote, quote
from calls.masking import masked
from calls.models import Call, Extension
from calls.views.account import AccountMixin

NOTICES = 5


class CostsMixin(AccountMixin):
    """For those of the account who may see costs; there is nothing here for anybody else."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not self.membership.can_see_costs:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def pays(self) -> PriceList:
        """What the account's sums are in."""
        return AccountPriceList.money_of(self.account)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(pays=self.pays, **kwargs)


class CostsView(CostsMixin):
    """Today, this month, and where it goes: each figure leads to its calls."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        notices = Notice.objects.filter(account=self.account).order_by("-created_at", "-pk")
        calls = Call.objects.visible_to(self.membership)
        figures = overview(self.account, calls, self.now)
        context = self.get_context_data(
            costs=figures,
            other_basis=figures.with_vat(self.pays.basis),
            budgets=budgets_of(self.account, figures),
            notices=[
                told(notice, self.account, self.pays.currency) for notice in notices[:NOTICES]
            ],
            names=Extension.names_in(self.account),
        )
        return render(request, "billing/costs.html", context)


class BudgetView(CostsMixin):
    """A new budget, or one that is there: to change, or to give up."""

    @cached_property
    def budget(self) -> Budget:
        if "pk" not in self.kwargs:
            return Budget(account=self.account)
        return get_object_or_404(Budget, account=self.account, pk=self.kwargs["pk"])

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(BudgetForm(instance=self.budget))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("action") == "delete" and self.budget.pk:
            self.budget.delete()
            return redirect("costs", self.account.slug)
        form = BudgetForm(request.POST, instance=self.budget)
        if not form.is_valid():
            return self.page(form)
        form.save()
        return redirect("costs", self.account.slug)

    def page(self, form: BudgetForm) -> HttpResponse:
        context = self.get_context_data(form=form, budget=self.budget)
        return render(self.request, "billing/budget.html", context)


class WatchView(CostsMixin):
    """What else the account is told of, and whom."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(WatchForm(instance=self.watch))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = WatchForm(request.POST, instance=self.watch)
        if not form.is_valid():
            return self.page(form)
        form.save()
        return redirect("costs", self.account.slug)

    @cached_property
    def watch(self) -> CostWatch:
        return CostWatch.objects.get_or_create(account=self.account)[0]

    def page(self, form: WatchForm) -> HttpResponse:
        return render(self.request, "billing/watch.html", self.get_context_data(form=form))


class QuoteView(CostsMixin):
    """«Ile będzie kosztować?»: by the code that charges."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.GET if request.GET.get("number") else None
        form = QuoteForm(asked, account=self.account, now=self.now)
        answer: Quote | None = None
        if asked and form.is_valid():
            answer = quote(self.account, form.cleaned_data["number"], form.duration, form.at)
        number = (answer.number.text if answer else "") or form["number"].value() or ""
        shown = number if self.membership.sees_full_numbers else masked(number)
        context = self.get_context_data(form=form, answer=answer, shown_number=shown)
        return render(request, "billing/quote.html", context)
