"""Batches over HTTP, from whatever shipper: JSON lines, JSON arrays, CSV lines, packed or not."""

import csv
import gzip
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calls import tasks
from calls.ingest import batches, inbox, pipeline, senders
from calls.ingest.formats import asterisk_csv
from calls.ingest.formats.asterisk_fields import BASE, NEW_COLUMNS
from calls.ingest.records import CdrError
from calls.models import Call, InboxRecord, Pbx
from tests.calls.freeswitch_encoder import encoded_twice
from tests.conftest import RECORDED
from tests.records import ASTERISK, FREESWITCH, HERE, freeswitch_scenarios

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
MASTER = (HERE / "asterisk/master.csv").read_bytes()
LINES = MASTER.splitlines()
COLUMNS = [*BASE, "uniqueid", "userfield", *NEW_COLUMNS]
ROWS = [
    dict(zip(COLUMNS, row, strict=True))
    for row in csv.reader(MASTER.decode(errors="replace").splitlines())
]
LEGS = [asterisk_csv.parse(line, "", ASTERISK) for line in LINES]
AMI = {
    "accountcode": "AccountCode",
    "src": "Source",
    "dst": "Destination",
    "dcontext": "DestinationContext",
    "clid": "CallerID",
    "channel": "Channel",
    "dstchannel": "DestinationChannel",
    "lastapp": "LastApplication",
    "lastdata": "LastData",
    "start": "StartTime",
    "answer": "AnswerTime",
    "end": "EndTime",
    "duration": "Duration",
    "billsec": "BillableSeconds",
    "disposition": "Disposition",
    "amaflags": "AMAFlags",
    "uniqueid": "UniqueID",
    "userfield": "UserField",
    "linkedid": "LinkedID",
    "sequence": "Sequence",
    "peeraccount": "PeerAccount",
}
FREESWITCH_BODIES = [body.strip() for each in freeswitch_scenarios() for body in each.bodies]


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.fold_inbox, "apply_async", lambda **options: None)


@pytest.fixture
def address(asterisk: Pbx) -> str:
    return address_of(asterisk)


def address_of(pbx: Pbx) -> str:
    secret = pbx.renew_secret()
    pbx.save()
    return f"/in/{pbx.name}/{secret}/"


def post(client: Client, address: str, body: bytes, **headers: str) -> tuple[int, str]:
    response: Any = client.post(address, body, content_type="text/plain", headers=headers)
    return response.status_code, response.content.decode().strip()


def ndjson(records: list[Any]) -> bytes:
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def calls() -> list[Any]:
    pipeline.fold_inbox()
    fields = ("account", "started_at", "id", "kind", "people", "peer", "wait_s", "talk_s", "legs")
    return list(Call.objects.order_by("account", "started_at", "id").values(*fields))


BATCHES = {
    "CSV lines": MASTER,
    "CSV lines of Windows": MASTER.replace(b"\n", b"\r\n"),
    "CSV lines with a header": ",".join(COLUMNS).encode() + b"\n" + MASTER,
    "JSON lines": ndjson(ROWS),
    "a JSON array": json.dumps(ROWS).encode(),
    "a JSON array in lines": json.dumps(ROWS, indent=2).encode(),
    "names in capitals": ndjson([{name.upper(): row[name] for name in row} for row in ROWS]),
    "names of AMI": ndjson([{AMI[name]: row[name] for name in row} for row in ROWS]),
    "numbers as numbers": ndjson(
        [
            {**row, "duration": int(row["duration"]), "sequence": int(row["sequence"])}
            for row in ROWS
        ]
    ),
    "null for what is empty": ndjson(
        [{name: value or None for name, value in row.items()} for row in ROWS]
    ),
    "envelopes of fluent-bit": ndjson(
        [{"date": 1795403264.1, "log": line.decode(errors="replace")} for line in LINES]
    ),
    "envelopes of fluent-bit in an array": json.dumps(
        [{"date": 1795403264.1, "log": line.decode(errors="replace")} for line in LINES]
    ).encode(),
    "envelopes of Vector": ndjson(
        [
            {"host": "pbx1", "file": "Master.csv", "message": line.decode(errors="replace")}
            for line in LINES
        ]
    ),
}


