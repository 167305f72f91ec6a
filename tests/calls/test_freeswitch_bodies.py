"""One record, many wrappings: whatever FreeSWITCH makes of it, the same channel is read."""

import base64
import codecs
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from calls.ingest.formats.freeswitch_body import is_freeswitch, unwrap
from calls.ingest.formats.freeswitch_json import Channel, parse, read
from calls.ingest.records import CdrError
from tests.records import HERE

FOLDER = HERE / "freeswitch"
JSON = {path.stem[-36:]: path.read_bytes() for path in (FOLDER / "json").iterdir()}
BODY = next(iter(JSON.values()))


def recorded(kind: str) -> list[Path]:
    return sorted((FOLDER / kind).iterdir())


def in_json(path: Path) -> Channel:
    """The same channel as it came by mod_json_cdr in its default form."""
    return read(JSON[path.stem[-36:]])


@pytest.mark.parametrize("path", recorded("form"), ids=lambda path: path.stem)
def test_a_form_holds_the_same_channel(path: Path) -> None:
    assert read(path.read_bytes()) == in_json(path)


@pytest.mark.parametrize("path", recorded("xml"), ids=lambda path: path.stem)
def test_xml_holds_the_same_channel(path: Path) -> None:
    assert read(path.read_bytes()) == in_json(path)


@pytest.mark.parametrize("path", recorded("json_plain"), ids=lambda path: path.stem)
def test_values_that_are_not_encoded_are_the_same(path: Path) -> None:
    assert read(path.read_bytes()) == in_json(path)


def encoded(body: bytes) -> bytes:
    return quote(body, safe=",:").encode()


def multipart(disposition: str, body: bytes) -> bytes:
    """As curl --form sends it."""
    boundary = b"--------------------------d74496d66958873e"
    header = b"\r\nContent-Disposition: form-data; " + disposition.encode() + b"\r\n\r\n"
    return b"--" + boundary + header + body + b"\r\n--" + boundary + b"--\r\n"


WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "bare": bytes,
    "with line breaks around it": lambda body: b"\r\n" + body + b"\n",
    "cdr= as it is": lambda body: b"cdr=" + body,
    "cdr= percent-encoded": lambda body: b"cdr=" + encoded(body),
    "cdr= base64": lambda body: b"cdr=" + base64.b64encode(body),
    "a fallback file, percent-encoded": lambda body: encoded(body) + b"\n",
    "a fallback file, base64": lambda body: base64.b64encode(body) + b"\n",
    "base64 in lines": lambda body: b"cdr=" + base64.encodebytes(body),
    "with a byte order mark": lambda body: codecs.BOM_UTF8 + body,
    "in UTF-16": lambda body: body.decode().encode("utf-16"),
    "a form of several parts": lambda body: multipart('name="cdr"', body),
    "a file in a form of several parts": lambda body: multipart(
        'name="file"; filename="a_1.cdr.json"\r\nContent-Type: application/octet-stream', body
    ),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("kind", ["json", "xml"])
def test_every_wrapping_is_seen_through(wrapping: str, kind: str) -> None:
    path = recorded("xml")[0]
    inner = JSON[path.stem[-36:]] if kind == "json" else unwrap(path.read_bytes())

    wrapped = WRAPPINGS[wrapping](inner)

    assert is_freeswitch(wrapped)
    assert read(wrapped) == in_json(path)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<cdr><variables>", "not_xml"),
        (b"<cdr/>", "other_shape"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><cdr>&a;</cdr>", "not_xml"),
        (b"<" * 5000, "not_xml"),
        (b"<a>" * 100_000, "not_xml"),
        (b"cdr=", "not_json"),
        (b"cdr=%7B", "not_json"),
        (b"cdr=bm90IGEgcmVjb3Jk", "not_json"),
        (b"cdr=[]", "other_shape"),
        (b"eyJub3QiOiAiYSByZWNvcmQifQ==", "other_shape"),
        (b'--x\r\nContent-Disposition: form-data; name="cdr"\r\n\r\n{\r\n--x--', "not_json"),
        (b'--x\r\nContent-Disposition: form-data; name="cdr"', "not_json"),
    ],
)
def test_what_is_broken_inside_its_wrapping_is_told(body: bytes, code: str) -> None:
    with pytest.raises(CdrError) as caught:
        parse(body)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        b'"acme","101"',
        b"accountcode,src,dst",
        b"",
        b"101;102",
        b'{"channel":"PJSIP/101-1"}',
        b"eyJohn,101",
    ],
)
def test_a_csv_line_is_no_freeswitch_record(body: bytes) -> None:
    assert not is_freeswitch(body)
