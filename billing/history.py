"""What charges were before, and why they changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from accounts.models import Account
from billing.models import Charge, ChargeChange, Rerating
from billing.tariffs import terms_of
from billing.terms import Terms

SHOWN = 100
# A call may be answered, and so its charge be kept, a little after it began.
LONGEST_RINGING = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Changed:
    """A change with what it says: the terms before and after, and the charge, None if there is none any more."""

    change: ChargeChange
    account: Account
    before: Terms
    after: Terms | None
    charge: Charge | None
    rerating: Rerating | None = None


def changes_by(order: Rerating) -> list[Changed]:
    """The first of the changes that a re-rating made, in the order of answering."""
    accounts = {part.account_id: part.account for part in order.parts.select_related("account")}
    changes = ChargeChange.objects.filter(
        account__in=accounts,
        answered_at__gte=order.start,
        answered_at__lt=order.end + LONGEST_RINGING,
        rerating_id=order.pk,
    )
    return _with_terms(changes.order_by("answered_at", "charge_id")[:SHOWN], accounts)


def changes_of(charge: Charge, account: Account) -> list[Changed]:
    """What became of one charge, the latest change first."""
    changes = ChargeChange.objects.filter(
        account=account, answered_at=charge.answered_at, charge_id=charge.id
    )
    return _with_terms(changes.order_by("-changed_at"), {account.pk: account})


def _with_terms(found: Iterable[ChargeChange], accounts: dict[int, Account]) -> list[Changed]:
    changes = list(found)
    ids = {pk for each in changes for pk in (each.old_terms_id, each.new_terms_id) if pk}
    terms = terms_of(ids)
    charges = _charges(changes)
    orders = Rerating.objects.in_bulk({each.rerating_id for each in changes if each.rerating_id})
    return [
        Changed(
            change=each,
            account=accounts[each.account_id],
            before=terms[each.old_terms_id],
            after=terms[each.new_terms_id] if each.new_terms_id else None,
            charge=charges.get((each.account_id, each.charge_id)),
            rerating=orders.get(each.rerating_id) if each.rerating_id else None,
        )
        for each in changes
    ]


def _charges(changes: Sequence[ChargeChange]) -> dict[tuple[int, int], Charge]:
    if not changes:
        return {}
    charges = Charge.objects.filter(
        account__in={each.account_id for each in changes},
        answered_at__in={each.answered_at for each in changes},
        id__in={each.charge_id for each in changes},
    )
    return {(charge.account_id, charge.id): charge for charge in charges}
