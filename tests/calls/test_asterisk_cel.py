"""Channel events as an Asterisk writes them: files of cel_custom, rows of a cel table."""

import csv
import io
import json
from dataclasses import replace

import pytest

from calls.ingest.formats import asterisk, asterisk_fields
from calls.ingest.records import CdrError, Leg
from tests.records import ASTERISK, HERE, SWITCHES, asterisk_events

HEADER, EVENTS = asterisk_events()
ENTERED = {
    "eventtype": "BRIDGE_ENTER",
    "eventtime": "1795403265.443402",
    "cidname": 'Łódź, Biuro "A"',
    "channame": "PJSIP/carrier-0000000f",
    "uniqueid": "1795403264.15",
    "linkedid": "1795403264.14",
    "eventextra": '{"bridge_id":"f4fee6a1-0388-4577-9e07-2f08c0f51ee9","bridge_technology":"simple_bridge"}',
}
SUMMER_ENDS = 1792888200  # 2026-10-25 02:30 in Warsaw, for the first time


def line(fields: dict[str, str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow(fields.values())
    return text.getvalue().encode()


def parsed(zone: str = "UTC", **changed: str) -> Leg | None:
    fields = ENTERED | changed
    return asterisk.parse(line(fields), ",".join(fields), replace(ASTERISK, time_zone=zone))


def local(event: str, born: int, time: str, zone: str = "Europe/Warsaw") -> int:
    """When an event happened to a channel born at this second, in seconds from then."""
    leg = parsed(zone, eventtype=event, eventtime=time, uniqueid=f"pbx1-{born}.7")
    assert leg
    return leg.started // 1_000_000 - born


def test_an_event_keeps_what_folding_needs_and_no_more() -> None:
    leg = parsed()

    assert leg and leg.is_event
    assert leg.to_json() == {
        "key": leg.key,
        "span": [1795403265443402, 1795403265443402],
        "links": ["linkedid 1795403264.14", "uniqueid 1795403264.15"],
        "event": "enter",
        "channel": "PJSIP/carrier-0000000f",
        "bridge": "f4fee6a1",
    }


@pytest.mark.parametrize(
    "row",
    [
        ENTERED,
        {name.upper(): value for name, value in ENTERED.items()},
        ENTERED | {"eventtime": "2026-11-23T03:07:45.443402"},
        ENTERED | {"eventtime": "2026-11-23 04:07:45.443402+01:00", "peer": None},
        ENTERED | {"eventextra": None, "extra": json.loads(ENTERED["eventextra"])},
        ENTERED | {"eventtime": 1795403265.443402},
    ],
    ids=["text", "capitals", "timestamp", "with zone", "jsonb", "number"],
)
def test_a_row_of_a_cel_table_is_the_same_event_as_the_line_of_a_file(row: dict[str, str]) -> None:
    assert asterisk.parse(json.dumps(row).encode(), "", ASTERISK) == parsed()


@pytest.mark.parametrize("literal", [[], ["My Literal"]], ids=["before", "since 20"])
def test_the_columns_of_asterisks_own_sample_need_no_header(literal: list[str]) -> None:
    kind, time, name, *_ = ENTERED.values()
    middle = ["123", "", "", "", "s", "ctx", ENTERED["channame"], "Dial", "x", "3", "acme"]
    ids = [ENTERED["uniqueid"], ENTERED["linkedid"]]
    values = [kind, *literal, time, name, *middle, *ids, "", "", "", ENTERED["eventextra"]]
    body = line(dict(enumerate(values)))  # type: ignore[arg-type]

    assert asterisk_fields.split(body)[0] == ""
    assert asterisk.parse(body, "", ASTERISK) == parsed()


def test_the_columns_of_our_own_documentation_need_no_header() -> None:
    fields = {name: value for name, value in ENTERED.items() if name != "cidname"}

    assert asterisk.parse(line(fields), "", ASTERISK) == parsed()


def test_events_of_other_columns_without_a_header_are_not_guessed() -> None:
    with pytest.raises(CdrError, match="header line"):
        asterisk.parse(line(ENTERED), "", ASTERISK)


@pytest.mark.parametrize("feed", ["master.csv", "full.csv"])
def test_no_row_of_a_call_is_taken_for_an_event(feed: str) -> None:
    layout, lines = asterisk_fields.split((HERE / "asterisk" / feed).read_bytes())
    legs = [asterisk.parse(body, layout, SWITCHES[feed]) for body in lines]

    assert [leg for leg in legs if leg is None or leg.is_event] == []


def test_a_file_of_events_is_known_by_its_header() -> None:
    layout, lines = asterisk_fields.split((HERE / "asterisk/cel.csv").read_bytes())

    assert layout.startswith("eventtype,eventtime,cidname,cidnum")
    assert len(lines) == 922


@pytest.mark.parametrize(
    "kind", ["APP_START", "CHAN_END", "DTMF", "STREAM_BEGIN", "LINKEDID_END", "MY_OWN_EVENT"]
)
def test_an_event_that_tells_nothing_of_use_becomes_no_leg(kind: str) -> None:
    assert parsed(eventtype=kind) is None


def test_of_the_recorded_events_four_in_ten_are_not_kept() -> None:
    legs = [asterisk.parse(body, HEADER, ASTERISK) for lines in EVENTS.values() for body in lines]

    assert (len(legs), len([leg for leg in legs if leg])) == (922, 553)
    assert len({leg.key for leg in legs if leg}) == 553


def test_a_transfer_names_all_its_channels_and_their_names_only_for_now() -> None:
    extra = {
        "bridge1_id": "855340d0-bdf5",
        "channel2_name": "PJSIP/acme-101-0000009c",
        "channel2_uniqueid": "1795403354.249",
        "transferee_channel_name": "N/A",
        "transferee_channel_uniqueid": "N/A",
        "transfer_target_channel_name": "Local/103@acme-internal-00000000;1",
        "transfer_target_channel_uniqueid": "1795403366.266",
    }
    leg = parsed(eventtype="ATTENDEDTRANSFER", eventextra=json.dumps(extra))

    assert leg
    now = leg.started
    assert [(link.key, link.since == link.until == now) for link in leg.links] == [
        ("linkedid 1795403264.14", False),
        ("uniqueid 1795403264.15", False),
        ("channel PJSIP/acme-101-0000009c", True),
        ("uniqueid 1795403354.249", False),
        ("channel Local/103@acme-internal-00000000", True),
        ("uniqueid 1795403366.266", False),
    ]


def test_a_channel_that_gave_its_place_to_another_is_still_itself() -> None:
    leg = parsed(eventtype="HANGUP", channame="PJSIP/acme-101-0000009c<ZOMBIE>")

    assert leg and leg.facts["channel"] == "PJSIP/acme-101-0000009c"


def test_in_the_hour_that_comes_twice_a_channel_cannot_have_ended_before_it_began() -> None:
    begun_before = SUMMER_ENDS - 1800
    begun_late = SUMMER_ENDS + 1500  # 02:55, for the first time

    assert local("CHAN_START", SUMMER_ENDS, "2026-10-25 02:30:00.5") == 0
    assert local("CHAN_START", SUMMER_ENDS + 3600, "2026-10-25 02:30:00.5") == 0
    assert local("HANGUP", begun_before, "2026-10-25 02:10:00.5") == 600
    assert local("HANGUP", begun_late, "2026-10-25 02:05:00.5") == 600


@pytest.mark.parametrize(
    ("event", "time", "zone"),
    [
        ("HANGUP", "2026-11-23 03:07:45.1", "Europe/Warsaw"),
        ("CHAN_START", "2026-11-23 04:07:44.1", "UTC"),
    ],
)
def test_times_of_another_zone_than_set_are_refused(event: str, time: str, zone: str) -> None:
    with pytest.raises(CdrError, match="dateformat") as refused:
        parsed(zone, eventtype=event, eventtime=time)

    assert refused.value.code == "wrong_zone"


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"eventtype": "10"}, "other_shape", "make this column of the table text"),
        ({"eventextra": ""}, "other_shape", "write eventextra"),
        ({"eventextra": '{"bridge_id":"f4fe'}, "other_shape", "write eventextra"),
        ({"uniqueid": ""}, "other_shape", "no uniqueid"),
        ({"channame": "", "linkedid": ""}, "other_shape", "no channame, linkedid"),
        ({"eventtime": "yesterday"}, "bad_times", "no time"),
    ],
)
def test_what_cannot_be_understood_says_what_to_do(
    changed: dict[str, str], code: str, message: str
) -> None:
    with pytest.raises(CdrError, match=message) as refused:
        parsed(**changed)

    assert refused.value.code == code


