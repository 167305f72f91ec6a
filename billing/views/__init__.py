from billing.views.costs import BudgetView, CostsView, QuoteView, WatchView
from billing.views.pricelists import (
    PriceImportView,
    PriceListExportView,
    PriceListsView,
    PriceListView,
    RateView,
)
from billing.views.reratings import ReratingsView, ReratingView
from billing.views.unrated import UnratedView

__all__ = [
    "BudgetView",
    "CostsView",
    "PriceImportView",
    "PriceListExportView",
    "PriceListView",
    "PriceListsView",
    "QuoteView",
    "RateView",
    "ReratingView",
    "ReratingsView",
    "UnratedView",
    "WatchView",
]
