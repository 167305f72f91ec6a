"""The door to an account: who is not in it learns nothing, not even that it exists."""

import logging

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

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