@pytest.mark.parametrize("kind", BATCHES)
def test_a_batch_of_any_shape_holds_the_same_legs(kind: str) -> None:
    layout, bodies = batches.split(BATCHES[kind], ASTERISK)

    assert [asterisk_csv.parse(body, layout, ASTERISK) for body in bodies] == LEGS


@pytest.mark.parametrize("kind", ["JSON lines", "envelopes of fluent-bit in an array"])
def test_a_batch_becomes_the_same_calls_as_its_records_one_by_one(
    client: Client, asterisk: Pbx, address: str, kind: str
) -> None:
    for line in LINES:
        assert post(client, address, line) == (200, "1 stored, 0 known")
    expected = calls()
    assert len(expected) == 53
    for table in (Call, InboxRecord):
        table.objects.all().delete()
    packed, label = gzip.compress(BATCHES[kind]), {"Content-Encoding": "gzip"}

    assert post(client, address, packed, **label) == (200, "96 stored, 0 known")

    assert calls() == expected
    assert post(client, address, BATCHES[kind]) == (200, "0 stored, 96 known")


def test_an_id_that_a_shipper_took_for_a_number_keeps_its_last_zero() -> None:
    row = {**ROWS[0], "uniqueid": 0, "linkedid": 0}
    body = json.dumps(row).replace('"uniqueid": 0', '"uniqueid": 1795403264.30').encode()

    assert asterisk_csv.parse(body, "", ASTERISK).key == "1795403264.30/3"


def test_freeswitch_records_one_a_line_become_the_same_calls(
    client: Client, freeswitch: Pbx
) -> None:
    address = address_of(freeswitch)

    assert post(client, address, b"\n".join(FREESWITCH_BODIES)) == (200, "72 stored, 0 known")
    assert len(calls()) == 30
    array = b"[" + b",\n".join(FREESWITCH_BODIES) + b"]"
    assert post(client, address, array) == (200, "0 stored, 72 known")


@pytest.mark.parametrize("wrapping", [bytes, encoded_twice, lambda body: encoded_twice(body)[4:]])
def test_fallback_files_one_after_the_other_are_a_batch(wrapping: Any) -> None:
    files = [wrapping(body) for body in FREESWITCH_BODIES]

    assert batches.split(b"\n".join(files) + b"\n", FREESWITCH) == ("", files)


def test_a_freeswitch_record_written_over_several_lines_is_one_record() -> None:
    pretty = json.dumps(json.loads(FREESWITCH_BODIES[0]), indent=0).encode()

    assert batches.split(pretty, FREESWITCH) == ("", [pretty])


def test_each_record_keeps_its_bytes() -> None:
    odd = b'{"channel" : "x",\t"clid":"\xc5"}'

    assert batches.split(b"[" + odd + b" , " + odd + b"]", ASTERISK) == ("", [odd, odd])
    assert batches.split(odd + b"\n" + odd, ASTERISK) == ("", [odd, odd])


