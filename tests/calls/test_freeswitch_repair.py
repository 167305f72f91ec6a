"""encode=true with encode-values=true: FreeSWITCH breaks its own JSON, and what is certain is read all the same."""

import json
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.ingest.formats.freeswitch_json import read
from calls.ingest.records import CdrError
from tests.calls.freeswitch_encoder import encoded_twice
from tests.records import HERE

RECORDED = sorted((HERE / "freeswitch/json").iterdir())
BODY = RECORDED[0].read_bytes()
DISPLAY = '"sip_from_display":"'


def is_json(text: bytes) -> bool:
    try:
        json.loads(text, strict=False)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_recorded_channel_is_read_from_the_broken_form(path: Path) -> None:
    body = path.read_bytes()
    broken = encoded_twice(body)

    assert not is_json(unquote_to_bytes(broken.removeprefix(b"cdr=")))
    assert read(broken) == read(body)


def test_the_same_in_a_fallback_file_that_has_no_cdr_before_it() -> None:
    assert read(encoded_twice(BODY).removeprefix(b"cdr=") + b"\n") == read(BODY)


def calling_himself(name: str) -> bytes:
    """The record of a caller with this display name, as it stands in two variables."""
    text = BODY.decode()
    assert DISPLAY in text
    value = quote(name, safe="/,'()!*~")
    twice = f'{DISPLAY}{value}","sip_full_from":"{value}'
    head, _, tail = text.partition(DISPLAY)
    rest = tail.partition('","sip_full_from":"')[2].partition('"')[2]
    return encoded_twice(f'{head}{twice}"{rest}'.encode())


@pytest.mark.parametrize(
    "name",
    [
        'Anna "Biuro" Nowak',
        "C:\\temp\\new",
        "{[(,)]}",
        'a":"b',
        '","',
        "100%",
        'x"},"callflow":[{"caller_profile":{}}],"y":{"z":"',
    ],
)
def test_odd_names_cost_nothing(name: str) -> None:
    assert read(calling_himself(name)) == read(BODY)


@pytest.mark.parametrize(
    "name",
    [
        'x","uuid":"00000000-0000-0000-0000-000000000000',
        'x","start_uepoch":"1","y":"z',
        'x","accountcode":"beta',
    ],
)
def test_who_calls_himself_like_a_part_of_the_record_is_set_aside(name: str) -> None:
    with pytest.raises(CdrError, match=r"set encode=false|says twice") as caught:
        read(calling_himself(name))
    assert caught.value.code == "not_json"


@given(name=st.text(alphabet='",:{}[]\\ab%\n', max_size=30))
def test_a_name_is_never_taken_for_an_id_or_a_time(name: str) -> None:
    try:
        channel = read(calling_himself(name))
    except CdrError as error:
        assert error.code == "not_json"
    else:
        assert channel == read(BODY)


@pytest.mark.parametrize("variable", ["start_uepoch", "answer_uepoch", "end_uepoch", "uuid"])
def test_a_time_or_id_that_the_callflow_contradicts_is_not_believed(variable: str) -> None:
    value = json.loads(BODY)["variables"][variable]
    other = BODY.replace(f'"{variable}":"{value}"'.encode(), f'"{variable}":"17954036"'.encode(), 1)
    assert other != BODY

    with pytest.raises(CdrError, match="set encode=false"):
        read(encoded_twice(other))


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.999])
def test_a_broken_form_that_was_cut_is_set_aside(kept: float) -> None:
    broken = encoded_twice(BODY)

    with pytest.raises(CdrError):
        read(broken[: int(len(broken) * kept)])


def test_a_name_that_comes_twice_is_not_believed_in_sound_json_either() -> None:
    twice = BODY.replace(
        b'"variables":{', b'"variables":{"accountcode":"beta","accountcode":"beta",'
    )

    with pytest.raises(CdrError, match="says twice what its 'accountcode' is"):
        read(twice)
