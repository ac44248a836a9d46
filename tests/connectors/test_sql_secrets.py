"""Columns that are never disclosed stay back, and leave the others in their places."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dsr import connectors
from dsr.connectors import Scope
from dsr.policy.systems import System

ADA = {"email": frozenset({"ada@example.com"})}


def test_two_secret_columns_do_not_shift_the_ones_after_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(tmp_path / "app.sqlite3")) as database:
        database.execute(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, pin TEXT, key TEXT, plan TEXT, seat INT)"
        )
        database.execute("INSERT INTO users VALUES (1, 'ada@example.com', 'pin-leak', 'key-leak', 'studio', 7)")
        database.commit()
    monkeypatch.setenv("APP_URL", f"sqlite:///{tmp_path}/app.sqlite3")
    users = {
        "name": "users",
        "table": "users",
        "title": "Users",
        "category": "account",
        "find": ({"column": "email", "identifier": "email"},),
        "secret": ("pin", "key"),
    }
    system = System.model_validate(
        {"name": "app", "title": "App", "kind": "sql", "url_env": "APP_URL", "collection": (users,)}
    )
    with connectors.open(system) as app:
        data = [record.data for record in app.export(ADA, "users", Scope())]
    assert data == [{"id": 1, "email": "ada@example.com", "pin": None, "key": None, "plan": "studio", "seat": 7}]
