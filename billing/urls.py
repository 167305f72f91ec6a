from django.urls import path, re_path

from billing import views

PRICES = "operator/prices"

urlpatterns = [
    path(f"{PRICES}/", views.PriceListsView.as_view(), name="price-lists"),
    path(f"{PRICES}/<int:pk>/", views.PriceListView.as_view(), name="price-list"),
    re_path(
        rf"^{PRICES}/(?P<pk>[0-9]{{1,18}})/export\.(?P<kind>csv|xlsx)$",
        views.PriceListExportView.as_view(),
        name="price-list-export",
    ),
    path(f"{PRICES}/imports/<int:pk>/", views.PriceImportView.as_view(), name="price-import"),
]
