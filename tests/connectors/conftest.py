"""A fresh SQLite file as the system of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.databases import Source

pytest.register_assert_rewrite("tests.connectors.conformance")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """A database to fill and open."""
    made = Source(tmp_path / "source é?#%25 'x'.sqlite3", monkeypatch)
    yield made
    for connector in made.opened:
        connector.close()
