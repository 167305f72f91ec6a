from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from calls import health, periods
from calls.models import Extension
from calls.paging import page_of
from calls.tables import CallTable, columns_for
from calls.views.account import TABS, FilteredCallsMixin

CURSORS = ("older", "newer")
# HTMX asks for a whole page when it follows a plain link, or goes back to a page that it did not keep.
WHOLE_PAGE = ("HX-Boosted", "HX-History-Restore-Request")


def wants_part(request: HttpRequest) -> bool:
    headers = request.headers
    return "HX-Request" in headers and not any(name in headers for name in WHOLE_PAGE)


class CallListView(FilteredCallsMixin):
    """«Spis połączeń»: a tab of it, filtered, a page at a time, with the totals of all that was found."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        template = "calls/_list.html" if wants_part(request) else "calls/call_list.html"
        response = render(request, template, self.get_context_data())
        patch_vary_headers(response, ["HX-Request", *WHOLE_PAGE])
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        calls = self.filterset.calls
        cursors = {name: self.request.GET.get(name, "") for name in CURSORS}
        return super().get_context_data(
            filterset=self.filterset,
            page=page_of(
                calls.with_callback() if self.tab == "missed" else calls,
                self.account.pk,
                **cursors,
            ),
            totals=calls.totals(),
            columns=CallTable((), exclude=self.hidden_columns()).columns,
            names=Extension.names_in(self.account),
            tab=self.tab,
            tabs=TABS,
            query=self.query(),
            freshness=health.freshness(self.account, self.now),
            months=periods.latest_months(self.now, 2, self.account.tz),
            **kwargs,
        )

    def hidden_columns(self) -> list[str]:
        shown = columns_for(self.membership, self.tab)
        return [name for name in CallTable.base_columns if name not in shown]

    def query(self) -> str:
        """The filters as a query string, without the place in the list."""
        query: QueryDict = self.request.GET.copy()
        for name in CURSORS:
            query.pop(name, None)
        return query.urlencode()
