"""Price lists and bundles, who pays by which, what each paid leg was charged, and every change of that."""

from billing.models.assignments import AccountPriceList, VatRate
from billing.models.bundles import Bundle, BundleUse
from billing.models.charges import Charge, ChargeChange, ChargeTerms
from billing.models.costs import Budget, CostWatch, Notice, NoticeMail, SeenDestination
from billing.models.imports import PriceListImport
from billing.models.pricelists import PriceList, Rate
from billing.models.reratings import Rerating, ReratingPart

__all__ = [
    "AccountPriceList",
    "Budget",
    "Bundle",
    "BundleUse",
    "Charge",
    "ChargeChange",
    "ChargeTerms",
    "CostWatch",
    "Notice",
    "NoticeMail",
    "PriceList",
    "PriceListImport",
    "Rate",
    "Rerating",
    "ReratingPart",
    "SeenDestination",
    "VatRate",
]