@pytest.mark.parametrize(
    "body", [b'{"eventtype": ', b'{"eventtype": "ANSWER"}', b'"ANSWER"', b'"a","b']
)
def test_broken_events_are_refused(body: bytes) -> None:
    with pytest.raises(CdrError):
        asterisk.parse(body, "" if body.startswith(b"{") else HEADER, ASTERISK)


def test_a_nul_that_is_written_as_an_escape_is_left_out() -> None:
    bridge = parsed(eventextra='{"bridge_id":"\\u0000abc"}')
    transfer = parsed(
        eventtype="ATTENDEDTRANSFER",
        eventextra='{"a_uniqueid":"x\\u0000-1795403264.3","b_name":"PJSIP/a\\u0000-00000001"}',
    )

    assert bridge is not None and bridge.facts["bridge"] == "abc"
    assert transfer is not None
    assert [link.key for link in transfer.links][2:] == [
        "uniqueid x-1795403264.3",
        "channel PJSIP/a-00000001",
    ]


def test_of_a_mixed_batch_the_rows_say_by_what_they_are_told_apart() -> None:
    event = json.dumps(ENTERED).encode()
    row = (HERE / "asterisk/master.csv").read_bytes().splitlines()[0]

    assert asterisk.record_ids(event, "", ASTERISK) == ""
    assert asterisk.record_ids(row, "", ASTERISK) == "uniqueid+sequence"
