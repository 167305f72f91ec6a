"""What the configuration of a PBX keeps from us: looked for in its latest records, told with the line that mends it."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calls.ingest.findings import Receipts, find
from calls.ingest.records import Leg
from calls.ingest.source_counts import hour_of
from calls.models import CallGroup, InboxRecord, LegRecord, Pbx, SourceFinding, SourceHour

# So that what was mended is soon no longer found.
LATELY = timedelta(days=7)
DAY = timedelta(days=1)
CALLS = 1000
UNASSIGNED = 500


class Advice(NamedTuple):
    """What cannot be told, why, and the line of configuration that mends it."""

    title: Promise
    why: Promise
    file: str
    line: str


ADVICE = {
    "no_dstchannel": Advice(
        _("Nobody can tell who answered"),
        _("No answered row names the channel that was reached (dstchannel)."),
        "cdr.conf",
        "[general]\nignoredialchanges=no\nignorestatechanges=no",
    ),
    "unanswered_off": Advice(
        _("Some missed calls never get here"),
        _(
            "There is no row of a call in vain that made no phone ring, as of calls outside opening hours or to a phone"
            " that is not registered: the PBX does not write them."
        ),
        "cdr.conf",
        "[general]\nunanswered=yes\ncongestion=yes",
    ),
    "no_uniqueid": Advice(
        _("Rows of the same call are hard to tell apart"),
        _("The rows have no uniqueid."),
        "cdr.conf",
        "[csv]\nloguniqueid=yes",
    ),
    "no_linkedid": Advice(
        _("Which rows are one call has to be guessed"),
        _("The rows have no linkedid and no sequence."),
        "cdr.conf",
        "[csv]\nnewcdrcolumns=yes",
    ),
    "wrong_zone": Advice(
        _("The times are those of another zone"),
        _(
            "The rows begin hours before or after their channels were made. Let the PBX write UTC, and set UTC as the"
            " time zone of its entry here."
        ),
        "cdr.conf",
        "[csv]\nusegmtime=yes",
    ),
    "cut_names": Advice(
        _("Long names are cut"),
        _(
            "Asterisk has room for 79 bytes, and a database may refuse a row whose name was cut inside a letter."
        ),
        "extensions.conf",
        " same => n,Set(CALLERID(name)=${CALLERID(name):0:30})",
    ),
    "no_did": Advice(
        _("The number called is not known"),
        _("Incoming calls lose it in ring groups, queues and menus, and may then be nobody's."),
        "extensions.conf",
        " same => n,Set(CDR(userfield)=did=${EXTEN}\\;pres=${CALLERID(num-pres)})",
    ),
    "no_b_legs": Advice(
        _("Who answered is known only in part"),
        _(
            "Calls name further legs whose records never come: the PBX sends only the first leg of each call."
        ),
        "json_cdr.conf.xml",
        '<param name="log-b-leg" value="true"/>',
    ),
    "broken_json": Advice(
        _("The records are broken before they are sent"),
        _(
            "With encode=true FreeSWITCH decodes the values inside its JSON, which then cannot be read."
        ),
        "json_cdr.conf.xml",
        '<param name="encode" value="false"/>',
    ),
    "repeated": Advice(
        _("The PBX sends the same records again and again"),
        _(
            "Nothing is counted twice, but the PBX does not get our answer in time and may leave fallback files. Give"
            " it more time, and look at the network between."
        ),
        "json_cdr.conf.xml",
        '<param name="timeout" value="10"/>',
    ),
}


def examine_all(now: datetime) -> None:
    """Look at every active PBX. Safe to repeat."""
    for pbx in Pbx.objects.filter(is_active=True):
        examine(pbx, now)


def examine(pbx: Pbx, now: datetime) -> None:
    """Keep what is found, since when it was found first; forget what is found no longer."""
    found = find(pbx.switch, list(_legs(pbx, now)), _receipts(pbx, now))
    with transaction.atomic():
        kept = SourceFinding.objects.filter(pbx=pbx)
        kept.exclude(code__in=[each.code for each in found]).delete()
        SourceFinding.objects.bulk_create(
            [SourceFinding(pbx=pbx, since=now, **asdict(each)) for each in found],
            update_conflicts=True,
            update_fields=["count", "out_of"],
            unique_fields=["pbx", "code"],
        )


def _legs(pbx: Pbx, now: datetime) -> Iterator[Leg]:
    """All legs of the latest calls, and of the latest ones that are nobody's."""
    recent = CallGroup.objects.filter(pbx=pbx, started_at__gte=now - LATELY)
    groups = set(recent.order_by("-started_at").values_list("pk", flat=True)[:CALLS])
    nobodys = InboxRecord.objects.filter(
        pbx=pbx, state=InboxRecord.State.UNASSIGNED, received_at__gte=now - LATELY
    )
    keys = list(nobodys.order_by("-pk").values_list("leg_key", flat=True)[:UNASSIGNED])
    known = LegRecord.objects.filter(pbx=pbx, key__in=keys)
    groups |= set(known.values_list("group_id", flat=True))
    for record in LegRecord.objects.filter(group_id__in=groups):
        yield record.leg


def _receipts(pbx: Pbx, now: datetime) -> Receipts:
    hours = SourceHour.objects.filter(pbx=pbx, hour__gte=hour_of(now - DAY))
    sums = hours.aggregate(records=Sum("records"), repeated=Sum("repeated"))
    refused = InboxRecord.objects.filter(
        pbx=pbx, state=InboxRecord.State.QUARANTINED, received_at__gte=hour_of(now - DAY)
    )
    reasons = refused.order_by().values_list("reason").annotate(count=Count("pk"))
    return Receipts(sums["records"] or 0, sums["repeated"] or 0, dict(reasons))
