"""The record formats. Each module has ``parse(body, layout, zone)`` and says which ids its records carry."""

from types import ModuleType

from calls.ingest.formats import asterisk_csv, freeswitch_json

FORMATS: dict[str, ModuleType] = {
    "freeswitch-json": freeswitch_json,
    "asterisk-csv": asterisk_csv,
}
