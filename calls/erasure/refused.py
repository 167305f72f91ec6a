"""Raw records that belong to nobody yet, in which an erased number may stand: not understood, or of nobody's number.

Whose they are is not known, so they are looked through for every account that such a PBX may serve.
"""

from collections.abc import Iterator

from django.db.models import Q

from accounts.models import Account
from calls.erasure.blanking import Blank
from calls.ingest import groups
from calls.ingest.formats import freeswitch_body
from calls.models import CallGroup, InboxRecord, LegRecord

State = InboxRecord.State
CHUNK = 500


def records_with(account: Account, blank: Blank) -> Iterator[InboxRecord]:
    waiting = InboxRecord.objects.filter(
        Q(pbx__account=account) | Q(pbx__account__isnull=True),
        state__in=[State.QUARANTINED, State.UNASSIGNED],
    ).select_related("pbx")
    for record in waiting.order_by("pk").iterator(CHUNK):
        if blank.is_in(_text(bytes(record.body))):
            yield record


def _text(body: bytes) -> str:
    plain = freeswitch_body.unwrap(body) if freeswitch_body.is_freeswitch(body) else body
    return plain.decode("utf-8", errors="replace")


def erase(record: InboxRecord) -> None:
    """Keep nothing of what the record says. It cannot be tried again, and its repetition is known. Needs the PBX's
    lock."""
    leg = LegRecord.objects.filter(pbx=record.pbx, key=record.leg_key)
    nobodys = CallGroup.objects.filter(pk__in=leg.values("group_id"), account_id__isnull=True)
    keys = groups.forget(record.pbx, list(nobodys.values_list("pk", flat=True))).leg_keys
    same_call = Q(pk=record.pk) | Q(pbx=record.pbx, leg_key__any_of=keys)
    InboxRecord.objects.filter(same_call).update(
        state=State.EXPIRED, reason="erased", message="", body=b"", leg_key=""
    )
