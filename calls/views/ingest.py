"""Where a PBX, or a log shipper beside it, sends records: committed first, then acknowledged."""

import base64
import gzip
import io
import zlib

from django.db import transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from calls.ingest import batches, inbox, source_counts
from calls.ingest.nudging import fold_soon
from calls.ingest.records import CdrError
from calls.ingest.senders import sender
from calls.models import Pbx

MEGABYTE = 1024 * 1024
LARGEST_RECORD = MEGABYTE
LARGEST_BATCH = 10 * MEGABYTE
GZIP = b"\x1f\x8b"


class RefusedError(Exception):
    """What is sent cannot be taken: the answer's status, and what to do."""

    def __init__(self, status: int, advice: str) -> None:
        super().__init__(advice)
        self.status = status


@csrf_exempt
@require_POST
def receive_records(request: HttpRequest, pbx: str, secret: str = "") -> HttpResponse:
    """Take one record or a batch. 2xx means that all of it is stored for good, whatever can be made of it later.

    401: the PBX or its secret is wrong; 400: nothing was sent, or only half of it; 411: no length; 413: too large; 415:
    compressed in an unknown way; 409: this PBX has another feed. Nothing of a refused batch is stored.
    """
    source = sender(pbx, secret or _basic_password(request, pbx))
    if source is None:
        response = _answer("Unknown PBX or wrong secret. Take both from the PBX entry.", 401)
        response["WWW-Authenticate"] = 'Basic realm="callpanel"'
        return response
    try:
        layout, bodies = _records(request, source)
        inbox.check_feed(source, bodies, layout)
    except RefusedError as refused:
        return _answer(str(refused), refused.status)
    except CdrError as error:
        return _answer(str(error), 409)
    with transaction.atomic():
        new = inbox.receive(source, bodies, now=timezone.now(), layout=layout)
        if known := len(bodies) - new:
            source_counts.count_repeated(source, known, timezone.now())
    fold_soon()
    return _answer(f"{new} stored, {known} known", 200)


def _basic_password(request: HttpRequest, name: str) -> str:
    """The password of Basic auth if its user is the PBX's name, '' otherwise."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        user, _, password = base64.b64decode(encoded).decode("utf-8", "replace").partition(":")
    except ValueError:  # Neither base64 nor, perhaps, ASCII.
        return ""
    return password if user == name else ""


def _records(request: HttpRequest, pbx: Pbx) -> tuple[str, list[bytes]]:
    layout, bodies = batches.split(_unpacked(request, _body(request)), pbx.switch)
    if not bodies:
        raise RefusedError(400, "The request has no record: send one CDR in it, or several.")
    if max(map(len, bodies)) > LARGEST_RECORD:
        raise RefusedError(
            413, "A record is larger than 1 MB; a CDR has a few kB. Send one a line."
        )
    return layout, bodies


def _body(request: HttpRequest) -> bytes:
    """The raw body, never a parsed form: FreeSWITCH sometimes names the wrong type."""
    if "Transfer-Encoding" in request.headers:
        raise RefusedError(411, "Send a Content-Length: a body in chunks cannot be taken.")
    length = request.headers.get("Content-Length", "0")
    expected = int(length) if length.isdecimal() else 0
    try:
        body = b"" if expected > LARGEST_BATCH else request.read(LARGEST_BATCH + 1)
    except UnreadablePostError:
        body = b""  # The connection broke.
    if max(expected, len(body)) > LARGEST_BATCH:
        raise RefusedError(413, "The request is larger than 10 MB. Send it in several.")
    if len(body) < expected:
        raise RefusedError(400, "Only a part of the request came. Send it again.")
    return body


def _unpacked(request: HttpRequest, body: bytes) -> bytes:
    """The body without its compression, which may be told by its look alone, and never more than the limit."""
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise RefusedError(415, "Compress with gzip, or not at all.")
    if encoding == "identity" and not body.startswith(GZIP):
        return body
    try:
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(body)).read(LARGEST_BATCH + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RefusedError(400, "The gzip is damaged or not whole. Send it again.") from error
    if len(unpacked) > LARGEST_BATCH:
        raise RefusedError(413, "The request unpacks to more than 10 MB. Send it in several.")
    return unpacked


def _answer(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
