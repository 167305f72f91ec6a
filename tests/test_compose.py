"""The container files fit each other, the settings and the documentation. Needs no Docker."""

import re
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.urls import resolve

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"migrate", "web", "worker", "beat", "follow"}
HEALTHY = {"condition": "service_healthy"}
DONE = {"condition": "service_completed_successfully"}


def interpolated() -> dict[str, set[str]]:
    """Each variable of the compose file with its defaults there; `required` stops the start.

    A dollar in any other form than ${NAME:-default} and ${NAME:?message} is found as the name "".
    """
    found: dict[str, set[str]] = {}
    form = r"(?<!\$)\$(?!\$)(?:\{(\w+):([?-])([^}]*)\})?"
    for name, operator, default in re.findall(form, TEXT):
        how = "required" if operator == "?" else default or "empty"
        found.setdefault(name, set()).add(how)
    return found


def documented(heading: str) -> dict[str, str]:
    """The table of variables under this heading of docs/operations.md: {first: second column}."""
    text = (ROOT / "docs" / "operations.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, flags=re.MULTILINE)
    return {name: second.strip("` ") for name, second in rows}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (KEYWORD, arguments), continuation lines joined, comments left out."""
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    found = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(keyword, " ".join(arguments.split())) for keyword, _, arguments in found]


def test_every_service_that_stays_up_has_a_health_check_and_starts_again() -> None:
    assert set(SERVICES) == {"db", "valkey"} | OURS
    stay = set(SERVICES) - {"migrate"}
    # What follow does is to be seen in the page of the PBX: that it lives says nothing.
    assert {
        name for name, one in SERVICES.items() if one.get("healthcheck", {}).get("test")
    } == stay - {"follow"}
    assert {name: one["restart"] for name, one in SERVICES.items()} == {
        **dict.fromkeys(stay, "unless-stopped"),
        "migrate": "no",
    }


def test_nothing_of_ours_starts_before_the_tables_are_up_to_date() -> None:
    needed = {"db": HEALTHY, "valkey": HEALTHY, "migrate": DONE}
    assert {name: SERVICES[name].get("depends_on", {}) for name in SERVICES} == {
        "db": {},
        "valkey": {},
        "migrate": {"db": HEALTHY},
        "web": needed,
        "worker": needed,
        "beat": needed,
        "follow": needed,
    }


def test_our_containers_share_one_image_and_one_environment() -> None:
    ours = [SERVICES[name] for name in sorted(OURS)]
    assert [(one["image"], one["build"]) for one in ours] == [("callpanel", ".")] * len(OURS)
    assert [one["environment"] for one in ours] == [COMPOSE["x-callpanel"]["environment"]] * len(
        OURS
    )


def test_the_follower_of_a_file_starts_only_when_asked_for_and_sees_the_whole_directory() -> None:
    assert {name: one["profiles"] for name, one in SERVICES.items() if "profiles" in one} == {
        "follow": ["follow"]
    }
    [mount] = SERVICES["follow"]["volumes"]
    assert mount.endswith(":/cdr:ro")
    assert SERVICES["follow"]["command"][-1] == "/cdr/Master.csv"


def test_only_web_can_be_reached_and_only_from_this_machine() -> None:
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


def test_every_named_volume_is_declared_and_used() -> None:
    mounts = [mount for one in SERVICES.values() for mount in one.get("volumes", [])]
    used = [mount.split(":")[0] for mount in mounts if mount[0] not in "./$"]
    assert sorted(used) == sorted(COMPOSE["volumes"])


def test_the_documentation_lists_each_variable_of_the_env_file_with_its_default() -> None:
    table = documented("Settings in `.env`")
    assert interpolated() == {name: {default} for name, default in table.items()}


def test_no_secret_has_a_default() -> None:
    secrets = {name: how for name, how in interpolated().items() if re.search("SECRET|PASS", name)}
    assert secrets == {"SECRET_KEY": {"required"}, "POSTGRES_PASSWORD": {"required"}}


def test_the_documentation_lists_each_variable_that_the_settings_read() -> None:
    source = (ROOT / "callpanel" / "settings.py").read_text()
    read = set(re.findall(r"\benv\.\w+\(\s*\"(\w+)\"", source))
    assert set(documented("Everything callpanel reads")) == read


def test_the_containers_are_given_each_setting_and_the_image_holds_no_secret() -> None:
    given = set(COMPOSE["x-callpanel"]["environment"])
    baked = [word for key, rest in instructions() if key in {"ENV", "ARG"} for word in rest.split()]
    read = set(documented("Everything callpanel reads"))
    # gunicorn itself reads WEB_CONCURRENCY.
    assert given == read - {"DEBUG", "STATIC_ROOT"} | {"WEB_CONCURRENCY"}
    assert baked == ["PYTHONUNBUFFERED=1", "STATIC_ROOT=/srv/static"]


def test_the_health_check_of_web_asks_a_page_that_exists_by_a_host_that_is_allowed() -> None:
    command = SERVICES["web"]["healthcheck"]["test"][-1]
    [(host, port, path)] = re.findall(r"http://(\w+):(\d+)(/\w+)'", command)
    assert COMPOSE["x-callpanel"]["environment"]["ALLOWED_HOSTS"].split(",")[1:] == [host]
    assert f"0.0.0.0:{port}" in dict(instructions())["CMD"]
    assert any(re.search(rule, path.lstrip("/")) for rule in settings.SECURE_REDIRECT_EXEMPT)
    assert resolve(path).kwargs == {}


def test_beat_keeps_its_schedule_where_its_health_check_looks_for_it() -> None:
    beat = SERVICES["beat"]
    [(directory, name)] = re.findall(r"find (\S+) -name '(\w+)\*'", beat["healthcheck"]["test"][-1])
    assert beat["command"][-2:] == ["--schedule", f"{directory}/{name}"]
    assert beat["volumes"] == [f"beat:{directory}"]
    assert f"--owner callpanel {directory}" in " ".join(rest for _, rest in instructions())


def test_the_process_in_the_image_is_not_root() -> None:
    keywords = [keyword for keyword, _ in instructions()]
    assert dict(instructions())["USER"] == "callpanel"
    assert set(keywords[keywords.index("USER") + 1 :]) == {"EXPOSE", "CMD"}


def test_the_image_installs_only_what_the_lock_file_names() -> None:
    installs = [rest for keyword, rest in instructions() if keyword == "RUN" and "pip" in rest]
    assert installs == [
        "pip install --no-cache-dir --require-hashes -r requirements/production.txt"
    ]


def test_the_image_gets_the_program_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    packages = {found.parent.name for found in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    files = {"manage.py", "requirements/production.txt", "locale", "static", "templates"}
    assert rules[0] == "*"
    assert {rule for rule in rules if rule[0] == "!"} == {f"!{name}" for name in files | packages}
