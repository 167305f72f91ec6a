"""The record formats. Each module has ``parse(body, layout, switch)`` and says which ids its records carry."""

from types import ModuleType

from calls.ingest.formats import asterisk_csv, freeswitch_json, mapped_csv

FREESWITCH, ASTERISK, OTHER = "freeswitch-json", "asterisk-csv", "csv"
FORMATS: dict[str, ModuleType] = {
    FREESWITCH: freeswitch_json,
    ASTERISK: asterisk_csv,
    OTHER: mapped_csv,
}
