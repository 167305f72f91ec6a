"""Where a PBX sends its records: committed first, then acknowledged."""

import base64

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from calls.ingest import inbox, source_counts
from calls.ingest.nudging import fold_soon
from calls.ingest.records import CdrError
from calls.models import Pbx

LARGEST_BODY = 1024 * 1024


@csrf_exempt
@require_POST
def receive_record(request: HttpRequest, pbx: str, secret: str = "") -> HttpResponse:
    """Take one record. 2xx means that it is stored for good, whatever can be made of it later.

    401: the PBX or its secret is wrong; 400: nothing was sent; 411: no length; 413: too large; 409: this PBX has
    another feed.
    """
    source = Pbx.authenticated(pbx, secret or _basic_password(request, pbx))
    if source is None:
        response = _answer("Unknown PBX or wrong secret. Take both from the PBX entry.", 401)
        response["WWW-Authenticate"] = 'Basic realm="callpanel"'
        return response
    if "Transfer-Encoding" in request.headers:
        return _answer("Send a Content-Length: a body in chunks cannot be taken.", 411)
    body = _body(request)
    if body is None:
        return _answer(
            "The record is larger than 1 MB; a CDR has a few kB. Send one a request.", 413
        )
    if not body.strip():
        return _answer("The request has no body: send one CDR in it.", 400)
    return _store(source, body)


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


def _body(request: HttpRequest) -> bytes | None:
    """The raw body, never a parsed form: FreeSWITCH sometimes names the wrong type. None if it is too large."""
    length = request.headers.get("Content-Length", "0")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        return None
    body = request.read(LARGEST_BODY + 1)
    return None if len(body) > LARGEST_BODY else body


def _store(pbx: Pbx, body: bytes) -> HttpResponse:
    source = inbox.source_of(body)
    # What is no JSON at all is kept like any other: the operator sees it with its reason, nothing is lost.
    readable = source == "freeswitch-json" or pbx.source != "freeswitch-json"
    try:
        if readable:
            inbox.check_feed(pbx, source, inbox.record_ids(source, [body], ""))
    except CdrError as error:
        return _answer(str(error), 409)
    with transaction.atomic():
        new = inbox.receive(pbx, [body], now=timezone.now())
        if not new:
            source_counts.count_repeated(pbx, 1, timezone.now())
    fold_soon()
    return _answer("stored" if new else "stored before", 200)


def _answer(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
