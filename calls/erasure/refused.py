"""Raw records that belong to nobody yet, in which an erased number may stand: not understood, or of nobody's number.

Whose they are is not known, so they are looked through for every account that such a PBX may serve.
"""

import json
from collections.abc import Iterator

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from accounts.models import Account
from calls.erasure import blanking
from calls.erasure.blanking import Blank
from calls.inbox_querysets import SET_ASIDE
from calls.ingest import groups
from calls.ingest.formats import freeswitch_body
from calls.models import CallGroup, Decision, InboxRecord, LegRecord, Pbx

State = InboxRecord.State
CHUNK = 500


def records_with(account: Account, blank: Blank) -> Iterator[InboxRecord]:
    """Those that were set aside, and events of calls of which nothing else has come."""
    for pbx in Pbx.objects.filter(Q(account=account) | Q(account__isnull=True)):
        records = InboxRecord.objects.filter(pbx=pbx).select_related("pbx").order_by("pk")
        for record in records.filter(state__in=SET_ASIDE).iterator(CHUNK):
            if blank.is_in(_text(record)):
                yield record
        yield from records.filter(leg_key__any_of=_keys_of_nobodys_legs(pbx, blank)).exclude(
            state__in=SET_ASIDE
        )


def _text(record: InboxRecord) -> str:
    """What the record says, and what was noted about it."""
    body = bytes(record.body)
    plain = freeswitch_body.unwrap(body) if freeswitch_body.is_freeswitch(body) else body
    said = plain.decode("utf-8", errors="replace")
    return "\n".join((said, record.message, record.called, *record.tenants))


def _keys_of_nobodys_legs(pbx: Pbx, blank: Blank) -> list[str]:
    nobodys = CallGroup.objects.filter(pbx=pbx, account_id__isnull=True)
    legs = LegRecord.objects.filter(pbx=pbx, group_id__in=nobodys.values("pk"))
    found = legs.annotate(text=Cast("data", TextField())).filter(text__contains=blank.digits)
    return [each.key for each in found if blanking.speaks_of([each.leg], blank)]


def decisions_with(blank: Blank) -> Iterator[Decision]:
    """What the operator's staff decided about such records, and wrote about it."""
    for decision in Decision.objects.order_by("pk").iterator(CHUNK):
        if blank.is_in(decision.note) or blank.is_in(json.dumps(decision.selection)):
            yield decision


def erase_from(decision: Decision, blank: Blank) -> None:
    """The decision stays, without the number. It means no more records: those are erased too."""
    decision.note = blank.text(decision.note)
    decision.selection = blanking.without(decision.selection, blank.text)
    decision.save(update_fields=["note", "selection"])


def erase(record: InboxRecord) -> None:
    """Keep nothing of what the record says. It cannot be tried again, and its repetition is known. Needs the PBX's
    lock."""
    leg = LegRecord.objects.filter(pbx=record.pbx, key=record.leg_key)
    nobodys = CallGroup.objects.filter(pk__in=leg.values("group_id"), account_id__isnull=True)
    keys = groups.forget(record.pbx, list(nobodys.values_list("pk", flat=True))).leg_keys
    same_call = Q(pk=record.pk) | Q(pbx=record.pbx, leg_key__any_of=keys)
    InboxRecord.objects.filter(same_call).update(
        state=State.EXPIRED,
        reason="erased",
        message="",
        body=b"",
        leg_key="",
        called="",
        tenants=[],
    )
