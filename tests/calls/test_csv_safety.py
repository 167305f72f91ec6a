"""Files for a spreadsheet, whatever people and PBXes wrote: no cell is run as a formula, none is lost."""

import csv
import io
import re
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from calls import exports
from calls.models import Call
from tests.builders import make_call

pytestmark = pytest.mark.django_db
COLUMNS = ("cost",)
WARSAW = ZoneInfo("Europe/Warsaw")

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
wicked = st.one_of(
    texts,
    st.builds("{}{}".format, st.sampled_from("=+-@\t\r;\"'"), texts),
    st.sampled_from(["=1+1", "@SUM(A1)", "+48501234567", "0501234567", "-5", '="x"', "٤٨"]),
)


def as_text(text: str) -> str:
    return f"'{text}" if re.match(r"[=+\-@\t\r]", text) else text


def as_number(text: str) -> str:
    """The one formula that we write ourselves: a number that has to keep its + or its leading zero."""
    return f'="{text}"' if re.fullmatch(r"\+?[0-9]+", text) else as_text(text)


def rows_of(dialect: exports.Dialect) -> list[list[str]]:
    with override("pl"):
        content = b"".join(exports.lines(Call.objects.all(), COLUMNS, dialect, WARSAW))
    text = content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(peer=wicked, name=wicked, extension=wicked, people=st.lists(wicked, max_size=2))
def test_no_cell_is_run_and_the_plain_file_holds_every_text_as_it_is(
    acme: Account, peer: str, name: str, extension: str, people: list[str]
) -> None:
    Call.objects.all().delete()
    make_call(acme, peer=peer, peer_name=name, extension=extension, people=people)

    (header, for_excel), (plain_header, plain) = rows_of(exports.EXCEL), rows_of(exports.PLAIN)

    assert header == plain_header
    assert len(header) == len(for_excel) == len(plain)
    assert plain[5:9] == [peer, name, extension, " → ".join(people)]
    assert for_excel[5:9] == [
        as_number(plain[5]),
        as_text(plain[6]),
        as_number(plain[7]),
        as_number(plain[8]),
    ]


@pytest.mark.parametrize(
    ("people", "cell"),
    [
        (["+48501234567"], '="+48501234567"'),
        (["101", "102"], "101 → 102"),
        (["+48501234567", "102"], "'+48501234567 → 102"),
        (["=cmd()"], "'=cmd()"),
        ([], ""),
    ],
)
def test_who_answered_is_kept_as_text_like_every_other_number(
    acme: Account, people: list[str], cell: str
) -> None:
    make_call(acme, people=people)

    assert rows_of(exports.EXCEL)[1][8] == cell
