"""What keeps an erased number from coming back: calls from before its erasure are stored without it.

Of the number itself only a digest is known, keyed with SECRET_KEY, by which it can be recognised but not found out.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.utils.crypto import salted_hmac

from calls.erasure import blanking
from calls.erasure.blanking import Blank
from calls.ingest import groups
from calls.ingest.groups import Group
from calls.ingest.records import FoldedCall, Leg, moment
from calls.models import InboxRecord, Pbx, Suppression


def digest_of(number: str) -> str:
    """64 hex digits for a number in canonical form."""
    return salted_hmac("callpanel.erasure", number, algorithm="sha256").hexdigest()


class Suppressions:
    """All erased numbers, read with one query for a batch of calls."""

    def __init__(self) -> None:
        self.until: dict[int, dict[str, datetime]] = defaultdict(dict)
        for each in Suppression.objects.all():
            self.until[each.account_id][each.digest] = each.until

    def of(self, account_id: int, call: FoldedCall, legs: Sequence[Leg]) -> list[Blank]:
        """The erased numbers of which this call of the account speaks."""
        erased = self.until.get(account_id)
        if not erased:
            return []
        began = moment(call.started)
        numbers = {call.peer, *call.people, *blanking.numbers_in(legs)}
        known = ((number, erased.get(digest_of(number))) for number in sorted(numbers) if number)
        return [Blank(number) for number, until in known if until and began < until]


def without(
    blanks: Sequence[Blank], call: FoldedCall, legs: Sequence[Leg], source: str
) -> tuple[FoldedCall, list[Leg]]:
    """The call and its legs without these numbers."""
    kept = list(legs)
    for blank in blanks:
        call = blanking.call_without(call, blank)
        kept = [blanking.leg_without(leg, blank, source) for leg in kept]
    return call, kept


def hush(pbx: Pbx, group: Group, legs: Sequence[Leg]) -> int:
    """Keep the group with these legs instead of its own, and nothing of their raw records; how many of those there
    were. Needs the PBX's lock."""
    groups.rewrite(pbx, group, legs)
    records = InboxRecord.objects.filter(pbx=pbx, leg_key__any_of=[leg.key for leg in legs])
    return records.exclude(body=b"").update(body=b"")
