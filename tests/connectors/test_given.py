"""Addresses and keys of systems as files, as containers are given their secrets."""

import hashlib
import hmac
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dsr import connectors
from dsr.connectors import Scope, SystemRefused
from dsr.policy.systems import System

RECEIPT = {"receipt": frozenset({"rcpt-1"})}
KEY = "k9 with blanks "


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of secrets; the variables hold only where they are."""
    with closing(sqlite3.connect(tmp_path / "app.sqlite3")) as database:
        database.execute("CREATE TABLE calls (id INTEGER PRIMARY KEY, receipt_hash TEXT)")
        digest = hmac.digest(KEY.encode(), b"rcpt-1", hashlib.sha256).hex()
        database.execute("INSERT INTO calls VALUES (1, ?)", (digest,))
        database.commit()
    (tmp_path / "url").write_text(f"sqlite:///{tmp_path}/app.sqlite3\n")
    (tmp_path / "key").write_text(f"{KEY}\n")
    for name in ("APP_URL", "APP_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("APP_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("APP_KEY_FILE", str(tmp_path / "key"))
    return tmp_path


def app() -> System:
    find = {"column": "receipt_hash", "identifier": "receipt", "transform": "hmac-sha256", "key_env": "APP_KEY"}
    calls = {"name": "calls", "table": "calls", "title": "Calls", "category": "usage", "find": (find,)}
    return System.model_validate(
        {"name": "app", "title": "App", "kind": "sql", "url_env": "APP_URL", "collection": (calls,)}
    )


def found() -> int:
    with connectors.open(app()) as connector:
        return sum(1 for _record in connector.export(RECEIPT, "calls", Scope()))


def test_address_and_key_come_from_files(secrets: Path) -> None:
    assert found() == 1


def test_a_changed_secret_needs_no_restart(secrets: Path) -> None:
    assert found() == 1
    (secrets / "key").write_text("another key")
    assert found() == 0


@pytest.mark.parametrize("name", ["url", "key"])
def test_a_secret_that_is_gone_or_empty_is_told_by_its_file(secrets: Path, name: str) -> None:
    variable = f"APP_{name.upper()}_FILE"
    for spoil, words in ((lambda: (secrets / name).write_text("\n"), "is empty"), ((secrets / name).unlink, "No such")):
        spoil()
        with pytest.raises(SystemRefused) as raised:
            found()
        assert words in raised.value.detail
        assert variable in raised.value.detail
        assert raised.value.hint
