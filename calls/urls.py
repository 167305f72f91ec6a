from django.urls import path

from calls import views

LIST = "accounts/<slug:slug>/calls"

urlpatterns = [
    path("metrics", views.metrics, name="metrics"),
    path("in/<slug:pbx>/", views.receive_records, name="receive-record"),
    path("in/<slug:pbx>/<str:secret>/", views.receive_records, name="receive-record-with-secret"),
    path(f"{LIST}/", views.CallListView.as_view(), name="call-list"),
    path(f"{LIST}/<str:tab>/", views.CallListView.as_view(), name="call-tab"),
    path(f"{LIST}/<str:tab>/export.csv", views.CallExportView.as_view(), name="call-export"),
    path(
        f"{LIST}/month/<int:year>-<int:month>.csv",
        views.MonthExportView.as_view(),
        name="month-export",
    ),
    path(f"{LIST}/call/<str:public_id>/", views.CallDetailView.as_view(), name="call-detail"),
    path("accounts/<slug:slug>/privacy/", views.PrivacyView.as_view(), name="privacy"),
    path("operator/", views.SourceListView.as_view(), name="operator"),
    path("operator/sources/<slug:name>/", views.SourceView.as_view(), name="source"),
    path("operator/quarantine/", views.QuarantineView.as_view(), name="quarantine"),
    path("operator/quarantine/records/", views.RefusedListView.as_view(), name="refused-list"),
    path(
        "operator/quarantine/records/<int:pk>/",
        views.RefusedRecordView.as_view(),
        name="refused-record",
    ),
    path(
        "operator/quarantine/records.zip", views.RefusedDownloadView.as_view(), name="refused-zip"
    ),
    path("operator/quarantine/decide/", views.DecideView.as_view(), name="decide"),
    path("operator/receipts/", views.ReceiptListView.as_view(), name="receipts"),
    path("operator/receipts/<str:night>/", views.NightView.as_view(), name="night"),
    path("operator/holds/", views.HoldView.as_view(), name="holds"),
    path("operator/holds/<slug:slug>/lift/", views.LiftView.as_view(), name="lift-hold"),
    path("operator/erasures/", views.ErasureView.as_view(), name="erasures"),
]
