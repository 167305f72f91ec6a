from billing.views.pricelists import (
    PriceImportView,
    PriceListExportView,
    PriceListsView,
    PriceListView,
)

__all__ = [
    "PriceImportView",
    "PriceListExportView",
    "PriceListView",
    "PriceListsView",
]
