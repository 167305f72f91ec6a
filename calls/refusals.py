"""Refused records as the operator sees them: grouped, with what to do about each group."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calls.ingest.selection import Selection
from calls.models import InboxRecord

Text = str | Promise
# More would be no overview; a scanner that dials at random makes thousands.
SHOWN = 100
QUARANTINED, UNASSIGNED = InboxRecord.State.QUARANTINED, InboxRecord.State.UNASSIGNED


class Reason(NamedTuple):
    """What is wrong, and what to do."""

    title: Text
    advice: Text


REASONS = {
    "not_json": Reason(
        _("no readable JSON"),
        _(
            "If every record of this PBX is refused so, set encode=false in json_cdr.conf.xml: with encode=true"
            " FreeSWITCH writes broken JSON."
        ),
    ),
    "not_xml": Reason(_("no readable XML"), _("Send JSON instead: mod_json_cdr.")),
    "other_shape": Reason(
        _("no call record, or one of another layout"),
        _(
            "Compare the settings of the PBX with those in the documentation; see the details below."
        ),
    ),
    "bad_times": Reason(
        _("impossible times"), _("Check the clock of the PBX and the layout of its file.")
    ),
    "bad_number": Reason(_("no number where one belongs"), _("Check the columns of the file.")),
    "bad_date": Reason(_("unbelievable date"), _("Set the clock of the PBX, then try again.")),
    "wrong_zone": Reason(
        _("another time zone"),
        _(
            "Set the time zone of the PBX entry: UTC with usegmtime=yes, otherwise the zone of the server. The records"
            " are then tried again by themselves."
        ),
    ),
    "error": Reason(
        _("callpanel failed on it"), _("The log of the worker says how. Try again after an update.")
    ),
    "not_folded": Reason(
        _("no call could be made of it"),
        _("The log of the worker says why. Try again after an update."),
    ),
    "unassigned": Reason(
        _("nobody's number or tenant code"),
        _(
            "Give the number or the tenant code to an account: its calls then come in by themselves."
        ),
    ),
}


def reason_of(code: str) -> Reason:
    return REASONS.get(code, Reason(code, _("See the details below.")))


@dataclass(frozen=True, slots=True)
class Refusals:
    """Records refused for the same reason; ``message`` is that of the latest one."""

    selection: Selection
    reason: Reason
    count: int
    first: datetime
    last: datetime
    message: str


def not_understood() -> list[Refusals]:
    """The largest groups of what could not be read; one more than are to be shown if there are more."""
    return _described(InboxRecord.objects.not_understood()[: SHOWN + 1], QUARANTINED)


def nobodys() -> list[Refusals]:
    """The largest groups of calls that are nobody's, by what nobody holds; one more if there are more."""
    return _described(InboxRecord.objects.nobodys()[: SHOWN + 1], UNASSIGNED)


def _described(groups: Sequence[dict[str, Any]], state: str) -> list[Refusals]:
    examples = InboxRecord.objects.filter(pk__in=[group["example"] for group in groups])
    messages = dict(examples.values_list("pk", "message"))
    return [
        Refusals(
            _selection(group, state),
            reason_of(group["reason"]),
            group["count"],
            group["first"],
            group["last"],
            messages.get(group["example"], ""),
        )
        for group in groups
    ]


def _selection(group: dict[str, Any], state: str) -> Selection:
    tenants = group.get("tenants")
    return Selection(
        pbx=group["pbx__name"],
        state=state,
        reason=group["reason"],
        called=group.get("called"),
        tenants=None if tenants is None else tuple(tenants),
    )
