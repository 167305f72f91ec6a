"""Reading Asterisk's CSV: the optional columns, the hour that comes twice, and what is cut or escaped."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from calls.ingest.formats.asterisk_csv import parse
from calls.ingest.formats.asterisk_fields import split
from calls.ingest.grouping import components
from calls.ingest.records import SECOND
from tests.records import ASTERISK, HERE

IN_UTC = ASTERISK
IN_WARSAW = replace(ASTERISK, time_zone="Europe/Warsaw")
LINES = (HERE / "asterisk/master.csv").read_bytes().splitlines()
BASE = next(line for line in LINES if b"beta-101-0000001c" in line).split(b',"1795403277.37"')[0]
OPTIONAL = {
    16: b"",
    17: b',"1795403277.37"',
    18: b',"1795403277.37","did=48221234501"',
    19: b',"beta","1795403277.37",28',
    20: b',"1795403277.37","beta","1795403277.37",28',
    21: b',"1795403277.37","did=48221234501","beta","1795403277.37",28',
}


@pytest.mark.parametrize("columns", OPTIONAL)
def test_the_optional_columns_are_told_by_number_and_shape(columns: int) -> None:
    facts = parse(BASE + OPTIONAL[columns], "", IN_UTC).facts

    assert {name: facts.get(name) for name in ("uniqueid", "did", "linkedid", "sequence")} == {
        "uniqueid": "1795403277.37" if columns in {17, 18, 20, 21} else None,
        "did": "48221234501" if columns in {18, 21} else None,
        "linkedid": "1795403277.37" if columns >= 19 else None,
        "sequence": "28" if columns >= 19 else None,
    }


def test_a_userfield_without_a_uniqueid_is_no_uniqueid() -> None:
    facts = parse(BASE + b',"did=48221234501"', "", IN_UTC).facts

    assert (facts.get("uniqueid"), facts["did"]) == (None, "48221234501")


def test_sequence_zero_after_a_restart_is_an_id_like_any_other() -> None:
    line = BASE + OPTIONAL[21].replace(b",28", b",0")

    assert parse(line, "", IN_UTC).key == "1795403277.37/0"


WARSAW = ZoneInfo("Europe/Warsaw")
# 25 October 2026: at this second 03:00 CEST becomes 02:00 CET.
CLOCKS_BACK = int(datetime(2026, 10, 25, 1, 0, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("duration", [30, 3600, 7200])
@pytest.mark.parametrize("offset", [-7200, -3601, -3600, -1800, -13, 0, 13, 1800, 3599, 3600])
def test_in_the_hour_that_comes_twice_the_channels_own_second_and_the_duration_decide(
    offset: int, duration: int
) -> None:
    created = CLOCKS_BACK + offset
    start, answer, end = (
        datetime.fromtimestamp(created + seconds, WARSAW).strftime("%Y-%m-%d %H:%M:%S")
        for seconds in (0, 2, duration)
    )
    line = (
        f'"acme","103","501234567","out","""A"" <103>","PJSIP/acme-103-00000003",'
        f'"PJSIP/carrier-0000000b","Dial","x","{start}","{answer}","{end}",{duration},{duration - 2},'
        f'"ANSWERED","DOCUMENTATION","{created}.3","","acme","{created}.3",3'
    )

    leg = parse(line.encode(), "", IN_WARSAW)

    times = (leg.started, leg.facts["answer"], leg.ended)
    assert times == tuple((created + seconds) * SECOND for seconds in (0, 2, duration))


def test_a_name_cut_in_the_middle_of_a_letter_and_escaped_twice_is_read_as_far_as_it_goes() -> None:
    named = next(line for line in LINES if b"48611000002" in line)
    cut = BASE.replace(b'"Beta sp. z o.o."" <48327654321>', b'"Beta \xc5')

    assert parse(named, "", IN_UTC).facts["name"] == 'Łódź, Biuro "A"; dział sprzedaży'
    assert parse(cut + OPTIONAL[16], "", IN_UTC).facts["name"].startswith("Beta ")


def test_a_withheld_presentation_in_the_userfield_hides_the_caller() -> None:
    line = BASE + b',"1795403277.37","did=48221234501;pres=prohib_passed_screen","beta","1.3",28'

    assert parse(line, "", IN_UTC).facts["hidden"] is True


def test_a_header_line_names_the_columns_in_any_order() -> None:
    content = (HERE / "asterisk/full.csv").read_bytes()
    layout, lines = split(content)

    assert layout.startswith("accountcode,src,dst")
    assert parse(lines[0], layout, IN_WARSAW).started == 1795403264407886


def transfer(channel: str, far: str, linkedid: str, sequence: int, start: int, end: int) -> bytes:
    times = ",".join(f'"2026-11-23 03:00:{second:02}"' for second in (start, start, end))
    return (
        f'"acme","101","103","in","x","{channel}","{far}","Dial","x",{times},{end - start},'
        f'{end - start},"ANSWERED","DOCUMENTATION","{linkedid}","","","{linkedid}",{sequence}'
    ).encode()


def test_the_halves_of_an_attended_transfer_are_joined_by_the_channel_that_they_share() -> None:
    consulted = "PJSIP/acme-103-0000001c"
    legs = [
        parse(
            transfer("PJSIP/carrier-0000001a", "PJSIP/acme-101-0000001b", "1795402800.1", 1, 0, 20),
            "",
            IN_UTC,
        ),
        parse(
            transfer("PJSIP/acme-101-0000001d", consulted, "1795402810.4", 2, 10, 20), "", IN_UTC
        ),
        parse(transfer("PJSIP/carrier-0000001a", consulted, "1795402800.1", 3, 20, 40), "", IN_UTC),
    ]

    assert [len(group) for group in components(legs)] == [3]


def test_the_same_channel_name_after_a_restart_of_asterisk_joins_nothing() -> None:
    channel, far = "PJSIP/carrier-00000001", "PJSIP/acme-101-00000002"
    legs = [
        parse(transfer(channel, far, "1795402800.1", 1, 0, 20), "", IN_UTC),
        parse(transfer(channel, far, "1795402850.1", 1, 50, 59), "", IN_UTC),
    ]

    assert [len(group) for group in components(legs)] == [1, 1]


def test_channels_of_cards_are_used_again_at_once_and_join_nothing() -> None:
    legs = [
        parse(transfer("DAHDI/1-1", "DAHDI/2-1", "1795402800.1", 1, 0, 20), "", IN_UTC),
        parse(transfer("DAHDI/1-1", "DAHDI/2-1", "1795402820.3", 2, 20, 30), "", IN_UTC),
    ]

    assert [len(group) for group in components(legs)] == [1, 1]


def test_times_are_read_in_the_zone_of_the_pbx() -> None:
    line = transfer("PJSIP/carrier-0000001a", "PJSIP/acme-101-0000001b", "x", 1, 0, 20)
    hour = 3600 * SECOND

    read = {zone.time_zone: parse(line, "", zone).started for zone in (IN_UTC, IN_WARSAW)}

    assert read["UTC"] - read["Europe/Warsaw"] == hour
