"""The command import_cdr: files in, what became of them out."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from calls.models import Call, InboxRecord, Pbx
from tests.records import HERE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]
MASTER = HERE / "asterisk/master.csv"
FULL = HERE / "asterisk/full.csv"
JSON = sorted((HERE / "freeswitch/json").iterdir())


def run(pbx: str, *files: Path) -> list[str]:
    out = StringIO()
    call_command("import_cdr", *map(str, files), pbx=pbx, stdout=out)
    return out.getvalue().splitlines()


def calls_of(account: Account) -> int:
    return Call.objects.filter(account=account, provisional=False).count()


def test_a_master_csv_becomes_the_calls_of_both_its_tenants(
    asterisk: Pbx, acme: Account, beta: Account
) -> None:
    said = run("asterisk", MASTER)

    assert said == [
        "96 records read, 96 of them new, 0 known already.",
        "+95 folded",
        "+1 unassigned",
    ]
    assert (calls_of(acme), calls_of(beta)) == (49, 4)


def test_a_file_with_a_header_and_local_times_becomes_the_same_calls(
    asterisk: Pbx, acme: Account, beta: Account
) -> None:
    run("asterisk", MASTER)
    fields = ("account", "started_at", "id", "kind", "people", "peer", "own_number")
    by_master = list(Call.objects.order_by("pk").values(*fields))
    for table in (Call, InboxRecord):
        table.objects.all().delete()
    Pbx.objects.update(time_zone="Europe/Warsaw")

    run("asterisk", FULL)

    assert list(Call.objects.order_by("pk").values(*fields)) == by_master


def test_freeswitch_files_become_calls(freeswitch: Pbx, acme: Account) -> None:
    said = run("freeswitch", *JSON)

    assert said == [
        "72 records read, 72 of them new, 0 known already.",
        "+71 folded",
        "+1 unassigned",
    ]
    assert calls_of(acme) == 30


def test_plain_and_encoded_values_of_the_same_call_are_one_call(freeswitch: Pbx) -> None:
    run("freeswitch", *sorted((HERE / "freeswitch/json_plain").iterdir()))
    plain = list(Call.objects.order_by("pk").values("started_at", "id", "peer", "people"))

    run("freeswitch", *JSON)

    both = Call.objects.filter(id__in=[call["id"] for call in plain]).order_by("pk")
    assert list(both.values("started_at", "id", "peer", "people")) == plain
    assert Call.objects.count() == 30


def test_the_same_file_again_is_known_already(asterisk: Pbx) -> None:
    run("asterisk", MASTER)

    assert run("asterisk", MASTER) == ["96 records read, 0 of them new, 96 known already."]


def without_ids(tmp_path: Path) -> Path:
    """A Master.csv as written with loguniqueid=no and newcdrcolumns=no."""
    lines = MASTER.read_text().splitlines()
    short = tmp_path / "short.csv"
    short.write_text(
        "\n".join(line.split(',"DOCUMENTATION"')[0] + ',"DOCUMENTATION"' for line in lines)
    )
    return short


def test_a_feed_without_ids_still_folds_by_the_names_of_channels(
    asterisk: Pbx, acme: Account, tmp_path: Path
) -> None:
    run("asterisk", without_ids(tmp_path))

    ring_group = Call.objects.get(account=acme, peer="+48603000001")
    assert (ring_group.people, ring_group.extensions) == (["102"], ["101", "102", "103"])


def test_a_second_feed_of_the_same_calls_under_other_ids_is_refused(
    asterisk: Pbx, tmp_path: Path
) -> None:
    run("asterisk", MASTER)

    with pytest.raises(CommandError, match=r"uniqueid\+sequence as ids, these carry content"):
        run("asterisk", without_ids(tmp_path))
    assert Call.objects.count() == 53


def test_a_second_feed_with_the_same_ids_is_the_same_calls(asterisk: Pbx) -> None:
    run("asterisk", MASTER)
    Pbx.objects.update(time_zone="Europe/Warsaw")

    said = run("asterisk", FULL)

    assert said[0] == "96 records read, 96 of them new, 0 known already."
    assert Call.objects.count() == 53


def test_a_file_of_another_kind_of_pbx_is_refused(asterisk: Pbx) -> None:
    with pytest.raises(CommandError, match="asterisk is set up for asterisk-csv"):
        run("asterisk", JSON[0])


def test_an_unknown_pbx_is_told_with_the_known_ones(asterisk: Pbx) -> None:
    with pytest.raises(CommandError, match="no PBX entry 'other'; there are: asterisk"):
        run("other", MASTER)


def test_a_missing_file_is_told(asterisk: Pbx) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run("asterisk", Path("nowhere.csv"))


def test_times_in_another_zone_than_the_entrys_are_set_aside_with_what_to_do(
    asterisk: Pbx,
) -> None:
    Pbx.objects.update(time_zone="Europe/Warsaw")

    run("asterisk", MASTER)

    reasons = set(InboxRecord.objects.values_list("state", "reason"))
    assert reasons == {("quarantined", "wrong_zone")}
    assert "Europe/Warsaw" in InboxRecord.objects.all()[0].message


@pytest.mark.parametrize(
    "line",
    [
        b'"only","three","fields"',
        b'"unclosed',
        b"",
        MASTER.read_bytes().splitlines()[0].replace(b",7,5,", b",7,-5,"),
        MASTER.read_bytes().splitlines()[0].replace(b",7,5,", b",soon,5,"),
        MASTER.read_bytes().splitlines()[0].replace(b"2026-11-23 03:07:44", b"1970-01-01 00:00:00"),
        MASTER.read_bytes().splitlines()[0].replace(b"2026-11-23 03:07:44", b"2106-02-07 06:28:15"),
        MASTER.read_bytes().splitlines()[0].replace(b"2026-11-23 03:07:44", b"yesterday"),
    ],
)
def test_a_line_that_makes_no_sense_is_set_aside_and_the_others_are_taken(
    asterisk: Pbx, tmp_path: Path, line: bytes
) -> None:
    good = MASTER.read_bytes().splitlines()[1]
    mixed = tmp_path / "mixed.csv"
    mixed.write_bytes(line + b"\n" + good + b"\n")

    run("asterisk", mixed)

    assert Call.objects.count() == 1
    aside = InboxRecord.objects.filter(state="quarantined")
    assert [bytes(record.body) for record in aside] == ([line] if line else [])
