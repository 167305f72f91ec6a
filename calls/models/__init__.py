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
from calls.models.retention import Erasure, PurgeAlarm, Receipt, Suppression

__all__ = [
    "Call",
    "CallGroup",
    "Decision",
    "Erasure",
    "Extension",
    "ExtensionHolding",
    "FollowedFile",
    "InboxRecord",
    "LegLink",
    "LegRecord",
    "MovedCall",
    "Number",
    "Pbx",
    "PurgeAlarm",
    "Receipt",
    "Silence",
    "SourceFinding",
    "SourceHour",
    "SourceState",
    "Suppression",
    "TenantCode",
    "UnpricedCall",
]
