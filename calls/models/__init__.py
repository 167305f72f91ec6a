from calls import lookups  # noqa: F401 - querysets use them by name
from calls.models.call import Call, MovedCall, UnpricedCall
from calls.models.health import Silence, SourceFinding, SourceHour, SourceState
from calls.models.ingest import (
    CallGroup,
    Decision,
    FollowedFile,
    InboxRecord,
    LegLink,
    LegRecord,
)
from calls.models.pbx import Extension, ExtensionHolding, Number, Pbx, TenantCode

__all__ = [
    "Call",
    "CallGroup",
    "Decision",
    "Extension",
    "ExtensionHolding",
    "FollowedFile",
    "InboxRecord",
    "LegLink",
    "LegRecord",
    "MovedCall",
    "Number",
    "Pbx",
    "Silence",
    "SourceFinding",
    "SourceHour",
    "SourceState",
    "TenantCode",
    "UnpricedCall",
]
