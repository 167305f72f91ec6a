"""Typed readers of environment variables. A value that makes no sense stops the start, with a message that names it."""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

MAIL_BACKENDS = {"smtp": "smtp", "smtps": "smtp", "console": "console"}
MAIL_PORTS = {"smtp": 25, "smtps": 465, "console": 0}
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str | None = None) -> str:
    """The variable's value; without a default it has to be there and not empty."""
    value = os.environ.get(name) or default
    if value is None:
        raise ImproperlyConfigured(f"Set the environment variable {name}.")
    return value


def boolean(name: str, *, default: bool) -> bool:
    value = os.environ.get(name)
    return default if value is None else _truth(name, value)


def _truth(name: str, value: str) -> bool:
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}: write true or false.")


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def database(name: str) -> dict[str, Any]:
    """Django's database settings out of ``postgresql://user:password@host:port/dbname?option=value``."""
    try:
        url = urlsplit(text(name))
        port = url.port
    except ValueError:
        # from None: the error may show a piece of the password.
        raise ImproperlyConfigured(
            f"{name} is no postgresql://user:password@host:port/dbname: special characters in it are percent-encoded."
        ) from None
    if url.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"{name} has to begin with postgresql:// (callpanel needs PostgreSQL 15 or newer)."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(port or ""),
        "OPTIONS": dict(parse_qsl(url.query)),
    }


@dataclass(frozen=True, slots=True)
class Mail:
    """Through which server mails go; ``tls`` is STARTTLS, ``ssl`` is TLS from the first byte."""

    backend: str
    host: str
    port: int
    user: str
    password: str
    tls: bool
    ssl: bool


def mail(name: str, default: str) -> Mail:
    """``smtp://user:password@host:587/?tls=1``, ``smtps://user:password@host`` or ``console://`` (into the log)."""
    try:
        url = urlsplit(text(name, default))
        port = url.port
    except ValueError:
        raise _no_mail_server(name) from None
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if url.scheme not in MAIL_BACKENDS or options.keys() - {"tls"}:
        raise _no_mail_server(name)
    if (url.hostname is None) != (url.scheme == "console"):
        raise _no_mail_server(name)
    return Mail(
        backend=f"django.core.mail.backends.{MAIL_BACKENDS[url.scheme]}.EmailBackend",
        host=unquote(url.hostname or ""),
        port=port or MAIL_PORTS[url.scheme],
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        tls=url.scheme == "smtp" and _truth(name, options.get("tls", "")),
        ssl=url.scheme == "smtps",
    )


def _no_mail_server(name: str) -> ImproperlyConfigured:
    # Nothing of the value: it may hold a password.
    return ImproperlyConfigured(
        f"{name} is no smtp://user:password@host:587/?tls=1, smtps://user:password@host or console://:"
        " special characters in it are percent-encoded."
    )
