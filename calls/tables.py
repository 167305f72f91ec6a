"""The columns of a list of calls, declared once for the page and for the export.

The rows of a page are written by templates/calls/_rows.html: rendering them cell by cell through django-tables2 would
take nine tenths of the page's time.
"""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from calls.models import Call


class CallTable(tables.Table):
    started_at = tables.Column(verbose_name=_("Date and time"))
    kind = tables.Column(verbose_name=_("Type"))
    callback = tables.Column(verbose_name=_("Callback"))
    peer = tables.Column(verbose_name=_("Number"))
    extension = tables.Column(verbose_name=_("Extension"))
    answered_by = tables.Column(verbose_name=_("Answered by"), accessor="people")
    own_number = tables.Column(verbose_name=_("Own number"))
    direction = tables.Column(verbose_name=_("Direction"))
    wait_s = tables.Column(verbose_name=_("Waited"))
    talk_s = tables.Column(verbose_name=_("Duration"))
    cost = tables.Column(verbose_name=_("Cost"))

    class Meta:
        model = Call
        fields = ()
        orderable = False


def columns_for(membership: Membership, tab: str = "all") -> tuple[str, ...]:
    """The names of the columns that this person may see on this tab."""
    hidden = set() if membership.can_see_costs else {"cost"}
    # Nobody answered a missed call, and it cost nothing.
    hidden |= {"answered_by", "talk_s", "cost"} if tab == "missed" else {"callback"}
    return tuple(name for name in CallTable.base_columns if name not in hidden)
