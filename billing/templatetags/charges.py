from django import template

from billing.models import Charge
from calls.models import Call

register = template.Library()


@register.simple_tag
def charges_of(call: Call) -> list[Charge]:
    """What the call's paid legs cost, in the order in which they were answered."""
    charges = Charge.objects.filter(
        account=call.account_id, call_started_at=call.started_at, call_id=call.id
    )
    return list(charges.order_by("answered_at", "id"))
