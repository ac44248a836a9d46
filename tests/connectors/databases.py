"""Real databases for the tests, and systems over them, said as briefly as a systems file would."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from dsr import connectors
from dsr.policy.systems import System
from tests import servers

ENV = "TEST_SOURCE_URL"
DIALECTS = ("sqlite", "postgresql", "mariadb")
number = count(1)


def quoted(name: str, mark: str = '"') -> str:
    return mark + name.replace(mark, mark * 2) + mark


def make_table(
    path: Path, name: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]], more: str = ""
) -> None:
    """Make a table in an SQLite file and fill it. Names may be anything."""
    declared = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
    marks = ", ".join("?" for _ in columns)
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE {quoted(name)} ({declared}{', ' + more if more else ''})")
        database.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", rows)
    database.close()


def run(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as database:
        for statement in statements:
            database.execute(statement)
    database.close()


def system_of(*collections: dict[str, Any], **more: Any) -> System:
    """A system as the systems file would give it."""
    filled = [{"name": each["table"], "title": "Rows", "category": "account"} | each for each in collections]
    about = {"name": "app", "title": "App", "kind": "sql", "url_env": ENV, "collection": filled}
    return System.model_validate(frozen(about | more))


def frozen(found: Any) -> Any:
    """Lists as tuples, as the systems file is read."""
    if isinstance(found, list | tuple):
        return tuple(frozen(each) for each in found)
    return {key: frozen(each) for key, each in found.items()} if isinstance(found, dict) else found


class Source:
    """One SQLite file and the connectors opened over it, all closed at the end."""

    dialect = "sqlite"
    mark = '"'

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch | None = None) -> None:
        self.path = path
        self.opened: list[connectors.Connector] = []
        if monkeypatch is not None:
            self.enter(monkeypatch)

    @property
    def url(self) -> str:
        return URL.create("sqlite", database=str(self.path)).render_as_string()

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the systems of this test read this database."""
        monkeypatch.setenv(ENV, self.url)

    def q(self, name: str) -> str:
        """The name as this database quotes it."""
        return quoted(name, self.mark)

    def table(
        self,
        name: str,
        columns: Mapping[str, str],
        rows: Iterable[tuple[Any, ...]] = (),
        more: str = "",
        after: str = "",
    ) -> None:
        """Make a table and fill it: `more` stands among the columns, `after` behind the table."""
        declared = ", ".join([*(f"{self.q(column)} {kind}" for column, kind in columns.items()), *filter(None, [more])])
        self.run(f"CREATE TABLE {self.q(name)} ({declared}) {after}")
        self.insert(name, rows)

    def insert(self, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
        filled = list(rows)
        if filled:
            marks = ", ".join("?" for _ in filled[0])
            with contextlib.closing(sqlite3.connect(self.path)) as database, database:
                database.executemany(f"INSERT INTO {self.q(name)} VALUES ({marks})", filled)

    def run(self, *statements: str) -> None:
        run(self.path, *statements)

    def open(self, *collections: dict[str, Any], **more: Any) -> connectors.Connector:
        connector = connectors.open(system_of(*collections, **more))
        self.opened.append(connector)
        return connector

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def drop(self) -> None:
        """Close everything and let the database go."""
        self.close()


class ServerSource(Source):
    """A database of its own on a server."""

    creating = dropping = ""

    def __init__(self, server: Any, monkeypatch: pytest.MonkeyPatch | None = None) -> None:
        self.server = server
        self.name = f"source {next(number)}"
        server.execute(f"CREATE DATABASE {self.q(self.name)} {self.creating}")
        super().__init__(Path(), monkeypatch)

    @property
    def url(self) -> str:
        return str(self.server.url(self.name))

    def drop(self) -> None:
        self.close()
        self.server.execute(f"DROP DATABASE {self.q(self.name)} {self.dropping}")


class PostgresSource(ServerSource):
    dialect, dropping = "postgresql", "WITH (FORCE)"
    server: servers.Postgres

    def insert(self, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
        filled = list(rows)
        if filled:
            marks = ", ".join("%s" for _ in filled[0])
            with self.server.connect(self.name) as connection, connection.transaction(), connection.cursor() as cursor:
                statement = f"INSERT INTO {self.q(name).replace('%', '%%')} VALUES ({marks})"
                cursor.executemany(statement.encode(), filled)

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.server.execute(statement, self.name)


class MariaDbSource(ServerSource):
    dialect, mark, creating = "mariadb", "`", "CHARACTER SET utf8mb4"
    server: servers.MariaDb

    def insert(self, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
        filled = list(rows)
        if filled:
            marks = ", ".join("%s" for _ in filled[0])
            with contextlib.closing(self.server.connect(self.name)) as connection, connection.cursor() as cursor:
                connection.begin()
                cursor.executemany(f"INSERT INTO {self.q(name).replace('%', '%%')} VALUES ({marks})", filled)
                connection.commit()

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.server.execute(statement, self.name)


def make_source(dialect: str, folder: Path, request: pytest.FixtureRequest) -> Source:
    """An empty database of this kind."""
    if dialect == "postgresql":
        return PostgresSource(request.getfixturevalue("postgres"))
    if dialect == "mariadb":
        return MariaDbSource(request.getfixturevalue("mariadb"))
    return Source(folder / f"source {next(number)} é?#%25 'x'.sqlite3")
