"""The wrappings in which FreeSWITCH sends a record, told by their look: its Content-Type cannot be relied on.

Seen in the wild: bare JSON or XML; ``cdr=`` before it, percent-encoded, as it is, or in base64; in fallback files the
percent-encoded text or the base64 alone; and, from whoever sends such files, a form of several parts or a byte order
mark before all of it.
"""

import base64
import binascii
import codecs
import email
import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from calls.ingest.formats.freeswitch_repair import repaired
from calls.ingest.records import CdrError

PERCENT_ENCODED = re.compile(rb"\s*%(7B|3C|0A|0D|20)", re.IGNORECASE)
# The beginnings of {" and <?xml and <cdr in base64, and nothing but base64 after it.
BASE64 = re.compile(rb"(eyJ|PD94|PGNk)[A-Za-z0-9+/\s]+={0,2}\s*")
FORM = re.compile(rb"--[^\r\n]{1,200}\r?\nContent-Disposition: *form-data", re.IGNORECASE)
LOOKS = (b"<", b"cdr=")


def is_freeswitch(body: bytes) -> bool:
    """Whether a body looks like a FreeSWITCH record, in whatever wrapping."""
    content = _without_mark(body).lstrip()
    if content.startswith(b"{"):
        return b'"variables"' in content
    return (
        content.startswith(LOOKS)
        or any(look.match(content) for look in (PERCENT_ENCODED, FORM))
        or bool(BASE64.fullmatch(content))
    )


def load(body: bytes) -> dict[str, Any]:
    """The record as mod_json_cdr writes it in JSON, also when it came as XML.

    Raises CdrError ``not_json``, ``not_xml`` or ``other_shape``.
    """
    text = unwrap(body)
    return from_xml(text) if text.lstrip()[:1] == b"<" else from_json(text)


def unwrap(body: bytes) -> bytes:
    """The JSON or XML inside a form, percent-encoding or base64."""
    content = _without_mark(body).strip()
    if FORM.match(content):
        content = _without_mark(_first_part(content)).strip()
    if content.startswith(b"cdr="):
        content = content[4:]
        if content[:1] not in (b"{", b"<", b"%"):
            content = _from_base64(content)
    elif BASE64.fullmatch(content):
        content = _from_base64(content)
    return unquote_to_bytes(content) if PERCENT_ENCODED.match(content) else content


def _without_mark(body: bytes) -> bytes:
    """The body in UTF-8 without a byte order mark. A charset that only a label names is not believed."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", errors="replace").encode()
    return body.removeprefix(codecs.BOM_UTF8)


def _first_part(content: bytes) -> bytes:
    """What the first field or file of a multipart form holds."""
    boundary = content.partition(b"\n")[0].strip().removeprefix(b"--")
    header = b'Content-Type: multipart/form-data; boundary="' + boundary + b'"\r\n\r\n'
    message = email.message_from_bytes(header + content)
    parts = message.get_payload()
    first = parts[0] if isinstance(parts, list) and parts else None
    inner = first.get_payload(decode=True) if isinstance(first, email.message.Message) else None
    return inner if isinstance(inner, bytes) else content


def _from_base64(content: bytes) -> bytes:
    try:
        # Its +, / and = are sent as they are; a form decoder would have made blanks of the +.
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return content


def from_json(text: bytes) -> dict[str, Any]:
    readable = text.decode("utf-8", errors="replace")
    try:
        # strict=False: a raw line break inside a string is common in the wild and harms nothing.
        record = json.loads(readable, strict=False, object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError) as error:
        record = repaired(readable)
        if record is None:
            raise CdrError(
                "not_json",
                f"The body is no JSON: {error}. If many records of this PBX are refused so, set encode=false (or"
                " encode-values=false): together they make FreeSWITCH write broken JSON.",
            ) from error
    if not isinstance(record, dict):
        raise CdrError("other_shape", "The JSON is no object: is it a mod_json_cdr record?")
    return record


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different. FreeSWITCH writes no others, so one of the two would be forged."""
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise CdrError("not_json", f"The record says twice what its {twice[:40]!r} is.")
    return record


def from_xml(text: bytes) -> dict[str, Any]:
    if b"<!DOCTYPE" in text.upper():
        raise CdrError("not_xml", "The XML has a DOCTYPE, which no record of FreeSWITCH has.")
    readable = text.decode("utf-8", errors="replace")
    try:
        root = ElementTree.fromstring(readable)  # noqa: S314 - without a DOCTYPE no entities
    except (ElementTree.ParseError, RecursionError) as error:
        raise CdrError(
            "not_xml",
            f"The body is no XML: {error}. If many records of this PBX are refused so, set encode=textxml.",
        ) from error
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
