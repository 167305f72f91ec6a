"""Settings out of the environment: what is read, and what stops the start with its name."""

from traceback import format_exception
from typing import Any
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callpanel import env

many = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SETTING", raising=False)


def test_a_text_is_what_is_set_or_else_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.text("SETTING", "default") == "default"
    monkeypatch.setenv("SETTING", " as it is ")
    assert [env.text("SETTING"), env.text("SETTING", "default")] == [" as it is "] * 2


@pytest.mark.parametrize("value", [None, ""])
def test_a_text_that_has_to_be_there_is_asked_for_by_its_name(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("SETTING", value)

    with pytest.raises(ImproperlyConfigured, match="Set the environment variable SETTING"):
        env.text("SETTING")
    assert env.text("SETTING", "default") == "default"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((value, True) for value in ("1", "true", "True", "YES", "on")),
        *((value, False) for value in ("0", "false", "FALSE", "no", "Off", "")),
    ],
)
@pytest.mark.parametrize("default", [True, False])
def test_a_boolean_is_written_in_many_ways(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: bool, default: bool
) -> None:
    assert env.boolean("SETTING", default=default) is default
    monkeypatch.setenv("SETTING", value)
    assert env.boolean("SETTING", default=default) is expected


@pytest.mark.parametrize("value", ["maybe", "2", " true", "tak"])
def test_a_boolean_that_could_be_either_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("SETTING", value)

    with pytest.raises(ImproperlyConfigured, match=f"SETTING is '{value}': write true or false"):
        env.boolean("SETTING", default=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ["localhost", "[::1]"]),
        ("", []),
        (" , ", []),
        ("panel.example.com", ["panel.example.com"]),
        (" a.example , b.example,", ["a.example", "b.example"]),
    ],
)
def test_words_stand_between_commas(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: list[str]
) -> None:
    if value is not None:
        monkeypatch.setenv("SETTING", value)

    assert env.words("SETTING", "localhost,[::1]") == expected


def database(**parts: Any) -> dict[str, Any]:
    empty = {"NAME": "", "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "OPTIONS": {}}
    return {"ENGINE": "django.db.backends.postgresql", **empty, **parts}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://me:secret@db.example:5433/calls?sslmode=require&application_name=x%20y",
            database(
                NAME="calls",
                USER="me",
                PASSWORD="secret",
                HOST="db.example",
                PORT="5433",
                OPTIONS={"sslmode": "require", "application_name": "x y"},
            ),
        ),
        ("postgres:///calls", database(NAME="calls")),
        ("postgresql://me@localhost/calls", database(NAME="calls", USER="me", HOST="localhost")),
        ("postgresql://[::1]:5432/calls", database(NAME="calls", HOST="::1", PORT="5432")),
        ("postgresql://%2Frun%2FMyDb/calls", database(NAME="calls", HOST="/run/MyDb")),
    ],
)
def test_a_database_is_read_out_of_its_address(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: dict[str, Any]
) -> None:
    monkeypatch.setenv("SETTING", url)

    assert env.database("SETTING") == expected


readable = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=15
)


@many
@given(user=readable, password=readable, name=readable, option=readable)
def test_whatever_a_name_or_password_holds_it_comes_through_percent_encoded(
    monkeypatch: pytest.MonkeyPatch, user: str, password: str, name: str, option: str
) -> None:
    parts = [quote(part, safe="") for part in (user, password, name, option)]
    monkeypatch.setenv("SETTING", "postgresql://{}:{}@db:5432/{}?options={}".format(*parts))

    assert env.database("SETTING") == database(
        NAME=name, USER=user, PASSWORD=password, HOST="db", PORT="5432", OPTIONS={"options": option}
    )


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///db.sqlite3",
        "mysql://me@db/calls",
        "calls",
        "",
        "postgresql://me:secret@db:port/calls",
        "postgresql://me:secret@db:99999/calls",
        "postgresql://me:sec/ret@db:5432/calls",
        "postgresql://me:secret@[::1/calls",
    ],
)
def test_an_address_of_no_postgresql_stops_the_start_and_tells_no_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SETTING", url)

    with pytest.raises(ImproperlyConfigured, match="SETTING") as caught:
        env.database("SETTING")
    shown_at_the_start = "".join(format_exception(caught.value))
    assert [piece for piece in ("secret", "'sec'") if piece in shown_at_the_start] == []


SMTP = "django.core.mail.backends.smtp.EmailBackend"
CONSOLE = "django.core.mail.backends.console.EmailBackend"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "smtp://me%40firma.example:p%2Fw@mail.example:587/?tls=1",
            env.Mail(SMTP, "mail.example", 587, "me@firma.example", "p/w", tls=True, ssl=False),
        ),
        ("smtp://mail.example", env.Mail(SMTP, "mail.example", 25, "", "", tls=False, ssl=False)),
        (
            "smtps://me:secret@mail.example",
            env.Mail(SMTP, "mail.example", 465, "me", "secret", tls=False, ssl=True),
        ),
        ("", env.Mail(CONSOLE, "", 0, "", "", tls=False, ssl=False)),
        ("console://", env.Mail(CONSOLE, "", 0, "", "", tls=False, ssl=False)),
    ],
)
def test_a_mail_server_is_read_out_of_its_address(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: env.Mail
) -> None:
    monkeypatch.setenv("SETTING", url)

    assert env.mail("SETTING", "console://") == expected


@pytest.mark.parametrize(
    "url",
    [
        "mail.example:25",
        "smtp://",
        "imap://me:secret@mail.example",
        "smtp://me:secret@mail.example:port",
        "smtp://me:sec/ret@mail.example",
        "smtp://me:secret@mail.example/?ssl=1",
        "smtp://me:secret@mail.example/?tls=maybe",
        "console://mail.example",
    ],
)
def test_an_address_of_no_mail_server_stops_the_start_and_tells_no_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SETTING", url)

    with pytest.raises(ImproperlyConfigured, match="SETTING") as caught:
        env.mail("SETTING", "console://")
    shown_at_the_start = "".join(format_exception(caught.value))
    assert [piece for piece in ("secret", "'sec'") if piece in shown_at_the_start] == []
