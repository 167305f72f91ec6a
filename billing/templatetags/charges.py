from django import template

from accounts.models import Account, Membership
from billing import explaining, history
from billing.factors import factors as factors_of
from billing.models import AccountPriceList, Charge, PriceList
from calls.masking import masked
from calls.models import Call

register = template.Library()


@register.simple_tag
def charges_of(call: Call, membership: Membership) -> list[Charge]:
    """What the call's paid legs cost, in the order in which they were answered; numbers as the person sees them."""
    charges = Charge.objects.filter(
        account=call.account_id, call_started_at=call.started_at, call_id=call.id
    )
    found = list(charges.select_related("terms").order_by("answered_at", "id"))
    return found if membership.sees_full_numbers else list(map(_masked, found))


def _masked(charge: Charge) -> Charge:
    """The charge without last digits; a rate may be of one number only, so its prefix has none either."""
    charge.number = masked(charge.number)
    charge.terms.factors["prefix"] = masked(charge.terms.factors["prefix"])
    return charge


@register.simple_tag
def why(charge: Charge, account: Account) -> str:
    """One sentence that says how the charge was worked out."""
    return explaining.sentence(explaining.of_charge(charge, account))


@register.simple_tag
def changes_of(charge: Charge, account: Account) -> list[history.Changed]:
    """What the charge was before, and why it changed, the latest change first."""
    return history.changes_of(charge, account)


@register.simple_tag
def pays_in(account: Account) -> PriceList:
    """A price list that stands for what the account's sums are in: currency and basis are those of all its lists."""
    return AccountPriceList.money_of(account)


@register.filter
def factors(charge: Charge) -> list[tuple[str, str]]:
    """Every factor of a charge with its name, without those that play no part."""
    return factors_of(charge)
