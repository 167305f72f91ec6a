from django import template

from accounts.models import Membership
from billing.models import Charge
from calls.masking import masked
from calls.models import Call

register = template.Library()


@register.simple_tag
def charges_of(call: Call, membership: Membership) -> list[Charge]:
    """What the call's paid legs cost, in the order in which they were answered; numbers as the person sees them."""
    charges = Charge.objects.filter(
        account=call.account_id, call_started_at=call.started_at, call_id=call.id
    )
    found = list(charges.order_by("answered_at", "id"))
    if not membership.sees_full_numbers:
        for charge in found:
            charge.number = masked(charge.number)
    return found
