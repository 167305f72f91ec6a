"""What a call would cost: the same matching, the same sums and the same sentence as for a call that was made."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import Account
from billing import explaining, usage
from billing.models import Bundle
from billing.rating import Unpriced
from billing.tariffs import Tariffs
from calls.numbers import Number, normalise


@dataclass(frozen=True, slots=True)
class Quote:
    """``explanation`` as ``explaining.explain`` gives it, or why there is no price."""

    number: Number
    explanation: dict[str, Any] | None
    reason: Unpriced | None = None

    @property
    def sentence(self) -> str:
        """'' without a price."""
        return explaining.sentence(self.explanation) if self.explanation else ""


def quote(account: Account, number: str, seconds: int, at: datetime) -> Quote:
    """What the account would pay for a call to ``number``, answered at this moment for so many seconds.

    Bundles pay what the calls of the month that were answered before have left. ValueError for negative seconds.
    """
    dialled = normalise(number)
    plan = Tariffs().of(account.pk)
    terms = plan.at(at).terms(dialled.text, seconds, at, plan.zone)
    if isinstance(terms, Unpriced):
        return Quote(dialled, None, terms)
    bundles: list[tuple[str, int]] = []
    if terms.takes_bundles:
        shares = usage.left_for(account.pk, plan.zone, dialled, seconds, at)
        names = dict(Bundle.objects.filter(pk__in=shares).values_list("pk", "name"))
        bundles = [(names[pk], share) for pk, share in shares.items()]
    price = terms.price(seconds, sum(share for _, share in bundles))
    return Quote(dialled, explaining.explain(price, at, bundles, account))
