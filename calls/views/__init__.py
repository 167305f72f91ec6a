from calls.views.details import CallDetailView
from calls.views.export import CallExportView, MonthExportView
from calls.views.ingest import receive_record
from calls.views.lists import CallListView
from calls.views.quarantine import QuarantineView
from calls.views.sources import SourceListView

__all__ = [
    "CallDetailView",
    "CallExportView",
    "CallListView",
    "MonthExportView",
    "QuarantineView",
    "SourceListView",
    "receive_record",
]
