"""What keeps an erased number from coming back: calls from before its erasure are stored without it.

Of the number itself only a digest is known, keyed with SECRET_KEY, by which it can be recognised but not found out.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
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

    def concern(self, account_id: int, call: FoldedCall, legs: Sequence[Leg]) -> bool:
        """Whether the call speaks, or once spoke, of an erased number."""
        if account_id not in self.until:
            return False
        return blanking.was_erased(legs) or bool(self._blanks(account_id, call, legs))

    def without(
        self, account_id: int, call: FoldedCall, legs: Sequence[Leg], source: str
    ) -> tuple[FoldedCall, list[Leg]]:
        """Such a call and its legs as they may be kept: without those numbers, and without names."""
        kept = [blanking.nameless(leg, source) for leg in legs]
        for blank in self._blanks(account_id, call, legs):
            call = blanking.call_without(call, blank)
            kept = [blanking.leg_without(leg, blank) for leg in kept]
        return replace(call, peer_name=""), kept

    def _blanks(self, account_id: int, call: FoldedCall, legs: Sequence[Leg]) -> list[Blank]:
        erased, began = self.until[account_id], moment(call.started)
        numbers = {call.peer, *call.people, *blanking.numbers_in(legs)}
        known = ((number, erased.get(digest_of(number))) for number in sorted(numbers) if number)
        return [Blank(number) for number, until in known if until and began < until]


def hush(pbx: Pbx, group: Group, legs: Sequence[Leg]) -> int:
    """Keep the group with these legs instead of its own, and nothing of their raw records; how many of those there
    were. Needs the PBX's lock."""
    groups.rewrite(pbx, group, legs)
    records = InboxRecord.objects.filter(pbx=pbx, leg_key__any_of=[leg.key for leg in legs])
    # One that is to be read again is hushed after that.
    records = records.exclude(state=InboxRecord.State.PENDING)
    return records.exclude(body=b"").update(body=b"")
