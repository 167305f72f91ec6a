from calls.views.details import CallDetailView
from calls.views.export import CallExportView, MonthExportView
from calls.views.ingest import receive_records
from calls.views.lists import CallListView

__all__ = [
    "CallDetailView",
    "CallExportView",
    "CallListView",
    "MonthExportView",
    "receive_records",
]
