"""The record formats. Each module has ``parse(body, layout, zone)`` and says which ids its records carry.

``parse`` returns None for a record that is fine and tells nothing of use.
"""

from types import ModuleType

from calls.ingest.formats import asterisk, freeswitch_json

FORMATS: dict[str, ModuleType] = {
    "freeswitch-json": freeswitch_json,
    "asterisk-csv": asterisk,
}
