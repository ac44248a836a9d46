"""SQLite databases for the tests, and systems over them, said as briefly as a systems file would."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from dsr import connectors
from dsr.policy.systems import System

ENV = "TEST_SOURCE_URL"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def make_table(
    path: Path, name: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]], more: str = ""
) -> None:
    """Make a table and fill it. Names may be anything."""
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
    return System.model_validate_json(json.dumps(about | more))


class Source:
    """One SQLite file and the connectors opened over it, all closed at the end."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.opened: list[connectors.Connector] = []
        monkeypatch.setenv(ENV, URL.create("sqlite", database=str(path)).render_as_string())

    def table(
        self, name: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]] = (), more: str = ""
    ) -> None:
        make_table(self.path, name, columns, rows, more)

    def open(self, *collections: dict[str, Any], **more: Any) -> connectors.Connector:
        connector = connectors.open(system_of(*collections, **more))
        self.opened.append(connector)
        return connector
