"""What all pages of an account have in common: the membership, and the calls behind the door."""

from datetime import datetime
from functools import cached_property
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic.base import ContextMixin, View

from accounts.access import accounts_of, membership_of
from accounts.models import Account, Membership, User
from calls.filters import CallFilter
from calls.models import Call
from calls.querysets import CallQuerySet

TABS = ("all", "outgoing", "incoming", "missed")


@method_decorator(never_cache, name="dispatch")
class AccountMixin(LoginRequiredMixin, ContextMixin, View):
    """Pages under /accounts/<slug>/: strangers get 404, and no browser shows them after signing out."""

    @cached_property
    def membership(self) -> Membership:
        return membership_of(self.request.user, self.kwargs["slug"])

    @cached_property
    def account(self) -> Account:
        return self.membership.account

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return super().get_context_data(
            account=self.account,
            accounts=accounts_of(user) if isinstance(user, User) else [],
            membership=self.membership,
            **kwargs,
        )


class FilteredCallsMixin(AccountMixin):
    """A tab's calls, filtered by the address."""

    @cached_property
    def tab(self) -> str:
        tab: str = self.kwargs.get("tab", "all")
        if tab not in TABS:
            raise Http404
        return tab

    @cached_property
    def filterset(self) -> CallFilter:
        chosen = self.request.GET.copy()
        if self.tab != "all":
            # The address keeps a kind that was chosen elsewhere; here the tab says it, and no field shows it.
            chosen.pop("kind", None)
        return CallFilter(
            chosen,
            queryset=self.tab_calls(),
            request=self.request,
            account=self.account,
            now=self.now,
        )

    def tab_calls(self) -> CallQuerySet:
        calls = Call.objects.visible_to(self.membership)
        tabs = {
            "outgoing": calls.outgoing,
            "incoming": calls.incoming,
            "missed": calls.is_missed,
        }
        return tabs[self.tab]() if self.tab in tabs else calls
