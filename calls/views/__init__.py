from calls.views.details import CallDetailView
from calls.views.export import CallExportView, MonthExportView
from calls.views.ingest import receive_record
from calls.views.lists import CallListView
from calls.views.metrics import metrics
from calls.views.quarantine import (
    DecideView,
    QuarantineView,
    RefusedDownloadView,
    RefusedListView,
    RefusedRecordView,
)
from calls.views.sources import SourceListView, SourceView

__all__ = [
    "CallDetailView",
    "CallExportView",
    "CallListView",
    "DecideView",
    "MonthExportView",
    "QuarantineView",
    "RefusedDownloadView",
    "RefusedListView",
    "RefusedRecordView",
    "SourceListView",
    "SourceView",
    "metrics",
    "receive_record",
]
