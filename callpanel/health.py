from django.db import connection
from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """200 if this process answers and reaches its database, 503 if it does not reach it."""
    connection.ensure_connection()
    usable = connection.is_usable()
    return HttpResponse("ok\n" if usable else "no database\n", status=200 if usable else 503)
