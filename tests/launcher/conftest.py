"""None of these tests uses the database of the others: they start servers of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callpanel.launcher.data import throwaway_directory
from callpanel.launcher.servers import Running, servers


@pytest.fixture
def data() -> Iterator[Path]:
    """A data directory that the servers' account can reach, unlike tmp_path when we are root."""
    with throwaway_directory() as directory:
        yield directory


@pytest.fixture
def no_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch, throwaway_directory() as directory:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("REDIS_URL", raising=False)
        with servers(directory, durable=False) as started:
            yield started
