from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from calls import exports, periods
from calls.models import Call
from calls.querysets import CallQuerySet
from calls.tables import columns_for
from calls.views.account import AccountMixin, FilteredCallsMixin


class CallExportView(FilteredCallsMixin):
    """The list's rows, all of them, as a CSV file."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        calls = self.filterset.calls
        if self.filterset.span is None:
            return HttpResponse(
                _("Give the first and the last day of your range, the first one not later."),
                status=400,
                content_type="text/plain; charset=utf-8",
            )
        return csv_response(self, calls, f"{self.account.slug}-{self.tab}")


class MonthExportView(AccountMixin):
    """All calls of a month as a CSV file to keep."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        year, month = self.kwargs["year"], self.kwargs["month"]
        try:
            period = periods.month(year, month, self.account.tz)
        except (ValueError, OverflowError) as error:
            raise Http404 from error
        calls = Call.objects.visible_to(self.membership).between(period)
        return csv_response(self, calls, f"{self.account.slug}-{year}-{month:02}")


def csv_response(view: AccountMixin, calls: CallQuerySet, name: str) -> StreamingHttpResponse:
    """Stream the file; ``?plain=1`` asks for RFC 4180 instead of what Polish Excel opens."""
    dialect = exports.PLAIN if view.request.GET.get("plain") else exports.EXCEL
    lines = exports.lines(calls, columns_for(view.membership), dialect, view.account.tz)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