DAMAGE = {
    "JSON lines": (ndjson(ROWS), b'"dst": "90516345678"', b'"dst": "905', 96),
    "the first letter of JSON lines": (
        ndjson(ROWS),
        b'{"accountcode": "acme", "src": "103"',
        b"!",
        96,
    ),
    "the end of an array": (json.dumps(ROWS).encode()[:-30], b"", b"", 96),
    "CSV lines": (MASTER, b'"103","90516345678"', b'"103,"', 96),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_record_is_set_aside_and_harms_no_other_of_its_batch(
    client: Client, asterisk: Pbx, address: str, kind: str
) -> None:
    body, found, damaged, count = DAMAGE[kind]

    status, said = post(client, address, body.replace(found, damaged, 1) if found else body)

    assert (status, said) == (200, f"{count} stored, 0 known")
    calls()
    states = InboxRecord.objects.values_list("state", flat=True)
    assert sorted(set(states)) == ["folded", "quarantined", "unassigned"]
    assert [*states].count("quarantined") == 1


FIRST, CUT = LINES[0], LINES[1].split(b',"DOCUMENTATION"')[0] + b',"DOCUMENTATION"'


@pytest.mark.parametrize(
    "junk", [b"[", b'[{"a":1}', b"{", b"<x", b"cdr=", b"--", b"eyJhIjoxfQ==", b"\xff\xfe"]
)
@pytest.mark.parametrize("sound", [FIRST, FREESWITCH_BODIES[0]], ids=["Asterisk", "FreeSWITCH"])
def test_a_line_of_junk_before_or_after_a_sound_one_harms_it_not(sound: bytes, junk: bytes) -> None:
    switch = FREESWITCH if sound.startswith(b"{") else ASTERISK

    for content in (junk + b"\n" + sound, sound + b"\n" + junk):
        assert sound in batches.split(content, switch)[1]


def test_a_line_that_lost_its_ids_is_set_aside_and_the_others_of_its_batch_are_not(
    client: Client, asterisk: Pbx, address: str
) -> None:
    assert post(client, address, CUT + b"\n" + FIRST) == (200, "2 stored, 0 known")
    calls()

    found = InboxRecord.objects.order_by("id").values_list("state", "reason")
    assert list(found) == [("quarantined", "other_ids"), ("folded", "")]


def test_a_row_that_lost_its_ids_and_is_alone_in_its_request_is_set_aside(
    client: Client, asterisk: Pbx, address: str
) -> None:
    post(client, address, FIRST)

    assert post(client, address, CUT) == (200, "1 stored, 0 known")
    calls()

    found = InboxRecord.objects.order_by("id").values_list("state", "reason")
    assert list(found) == [("folded", ""), ("quarantined", "other_ids")]


def test_rows_without_ids_are_refused_where_others_have_them_and_one_with_ids_where_they_have_none(
    client: Client, asterisk: Pbx, address: str
) -> None:
    post(client, address, FIRST)
    assert post(client, address, CUT + b"\n" + CUT[:-1] + b' "')[0] == 409
    Pbx.objects.update(record_ids="content")
    senders._believed.clear()
    assert post(client, address, FIRST)[0] == 409
    assert InboxRecord.objects.count() == 1


def test_the_ids_that_another_process_settled_hold_for_one_that_saw_none(asterisk: Pbx) -> None:
    stale = Pbx.objects.get()
    inbox.check_feed(asterisk, LINES, "")

    with pytest.raises(CdrError, match="counted twice"):
        inbox.check_feed(stale, [CUT, CUT], "")

    assert Pbx.objects.get().record_ids == stale.record_ids == "uniqueid+sequence"


def test_rows_of_the_known_feed_cost_the_check_no_query(asterisk: Pbx) -> None:
    inbox.check_feed(asterisk, LINES, "")

    with CaptureQueriesContext(connection) as queries:
        inbox.check_feed(asterisk, LINES, "")

    assert len(queries) == 0


@pytest.mark.parametrize("name", ["x,channel,start,duration,y", "x,eventtype,eventtime,channame,y"])
def test_a_caller_who_calls_himself_like_columns_is_no_header(name: str) -> None:
    row = LINES[0].split(b",")
    row[4] = f'"""{name}"" <1>"'.encode()
    line = b",".join(row)

    assert batches.split(line + b"\n" + LINES[1], ASTERISK) == ("", [line, LINES[1]])


def test_receiving_in_any_order_keeps_the_order_of_the_ids(asterisk: Pbx) -> None:
    bodies = [b"row %d" % number for number in range(25)]

    assert inbox.receive(asterisk, bodies, now=RECORDED, batch=10) == 25

    stored = InboxRecord.objects.order_by("id").values_list("body", flat=True)
    assert [bytes(body) for body in stored] == bodies


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{" * 100_000 + b"\n{", b'[{"a":' * 50_000])
def test_endless_nesting_is_one_more_record_to_look_at(
    client: Client, address: str, body: bytes
) -> None:
    assert post(client, address, body)[0] == 200
    calls()
    assert set(InboxRecord.objects.values_list("state", flat=True)) == {"quarantined"}
