"""One record, many wrappings: whatever FreeSWITCH makes of it, the same channel is read."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from calls.ingest.formats.freeswitch_body import is_freeswitch, unwrap
from calls.ingest.formats.freeswitch_json import Channel, parse, read
from calls.ingest.inbox import source_of
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


WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "bare": bytes,
    "with line breaks around it": lambda body: b"\r\n" + body + b"\n",
    "cdr= as it is": lambda body: b"cdr=" + body,
    "cdr= percent-encoded": lambda body: b"cdr=" + encoded(body),
    "cdr= base64": lambda body: b"cdr=" + base64.b64encode(body),
    "a fallback file, percent-encoded": lambda body: encoded(body) + b"\n",
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("kind", ["json", "xml"])
def test_every_wrapping_is_seen_through(wrapping: str, kind: str) -> None:
    path = recorded("xml")[0]
    inner = JSON[path.stem[-36:]] if kind == "json" else unwrap(path.read_bytes())

    wrapped = WRAPPINGS[wrapping](inner)

    assert source_of(wrapped) == "freeswitch-json"
    assert read(wrapped) == in_json(path)


def test_encoding_twice_and_decoding_once_is_read_where_no_quote_breaks_it() -> None:
    record = json.loads(BODY)
    decoded = {name: value.replace("%20", " ") for name, value in record["variables"].items()}
    broken = json.dumps({**record, "variables": decoded}).replace("%0D%0A", "\r\n").encode()

    assert read(b"cdr=" + broken) == read(json.dumps({**record, "variables": decoded}).encode())


def test_a_record_that_encoding_twice_broke_says_what_to_set() -> None:
    broken = BODY.replace(b'"caller_id":"', b'"caller_id":""Anna" <101>')

    with pytest.raises(CdrError, match="set encode=false") as caught:
        read(b"cdr=" + broken)
    assert caught.value.code == "not_json"


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
    ],
)
def test_what_is_broken_inside_its_wrapping_is_told(body: bytes, code: str) -> None:
    with pytest.raises(CdrError) as caught:
        parse(body)
    assert caught.value.code == code


@pytest.mark.parametrize("body", [b'"acme","101"', b"accountcode,src,dst", b"", b"101;102"])
def test_a_csv_line_is_no_freeswitch_record(body: bytes) -> None:
    assert not is_freeswitch(body)
