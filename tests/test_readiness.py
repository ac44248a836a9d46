"""Ready or not: each dependency taken away for real, named and no more, asked no oftener than it may be."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live
from django.core.files.storage import storages
from django.db import connection

from dsr import keys, readiness
from tests.portal.browsing import browser, text
from tests.servers import free_port

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known from before."""
    monkeypatch.setattr(readiness, "_answers", {})


def answer() -> tuple[int, str]:
    response = browser().get("/ready")
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies
    return response.status_code, text(response)


def test_all_there() -> None:
    assert answer() == (200, "ready\n")


def test_nothing_is_left_in_storage() -> None:
    answer()
    assert storages["bundles"].listdir("ready")[1] == []


def test_a_migration_that_was_not_applied() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'dsr'")
    assert answer() == (503, "not ready: migrations\n")


def test_the_shared_cache_s_table_is_asked_for_too() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE shared_cache RENAME TO elsewhere")
    assert answer() == (503, "not ready: migrations\n")


def test_storage_that_cannot_be_written(data_folder: Path) -> None:
    shutil.rmtree(data_folder / "bundles", ignore_errors=True)
    (data_folder / "bundles").write_text("a file where the folder should be")
    assert answer() == (503, "not ready: storage\n")


@pytest.fixture
def key_file(tmp_path: Path, settings: Any) -> Iterator[Path]:
    before = keys._keys
    settings.DSR_KEYS = tmp_path / "keys" / "keys.json"
    keys.configure(settings.DSR_KEYS)
    yield live.DSR_KEYS
    keys._keys = before


def test_a_key_file_that_went_away(key_file: Path) -> None:
    key_file.unlink()
    assert answer() == (503, "not ready: keys\n")


def test_a_broker_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import Celery

    lonely = Celery("lonely", broker=f"redis://127.0.0.1:{free_port()}/0", set_as_current=False)
    monkeypatch.setattr(readiness, "current_app", lonely)
    assert answer() == (503, "not ready: broker\n")


def test_several_at_once_and_no_details(
    key_file: Path, data_folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(readiness.time, "monotonic", lambda: now[0])
    key_file.unlink()
    (data_folder / "bundles").write_text("")
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert answer() == (503, "not ready: storage, keys\n")
            now[0] += readiness.ASK_AGAIN_SECONDS
    # One line each, however often a probe asks, and none that Django would add.
    assert [(each.name, each.getMessage().partition(" (")[0]) for each in caplog.records] == [
        ("dsr.readiness", "not ready: storage"),
        ("dsr.readiness", "not ready: keys"),
    ]


def test_however_often_it_is_asked_each_check_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []
    counted = {
        name: (lambda name=name, check=check: (runs.append(name), check())[1], seconds)
        for name, (check, seconds) in readiness.CHECKS.items()
    }
    monkeypatch.setattr(readiness, "CHECKS", counted)
    monkeypatch.setattr(readiness.time, "monotonic", lambda: 1000.0)
    for _ in range(20):
        assert answer()[0] == 200
    assert sorted(runs) == sorted(counted)


def test_what_is_back_is_seen_soon(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(readiness.time, "monotonic", lambda: now[0])
    held = key_file.read_text()
    key_file.unlink()
    assert answer()[0] == 503
    key_file.write_text(held)
    now[0] += readiness.ASK_AGAIN_SECONDS
    assert answer()[0] == 200


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_behind_a_proxy_it_answers_without_https(path: str, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert browser().get(path).status_code == 200
    assert browser().get("/en/").status_code == 301
