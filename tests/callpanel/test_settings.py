"""The settings as a whole: fit for production, and every task that beat calls is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from callpanel.celery import app

ROOT = Path(settings.BASE_DIR)
PRODUCTION = {
    "SECRET_KEY": "0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMN",
    "DATABASE_URL": "postgresql://callpanel:secret@db.example/callpanel",
    "REDIS_URL": "redis://valkey.example:6379/0",
    "ALLOWED_HOSTS": "panel.example.com",
    "SECURE_PROXY": "true",
}


def check(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Django's own check of settings for production, in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_django_has_nothing_to_say_against_the_settings_of_production() -> None:
    done = check(PRODUCTION)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_nothing_starts_without_what_only_the_operator_knows(name: str) -> None:
    done = check({**PRODUCTION, name: ""})

    assert done.returncode == 1
    assert done.stderr.endswith(f"Set the environment variable {name}.\n")


def test_beat_calls_each_of_our_tasks_and_no_other() -> None:
    app.loader.import_default_modules()

    ours = {name for name in app.tasks if name.startswith(("accounts.", "billing.", "calls."))}
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} == ours
