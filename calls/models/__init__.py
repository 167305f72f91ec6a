from calls import lookups  # noqa: F401 - querysets use them by name
from calls.models.call import Call, MovedCall, UnpricedCall
from calls.models.ingest import CallGroup, FollowedFile, InboxRecord, LegLink, LegRecord
from calls.models.pbx import Extension, ExtensionHolding, Number, Pbx, TenantCode

__all__ = [
    "Call",
    "CallGroup",
    "Extension",
    "ExtensionHolding",
    "FollowedFile",
    "InboxRecord",
    "LegLink",
    "LegRecord",
    "MovedCall",
    "Number",
    "Pbx",
    "TenantCode",
    "UnpricedCall",
]
