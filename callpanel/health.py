from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """200 if this process answers and reaches its database, 503 if it does not reach it."""
    return HttpResponse("ok\n") if _has_database() else HttpResponse("no database\n", status=503)


def _has_database() -> bool:
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return connection.is_usable()
