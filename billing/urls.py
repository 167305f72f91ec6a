from django.urls import path, re_path

from billing import views

PRICES = "operator/prices"
COSTS = "accounts/<slug:slug>/costs"

urlpatterns = [
    path(f"{PRICES}/", views.PriceListsView.as_view(), name="price-lists"),
    path(f"{PRICES}/<int:pk>/", views.PriceListView.as_view(), name="price-list"),
    path(f"{PRICES}/<int:pk>/rates/new/", views.RateView.as_view(), name="rate-new"),
    re_path(
        rf"^{PRICES}/(?P<pk>[0-9]{{1,18}})/export\.(?P<kind>csv|xlsx)$",
        views.PriceListExportView.as_view(),
        name="price-list-export",
    ),
    path(f"{PRICES}/imports/<int:pk>/", views.PriceImportView.as_view(), name="price-import"),
    path("operator/reratings/", views.ReratingsView.as_view(), name="reratings"),
    path("operator/reratings/<int:pk>/", views.ReratingView.as_view(), name="rerating"),
    path("operator/unrated/", views.UnratedView.as_view(), name="unrated"),
    path(f"{COSTS}/", views.CostsView.as_view(), name="costs"),
    path(f"{COSTS}/budgets/new/", views.BudgetView.as_view(), name="budget-new"),
    path(f"{COSTS}/budgets/<int:pk>/", views.BudgetView.as_view(), name="budget"),
    path(f"{COSTS}/messages/", views.WatchView.as_view(), name="cost-watch"),
    path(f"{COSTS}/quote/", views.QuoteView.as_view(), name="quote"),
]
