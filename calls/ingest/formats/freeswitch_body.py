"""The wrappings in which FreeSWITCH sends a record, told by their look: its Content-Type cannot be relied on.

Seen in the wild: bare JSON or XML; ``cdr=`` before it, percent-encoded, as it is, or in base64; and in fallback files
the percent-encoded text alone.
"""

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from calls.ingest.records import CdrError

PERCENT_ENCODED = re.compile(rb"\s*%(7B|3C|0A|0D|20)", re.IGNORECASE)
LOOKS = (b"{", b"<", b"cdr=")


def is_freeswitch(body: bytes) -> bool:
    """Whether a body looks like a FreeSWITCH record, in whatever wrapping."""
    start = body.lstrip()[:8]
    return start.startswith(LOOKS) or bool(PERCENT_ENCODED.match(body))


def load(body: bytes) -> dict[str, Any]:
    """The record as mod_json_cdr writes it in JSON, also when it came as XML.

    Raises CdrError ``not_json``, ``not_xml`` or ``other_shape``.
    """
    text = unwrap(body)
    return from_xml(text) if text.lstrip()[:1] == b"<" else from_json(text)


def unwrap(body: bytes) -> bytes:
    """The JSON or XML inside a form, percent-encoding or base64."""
    content = body.strip()
    if content.startswith(b"cdr="):
        content = content[4:]
        if content[:1] not in (b"{", b"<", b"%"):
            content = _from_base64(content)
    return unquote_to_bytes(content) if PERCENT_ENCODED.match(content) else content


def _from_base64(content: bytes) -> bytes:
    try:
        # Its +, / and = are sent as they are; a form decoder would have made blanks of the +.
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        return content


def from_json(text: bytes) -> dict[str, Any]:
    try:
        # strict=False: a raw line break inside a string is common in the wild and harms nothing.
        record = json.loads(text.decode("utf-8", errors="replace"), strict=False)
    except (ValueError, RecursionError) as error:
        raise CdrError(
            "not_json",
            f"The body is no JSON: {error}. If every record of this PBX is refused so, set encode=false (or"
            " encode-values=false): together they make FreeSWITCH write broken JSON.",
        ) from error
    if not isinstance(record, dict):
        raise CdrError("other_shape", "The JSON is no object: is it a mod_json_cdr record?")
    return record


def from_xml(text: bytes) -> dict[str, Any]:
    if b"<!DOCTYPE" in text.upper():
        raise CdrError("not_xml", "The XML has a DOCTYPE, which no record of FreeSWITCH has.")
    readable = text.decode("utf-8", errors="replace")
    try:
        root = ElementTree.fromstring(readable)  # noqa: S314 - without a DOCTYPE no entities
    except (ElementTree.ParseError, RecursionError) as error:
        raise CdrError("not_xml", f"The body is no XML: {error}.") from error
    return {
        "variables": _texts(root.find("variables")),
        "app_log": {
            "applications": [dict(each.attrib) for each in root.iterfind("app_log/application")]
        },
        "callflow": [
            {"caller_profile": _texts(each.find("caller_profile"))}
            for each in root.iterfind("callflow")
        ],
    }


def _texts(element: ElementTree.Element | None) -> dict[str, str]:
    """The simple children of an element, by name; what is nested is not needed."""
    return {child.tag: child.text or "" for child in element or () if not len(child)}
