from django.urls import path

from calls import views

LIST = "accounts/<slug:slug>/calls"

urlpatterns = [
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
]
