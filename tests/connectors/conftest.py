"""Fresh databases as the systems of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.connectors.databases import MariaDbSource, PostgresSource, Source

pytest.register_assert_rewrite("tests.connectors.conformance")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """An SQLite database to fill and open."""
    made = Source(tmp_path / "source é?#%25 'x'.sqlite3", monkeypatch)
    yield made
    made.drop()


@pytest.fixture
def pg(postgres: servers.Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresSource]:
    """A PostgreSQL database to fill and open."""
    made = PostgresSource(postgres, monkeypatch)
    yield made
    made.drop()


@pytest.fixture
def maria(mariadb: servers.MariaDb, monkeypatch: pytest.MonkeyPatch) -> Iterator[MariaDbSource]:
    """A MariaDB database to fill and open."""
    made = MariaDbSource(mariadb, monkeypatch)
    yield made
    made.drop()
