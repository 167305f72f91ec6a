from calls.views.details import CallDetailView
from calls.views.erasures import ErasureView
from calls.views.export import CallExportView, MonthExportView
from calls.views.holds import HoldView, LiftView
from calls.views.ingest import receive_records
from calls.views.lists import CallListView
from calls.views.metrics import metrics
from calls.views.privacy import PrivacyView
from calls.views.quarantine import (
    DecideView,
    QuarantineView,
    RefusedDownloadView,
    RefusedListView,
    RefusedRecordView,
)
from calls.views.receipts import NightView, ReceiptListView
from calls.views.sources import SourceListView, SourceView

__all__ = [
    "CallDetailView",
    "CallExportView",
    "CallListView",
    "DecideView",
    "ErasureView",
    "HoldView",
    "LiftView",
    "MonthExportView",
    "NightView",
    "PrivacyView",
    "QuarantineView",
    "ReceiptListView",
    "RefusedDownloadView",
    "RefusedListView",
    "RefusedRecordView",
    "SourceListView",
    "SourceView",
    "metrics",
    "receive_records",
]
