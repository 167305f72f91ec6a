"""The record formats. Each module has ``parse(body, layout, switch)`` and says which ids its records carry.

``parse`` returns None for a record that is fine and tells nothing of use.
"""

from types import ModuleType

from calls.ingest.formats import asterisk, freeswitch_json, mapped_csv

FREESWITCH, ASTERISK, OTHER = "freeswitch-json", "asterisk-csv", "csv"
FORMATS: dict[str, ModuleType] = {
    FREESWITCH: freeswitch_json,
    ASTERISK: asterisk,
    OTHER: mapped_csv,
}
