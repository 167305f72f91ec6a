from calls.views.details import CallDetailView
from calls.views.erasures import ErasureView
from calls.views.export import CallExportView, MonthExportView
from calls.views.holds import HoldView, LiftView
from calls.views.ingest import receive_record
from calls.views.lists import CallListView
from calls.views.privacy import PrivacyView
from calls.views.quarantine import QuarantineView
from calls.views.receipts import NightView, ReceiptListView
from calls.views.sources import SourceListView

__all__ = [
    "CallDetailView",
    "CallExportView",
    "CallListView",
    "ErasureView",
    "HoldView",
    "LiftView",
    "MonthExportView",
    "NightView",
    "PrivacyView",
    "QuarantineView",
    "ReceiptListView",
    "SourceListView",
    "receive_record",
]
