"""The doors to an account and to the operator's area: who is not let in learns nothing, not even that it exists."""

import logging
from typing import Any, ClassVar, cast

from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic.base import ContextMixin, View

from accounts.models import Account, Membership, Role, User

logger = logging.getLogger("callpanel.access")


def membership_of(user: User | AnonymousUser, slug: str) -> Membership:
    """The signed-in person's membership in the active account with this slug.

    Staff may look into any account: they get an unsaved owner's membership, and it is logged.
    Raises Http404 for everybody else.
    """
    if not isinstance(user, User):
        raise Http404
    membership = (
        Membership.objects.select_related("account")
        .filter(user=user, account__slug=slug, account__is_active=True)
        .first()
    )
    return membership or _staff_membership(user, slug)


def _staff_membership(user: User, slug: str) -> Membership:
    account = Account.objects.filter(slug=slug).first() if user.is_staff else None
    if account is None:
        raise Http404
    logger.info("staff user %s opened account %s", user.pk, account.pk)
    return Membership(account=account, user=user, role=Role.OWNER)


def accounts_of(user: User) -> list[Account]:
    """The active accounts that the person may open, by name; all of them for staff."""
    accounts = Account.objects.filter(is_active=True).order_by("name")
    return list(accounts if user.is_staff else accounts.filter(memberships__user=user))


@method_decorator(never_cache, name="dispatch")
class OperatorMixin(LoginRequiredMixin, ContextMixin, View):
    """Pages under /operator/, for the operator's staff: anybody else who is signed in gets 404.

    ``section`` is the entry of the area's navigation under which the page stands.
    """

    section: ClassVar[str]

    @property
    def staff(self) -> User:
        """Who is signed in, once the door is passed."""
        return cast(User, self.request.user)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if isinstance(request.user, User) and not request.user.is_staff:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(section=self.section, **kwargs)
