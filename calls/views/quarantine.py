"""What came in and could not be taken over: seen by all of the staff, decided upon by those who may."""

import logging
from functools import cached_property
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView

from accounts.access import OperatorMixin
from accounts.models import User
from calls import raw_files, refusals
from calls.inbox_querysets import InboxQuerySet
from calls.ingest import quarantine
from calls.ingest.nudging import carry_out_soon, fold_soon
from calls.ingest.selection import Selection
from calls.models import Decision, InboxRecord

logger = logging.getLogger("callpanel.access")
PAGE_SIZE = 50
# Of a record that may have a megabyte, what a person looks at.
SHOWN_BYTES = 64 * 1024


class QuarantineView(OperatorMixin, TemplateView):
    """Refused records by reason, nobody's calls by what nobody holds, and what was decided lately."""

    section = "quarantine"
    template_name = "operator/quarantine.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            not_understood=refusals.not_understood(),
            nobodys=refusals.nobodys(),
            shown=refusals.SHOWN,
            decisions=Decision.objects.select_related("by").order_by("-pk")[:20],
            **kwargs,
        )


class SelectionMixin(OperatorMixin):
    """Pages about the refused records that the address selects."""

    section = "quarantine"

    @cached_property
    def selection(self) -> Selection:
        try:
            return Selection.from_query(dict(self.request.GET.lists()))
        except ValueError as error:
            raise Http404 from error

    @property
    def records(self) -> InboxQuerySet:
        return InboxRecord.objects.selected(self.selection)


class RefusedListView(SelectionMixin, TemplateView):
    """The selected records, the newest first, a page at a time."""

    template_name = "operator/refused_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = self.records.page_before(self.request.GET.get("before", ""), PAGE_SIZE)
        reason = self.selection.reason
        return super().get_context_data(
            selection=self.selection,
            reason=refusals.reason_of(reason) if reason else None,
            records=page[:PAGE_SIZE],
            older=page[PAGE_SIZE - 1].pk if len(page) > PAGE_SIZE else None,
            most=raw_files.MOST_RECORDS,
            **kwargs,
        )


class RefusedRecordView(OperatorMixin, TemplateView):
    """One refused record with its text."""

    section = "quarantine"
    template_name = "operator/refused_record.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        records = InboxRecord.objects.set_aside().select_related("pbx", "dismissal__by")
        record = get_object_or_404(records, pk=self.kwargs["pk"])
        body = bytes(record.body)
        return super().get_context_data(
            record=record,
            reason=refusals.reason_of(record.reason),
            selection=Selection(record=record.pk, dismissal=record.current_dismissal_id),
            text=body[:SHOWN_BYTES].decode("utf-8", errors="replace"),
            size=len(body),
            cut=len(body) > SHOWN_BYTES,
            **kwargs,
        )


class RefusedDownloadView(SelectionMixin):
    """The selected records as they came, in a ZIP file."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> StreamingHttpResponse:
        logger.info("staff user %s downloads records: %s", request.user.pk, self.selection.query())
        response = StreamingHttpResponse(
            raw_files.zipped(self.records), content_type="application/zip"
        )
        response["Content-Disposition"] = 'attachment; filename="records.zip"'
        return response


class DecisionForm(forms.Form):
    action = forms.ChoiceField(choices=Decision.Action.choices)
    note = forms.CharField(max_length=1000, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("action") == Decision.Action.DISMISS and not cleaned.get("note"):
            raise forms.ValidationError(_("Write down why the records can be left as they are."))
        return cleaned


class DecideView(SelectionMixin, PermissionRequiredMixin):
    """Try the selected records again, or dismiss them."""

    permission_required = "calls.add_decision"
    http_method_names = ("post",)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = DecisionForm(request.POST)
        if not form.is_valid():
            for errors in form.errors.values():
                messages.error(request, " ".join(str(error) for error in errors))
            return redirect("quarantine")
        user = request.user if isinstance(request.user, User) else None
        decision = quarantine.decide(
            form.cleaned_data["action"],
            self.selection,
            by=user,
            note=form.cleaned_data["note"],
            now=timezone.now(),
        )
        messages.success(request, _outcome(decision))
        if decision.finished_at is None:
            carry_out_soon()
        fold_soon()
        return redirect("quarantine")


def _outcome(decision: Decision) -> str:
    count = {"count": decision.records}
    if decision.finished_at is None:
        return _("%(count)d records are done, the others follow.") % count
    if decision.action == Decision.Action.RETRY:
        return (
            ngettext(
                "%(count)d record is tried again.",
                "%(count)d records are tried again.",
                decision.records,
            )
            % count
        )
    return (
        ngettext(
            "%(count)d record is dismissed.", "%(count)d records are dismissed.", decision.records
        )
        % count
    )
