"""Another PBX's CSV against the truth of the recorded calls, by every way in."""

import json
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Account
from calls import tasks
from calls.ingest import pipeline
from calls.ingest.following import Follower
from calls.ingest.records import SECOND
from calls.models import Call, InboxRecord, Pbx, TenantCode
from tests.calls.test_mapped_csv import COLUMNS, HEADER, call, line
from tests.conftest import RECORDED
from tests.records import HERE

RECORDED_CALLS = json.loads((HERE / "asterisk/truth.json").read_text())
# Of an internal call to a group, a line has no room for who answered.
TRUTH = [
    each
    for each in RECORDED_CALLS
    if (expected := each["expected"])
    and expected["cdr_alone_is_exact"]
    and not expected["then"]
    and not (expected["kind"] == "internal" and expected["callee"] != expected["answered_by"])
]
KINDS = {"incoming": "przych", "outgoing": "wych", "internal": "wewn"}


def seconds(exact: float | None) -> int:
    return round(exact or 0)


def exported(truth: dict[str, Any]) -> str:
    """The call as a PBX that counts like a person would export it."""
    expected = truth["expected"]
    began = int(truth["linkedids"][0].partition(".")[0])
    came_in = expected["kind"] == "incoming"
    answered = expected["answered_by"]
    wait, talk = seconds(expected["wait_s"]), seconds(expected["talk_s"])
    return line(
        **{
            "ID": truth["id"],
            "Klient": expected["tenant"] or "",
            "Data": f"{datetime.fromtimestamp(began, ZoneInfo('Europe/Warsaw')):%d.%m.%Y %H:%M:%S}",
            "Czas": str(wait + talk),
            "Rozmowa": str(talk),
            "Z numeru": expected["caller"] or "anonymous",
            "Na numer": (expected["did"] if came_in else expected["callee"]) or "",
            "Wewn.": (answered if came_in else expected["caller"]) or "",
            "Kierunek": KINDS[expected["kind"]],
            "Status": "odebrane" if answered else "nieodebrane",
            "Nazwa": "",
        }
    )


@pytest.mark.parametrize("truth", TRUTH, ids=lambda truth: truth["id"])
def test_every_recorded_call_of_one_leg_is_told_as_the_truth_has_it(truth: dict[str, Any]) -> None:
    folded, expected = call(exported(truth)), truth["expected"]

    assert (folded.kind, folded.missed) == (expected["kind"], expected["missed"])
    assert folded.people == ((expected["answered_by"],) if expected["answered_by"] else ())
    assert folded.peer == (
        (expected["caller"] if folded.kind == "incoming" else expected["callee"]) or ""
    )
    assert (folded.wait // SECOND, folded.talk // SECOND) == (
        seconds(expected["wait_s"]),
        seconds(expected["talk_s"]),
    )
    if folded.kind == "outgoing":
        assert [(leg.to, leg.seconds) for leg in folded.paid] == [
            (paid["to"], paid["seconds"]) for paid in expected["paid"]
        ]


CONTENT = "\n".join([HEADER, *map(exported, TRUTH)]).encode() + b"\n"


@pytest.fixture
def other(acme: Account, beta: Account) -> Pbx:
    pbx = Pbx.objects.create(name="other", source="csv", time_zone="Europe/Warsaw", columns=COLUMNS)
    TenantCode.objects.create(pbx=pbx, code="acme", account=acme)
    TenantCode.objects.create(pbx=pbx, code="beta", account=beta)
    return pbx


def by_http(pbx: Pbx, content: bytes, folder: Path) -> None:
    secret = pbx.renew_secret()
    pbx.save()
    response: Any = Client().post(f"/in/other/{secret}/", content, content_type="text/csv")
    assert (response.status_code, response.content) == (
        200,
        f"{len(TRUTH)} stored, 0 known\n".encode(),
    )


def by_import(pbx: Pbx, content: bytes, folder: Path) -> None:
    (folder / "calls.csv").write_bytes(content)
    call_command("import_cdr", str(folder / "calls.csv"), pbx="other", stdout=StringIO())


def by_following(pbx: Pbx, content: bytes, folder: Path) -> None:
    """The file grows while it is read, and not by whole lines."""
    follower = Follower(pbx, folder / "calls.csv")
    for start in range(0, len(content), 700):
        with follower.path.open("ab") as file:
            file.write(content[start : start + 700])
        follower.step(RECORDED)


@pytest.mark.django_db
@pytest.mark.usefixtures("recorded_time")
@pytest.mark.parametrize("way", [by_http, by_import, by_following])
def test_every_way_in_brings_the_same_calls(
    way: Any, other: Pbx, acme: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.fold_inbox, "apply_async", lambda **options: None)

    way(other, CONTENT, tmp_path)
    pipeline.fold_inbox()

    expected = sum(truth["expected"]["tenant"] == "acme" for truth in TRUTH)
    assert Call.objects.filter(account=acme).count() == expected
    assert set(InboxRecord.objects.values_list("state", flat=True)) <= {"folded", "unassigned"}
    assert Pbx.objects.get().record_ids == "id"
