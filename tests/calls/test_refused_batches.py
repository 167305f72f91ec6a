"""What the address for records refuses as a whole: damaged packing, too much, nothing, half of it."""

import gzip
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from calls import tasks
from calls.models import InboxRecord, Pbx
from calls.views.ingest import LARGEST_BATCH
from tests.calls.test_batches import MASTER, address_of, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.fold_inbox, "apply_async", lambda **options: None)


@pytest.fixture
def address(asterisk: Pbx) -> str:
    return address_of(asterisk)


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(MASTER)[:-20],
        gzip.compress(MASTER)[:200],
        gzip.compress(MASTER)[:-6] + b"\x00\x00\x00\x00\x00\x00",
        gzip.compress(MASTER)[:300] + b"damage" + gzip.compress(MASTER)[306:],
        b"\x1f\x8b",
        MASTER,
    ],
    ids=["half sent", "cut early", "wrong checksum", "damaged", "magic alone", "not packed at all"],
)
def test_a_damaged_or_half_sent_gzip_is_refused_and_nothing_of_it_stored(
    client: Client, address: str, body: bytes
) -> None:
    status, said = post(client, address, body, **{"Content-Encoding": "gzip"})

    assert (status, said) == (400, "The gzip is damaged or not whole. Send it again.")
    assert not InboxRecord.objects.exists()


def test_a_gzip_that_nothing_labels_is_seen(client: Client, address: str) -> None:
    assert post(client, address, gzip.compress(MASTER)) == (200, "96 stored, 0 known")


def test_several_gzips_in_a_row_are_one(client: Client, address: str) -> None:
    body = gzip.compress(MASTER[:5000]) + gzip.compress(MASTER[5000:])

    assert post(client, address, body) == (200, "96 stored, 0 known")


def test_a_bomb_is_refused_without_being_unpacked_further_than_the_limit(
    client: Client, address: str
) -> None:
    bomb = gzip.compress(b"\n" * 100 * 1024 * 1024, compresslevel=1)

    status, said = post(client, address, bomb)

    assert (status, said) == (413, "The request unpacks to more than 10 MB. Send it in several.")


@pytest.mark.parametrize(
    ("body", "status", "advice"),
    [
        (b"x" * (LARGEST_BATCH + 1), 413, "The request is larger than 10 MB. Send it in several."),
        (
            b"1\n" + b"x" * 1024 * 1024 + b"y\n",
            413,
            "A record is larger than 1 MB; a CDR has a few kB. Send one a line.",
        ),
        (b"[]", 400, "The request has no record: send one CDR in it, or several."),
        (b"\n\n", 400, "The request has no record: send one CDR in it, or several."),
    ],
)
def test_what_is_too_large_or_nothing_is_refused_with_what_to_do(
    client: Client, address: str, body: bytes, status: int, advice: str
) -> None:
    assert post(client, address, body) == (status, advice)
    assert not InboxRecord.objects.exists()


def test_a_body_of_which_only_a_part_came_is_refused(client: Client, address: str) -> None:
    half: dict[str, Any] = {
        "wsgi.input": io.BytesIO(MASTER[:3000]),
        "CONTENT_LENGTH": str(len(MASTER)),
    }

    response: Any = client.generic("POST", address, b"", "text/plain", **half)

    assert (response.status_code, InboxRecord.objects.count()) == (400, 0)


def test_an_unknown_compression_is_refused(client: Client, address: str) -> None:
    status, said = post(client, address, MASTER, **{"Content-Encoding": "zstd"})

    assert (status, said) == (415, "Compress with gzip, or not at all.")


def test_a_batch_is_stored_as_a_whole_or_not_at_all(client: Client, address: str) -> None:
    client.raise_request_exception = False
    body = MASTER + b"\n".join(b'"%d"' % number for number in range(1500))
    stored: list[int] = []

    def failing(execute: Any, statement: Any, *rest: Any) -> Any:
        if "INSERT INTO calls_inboxrecord" not in str(statement):
            return execute(statement, *rest)
        if stored:
            raise RuntimeError("the disk is full")
        result = execute(statement, *rest)
        stored.append(InboxRecord.objects.count())
        return result

    with connection.execute_wrapper(failing):
        status = post(client, address, body)[0]

    assert (status, stored, InboxRecord.objects.count()) == (500, [1000], 0)
