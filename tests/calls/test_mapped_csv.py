"""The CSV of any other PBX, through the columns that its PBX entry names."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from calls.ingest import batches
from calls.ingest.columns import Columns
from calls.ingest.folding import fold
from calls.ingest.formats.mapped_csv import parse
from calls.ingest.records import SECOND, CdrError, FoldedCall, Leg, PaidLeg, Switch
from tests.calls.seen import Seen, incoming, internal, missed, outgoing, seen

COLUMNS: dict[str, Any] = {
    "start": "Data",
    "duration": "Czas",
    "talk": "Rozmowa",
    "caller": "Z numeru",
    "called": "Na numer",
    "extension": "Wewn.",
    "direction": "Kierunek",
    "disposition": "Status",
    "id": "ID",
    "call": "Połączenie",
    "account": "Klient",
    "name": "Nazwa",
    "directions": {"przych": "incoming", "wych": "outgoing", "wewn": "internal"},
    "answers": ["odebrane"],
}
HEADER = "ID;Połączenie;Klient;Data;Czas;Rozmowa;Z numeru;Na numer;Wewn.;Kierunek;Status;Nazwa"
SWITCH = Switch("csv", (), time_zone="Europe/Warsaw", columns=Columns.from_json(COLUMNS))
START = int(datetime(2026, 11, 23, 3, 7, 44, tzinfo=UTC).timestamp()) * SECOND


def line(**values: str) -> str:
    """An incoming call of a minute that 101 answered after five seconds, unless the values say otherwise."""
    fields = {
        "ID": "17",
        "Połączenie": "",
        "Klient": "acme",
        "Data": "23.11.2026 04:07:44",
        "Czas": "65",
        "Rozmowa": "60",
        "Z numeru": "601000001",
        "Na numer": "48221234501",
        "Wewn.": "101",
        "Kierunek": "przych",
        "Status": "Odebrane",
        "Nazwa": '"Kowalski; Jan"',
        **values,
    }
    return ";".join(fields.values())


def legs(*lines: str, switch: Switch = SWITCH) -> list[Leg]:
    layout, bodies = batches.split("\n".join([HEADER, *lines]).encode(), switch)
    return [parse(body, layout, switch) for body in bodies]


def call(*lines: str) -> FoldedCall:
    return fold(legs(*lines), SWITCH)


def as_seen(*lines: str) -> list[Seen]:
    return seen(legs(*lines), SWITCH)


def test_an_incoming_call() -> None:
    assert as_seen(line()) == [
        incoming("+48601000001", "101", "101", did="+48221234501", wait=5, talk=60)
    ]
    assert (call(line()).peer_name, call(line()).tenants) == ("Kowalski; Jan", ("acme",))


def test_an_outgoing_call_is_paid_by_its_talking_seconds() -> None:
    dialled = line(**{"Kierunek": "wych", "Z numeru": "103", "Na numer": "0501234567", "Wewn.": ""})

    assert as_seen(dialled) == [
        outgoing(
            "103",
            "+48501234567",
            "+48501234567",
            wait=5,
            talk=60,
            paid=(("+48501234567", 60),),
        )
    ]
    assert call(dialled).paid == (PaidLeg("17", "+48501234567", START + 5 * SECOND, 60),)


def test_an_internal_call() -> None:
    dialled = line(**{"Kierunek": "wewn", "Z numeru": "103", "Na numer": "101", "Wewn.": "103"})

    assert as_seen(dialled) == [internal("103", "101", "101", wait=5, talk=60)]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("NO ANSWER", "no_answer"),
        ("Busy here", "busy"),
        ("rejected", "rejected"),
        ("CANCELLED", "cancelled"),
        ("failed", "failed"),
        ("Voicemail", "voicemail"),
        ("", "no_answer"),
    ],
)
def test_a_missed_call_and_its_reason(status: str, outcome: str) -> None:
    lost = line(Status=status, Rozmowa="0", Czas="20")

    assert as_seen(lost) == [missed("+48601000001", "101", outcome, did="+48221234501", wait=20)]


def test_lines_with_the_same_call_id_are_one_call() -> None:
    """102 was rung in vain, 101 forwards to a mobile, which answers."""
    first = line(
        ID="1", Połączenie="c1", Status="no answer", Rozmowa="0", Czas="10", **{"Wewn.": "102"}
    )
    mobile = {"Data": "23.11.2026 04:07:54", "Z numeru": "101", "Na numer": "501234567"}
    second = line(ID="2", Połączenie="c1", Kierunek="wych", **mobile)
    other = line(ID="3", Połączenie="c2")

    forwarded, single = as_seen(second, first, other)

    assert forwarded == incoming(
        "+48601000001",
        "101",
        "+48501234567",
        did="+48221234501",
        wait=15,
        talk=60,
        paid=(("+48501234567", 60),),
    )
    assert single.people == ("101",)


def test_without_a_direction_the_numbers_tell_it() -> None:
    kinds = [
        call(line(**{"Kierunek": "", "Z numeru": caller, "Na numer": called})).kind
        for caller, called in [
            ("601000001", "48221234501"),
            ("101", "601-000-001"),
            ("101", "102"),
            ("601-000-001", "101"),
            ("101", "112"),
        ]
    ]

    assert kinds == ["incoming", "outgoing", "internal", "incoming", "outgoing"]


def test_a_hidden_caller_stays_hidden() -> None:
    hidden = call(line(**{"Z numeru": "Anonymous"}))

    assert (hidden.hidden, hidden.peer, hidden.peer_name) == (True, "", "")


@pytest.mark.parametrize(
    "written",
    [
        "23.11.2026 04:07:44",
        "23.11.2026 4:07:44",
        "2026-11-23 04:07:44",
        "2026-11-23T04:07:44",
        "2026-11-23T03:07:44Z",
        "2026-11-23T05:07:44+02:00",
        "1795403264",
        "1795403264.000",
        "1795403264000",
    ],
)
def test_the_ways_to_write_a_time(written: str) -> None:
    assert legs(line(Data=written))[0].started == START


def test_a_time_without_seconds() -> None:
    assert legs(line(Data="23.11.2026 04:07"))[0].started == START - 44 * SECOND


def test_a_time_written_in_the_entrys_own_way() -> None:
    columns = Columns.from_json({**COLUMNS, "time_format": "%m/%d/%Y %I:%M:%S %p"})

    leg = legs(line(Data="11/23/2026 04:07:44 AM"), switch=replace(SWITCH, columns=columns))[0]

    assert leg.started == START


@pytest.mark.parametrize(
    "written", ["65", "65.9", "65,9", "1:05", "01:05", "0:01:05", "00:01:05.4"]
)
def test_the_ways_to_write_a_duration(written: str) -> None:
    leg = legs(line(Czas=written))[0]

    assert leg.ended - leg.started == 65 * SECOND


def test_an_end_is_as_good_as_a_duration_and_right_in_the_hour_that_comes_twice() -> None:
    columns = Columns.from_json({**COLUMNS, "end": "Klient"})
    switch = replace(SWITCH, columns=columns)
    over = line(Data="25.10.2026 02:59:47", Czas="33", Rozmowa="30", Klient="25.10.2026 02:00:20")

    leg = legs(over, switch=switch)[0]

    assert leg.ended - leg.started == 33 * SECOND


def test_where_the_talking_time_is_not_told_it_is_an_estimate() -> None:
    columns = Columns.from_json({name: COLUMNS[name] for name in COLUMNS if name != "talk"})
    switch = replace(SWITCH, columns=columns)

    folded = fold(legs(line(), switch=switch), switch)

    assert (folded.wait, folded.talk // SECOND, folded.estimated) == (0, 65, True)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_seen(delimiter: str) -> None:
    named = HEADER.replace(";", delimiter), line(Nazwa="x").replace(";", delimiter)

    layout, bodies = batches.split("\n".join(named).encode(), SWITCH)

    assert parse(bodies[0], layout, SWITCH) == legs(line(Nazwa="x"))[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1250"])
def test_polish_letters_in_either_encoding(encoding: str) -> None:
    content = f"{HEADER}\r\n{line(Nazwa='Żółć')}\r\n".encode(encoding)

    layout, bodies = batches.split(content, SWITCH)

    assert parse(bodies[0], layout, SWITCH).facts["name"] == "Żółć"


def test_columns_by_their_numbers_need_no_header() -> None:
    numbers = {
        name: HEADER.split(";").index(COLUMNS[name]) + 1
        for name in COLUMNS
        if isinstance(COLUMNS[name], str)
    }
    columns = Columns.from_json({**COLUMNS, **numbers})
    switch = replace(SWITCH, columns=columns)
    content = f"{line()}\n{line(ID='18')}\n".encode()

    layout, bodies = batches.split(content, switch)

    assert (layout, [parse(body, layout, switch).key for body in bodies]) == ("", ["17", "18"])
    assert parse(bodies[0], layout, switch) == legs(line())[0]


def test_without_an_id_the_line_itself_is_its_key() -> None:
    keys = [leg.key for leg in legs(line(ID=""), line(ID=""), line(ID="", Czas="66"))]

    assert keys[0] == keys[1] != keys[2]
    assert keys[0].startswith("row-")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (line(Data="yesterday"), "bad_times", "'yesterday' is no time"),
        (line(Data="31.02.2026 04:07"), "bad_times", "is no time"),
        (line(Data=""), "bad_times", "'' is no time"),
        (line(Czas="soon"), "bad_number", "duration is 'soon'"),
        (line(Czas="99999999"), "bad_number", "duration is 99999999 seconds"),
        (line(Kierunek="sideways"), "bad_direction", "'sideways' is not known"),
        ("17;acme", "other_shape", "2 fields where 12 belong"),
        (line(Nazwa='"x" y'), "other_shape", "no CSV record"),
    ],
)
def test_a_line_that_makes_no_sense_says_what_is_wrong(text: str, code: str, said: str) -> None:
    with pytest.raises(CdrError, match=said) as caught:
        legs(text)
    assert caught.value.code == code


def test_a_line_without_a_header_says_so() -> None:
    with pytest.raises(CdrError, match="Send the header with each file or batch") as caught:
        parse(line().encode(), "", SWITCH)
    assert caught.value.code == "no_header"


def test_a_header_without_one_of_the_columns_says_which() -> None:
    with pytest.raises(CdrError, match="There is no column 'Czas'"):
        parse(line().encode(), HEADER.replace("Czas", "Zegar"), SWITCH)


@pytest.mark.parametrize(
    "first", [line(Nazwa="Data"), line(**{"Z numeru": "ID"}), line(Nazwa='"x" y')]
)
def test_a_line_that_holds_the_name_of_a_column_or_is_damaged_is_no_header(first: str) -> None:
    assert batches.split(f"{first}\n{line()}\n".encode(), SWITCH) == (
        "",
        [first.encode(), line().encode()],
    )


def test_a_header_may_lack_a_column_that_a_call_can_do_without() -> None:
    header = HEADER.replace("Nazwa", "Imię")

    assert batches.split(f"{header}\n{line()}\n".encode(), SWITCH) == (header, [line().encode()])


def test_an_entry_without_columns_says_so() -> None:
    with pytest.raises(CdrError, match="does not say which columns") as caught:
        parse(line().encode(), HEADER, replace(SWITCH, columns=Columns()))
    assert caught.value.code == "no_columns"
