"""Browser tests use the system's Chromium; without one they are skipped, saying so."""

import os
import shutil
from typing import Any

import pytest

# Playwright keeps an event loop in the tests' thread, which Django would take for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("chrome")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install it, or set CHROMIUM_PATH")
    return {**browser_type_launch_args, "executable_path": CHROMIUM}
