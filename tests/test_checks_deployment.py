"""Settings that do not go together are told, and those that do are not."""

from pathlib import Path
from typing import Any

import pytest

from dsr import checks, mailer, storage

POSTGRES, SQLITE = "django.db.backends.postgresql", "django.db.backends.sqlite3"
BUCKET = "s3://bucket?endpoint="


@pytest.fixture
def deployed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A portal as docs/deployment.md sets it up: nothing to say against it."""
    settings.DSR_DEMO, settings.IS_HTTPS, settings.TRUSTED_PROXIES = False, True, 1
    settings.CELERY_BROKER_URL = "redis://redis:6379/0"
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", POSTGRES)
    mail(settings, "smtp://portal:secret@mail.example.com:587?tls=1")
    return settings


def mail(settings: Any, address: str) -> None:
    way = mailer.configured(address)
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_HOST_PASSWORD = way.backend, way.host, way.password
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = way.is_starttls, way.is_tls_from_start


def told() -> list[str | None]:
    found = checks.deployment(None)
    assert all(message.hint for message in found)
    return [message.id for message in found]


def test_a_portal_set_up_as_described_is_told_nothing(deployed: Any) -> None:
    assert told() == []


def test_https_without_a_believed_proxy(deployed: Any) -> None:
    deployed.TRUSTED_PROXIES = 0
    assert told() == ["dsr.W005"]
    deployed.IS_HTTPS = False
    assert told() == []


@pytest.mark.parametrize(
    ("broker", "ids"),
    [("redis://redis:6379/0", ["dsr.W006"]), ("redis://127.0.0.1:6379/0", []), ("redis+socket:///run/redis.sock", [])],
)
def test_sqlite_beside_a_broker_elsewhere(deployed: Any, broker: str, ids: list[str]) -> None:
    deployed.DATABASES["default"]["ENGINE"], deployed.CELERY_BROKER_URL = SQLITE, broker
    assert told() == ids


@pytest.mark.parametrize(
    ("endpoint", "ids"), [("http://s3.lan:9000", ["dsr.W007"]), ("http://127.0.0.1:9000", []), ("https://s3.lan", [])]
)
def test_a_bucket_over_http(deployed: Any, endpoint: str, ids: list[str]) -> None:
    entry = storage.configured(BUCKET + endpoint, Path("/nowhere"))
    deployed.STORAGES = deployed.STORAGES | {"bundles": entry}
    assert told() == ids


@pytest.mark.parametrize(
    ("address", "ids"),
    [
        ("smtp://portal:secret@mail.example.com", ["dsr.W008"]),
        ("smtps://portal:secret@mail.example.com", []),
        ("smtp://portal:secret@127.0.0.1:2525", []),
        ("smtp://mail.example.com", []),
        ("outbox", ["dsr.W009"]),
        ("postmark://token@", []),
    ],
)
def test_mail_in_the_open_or_to_nobody(deployed: Any, address: str, ids: list[str]) -> None:
    mail(deployed, address)
    assert told() == ids


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "ext4", "fuse.mergerfs"])
def test_a_data_folder_on_network_storage(deployed: Any, tmp_path: Path, kind: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nthere {tmp_path} {kind} rw 0 0\n")
    folder = tmp_path / "portal" / "data"
    assert checks._network_folder(folder, mounts) == [], "PostgreSQL and Redis lock nothing there"
    deployed.DATABASES["default"]["ENGINE"] = SQLITE
    found = [message.id for message in checks._network_folder(folder, mounts)]
    assert found == (["dsr.W004"] if kind in ("nfs4", "cifs", "fuse.sshfs") else [])
    deployed.DATABASES["default"]["ENGINE"], deployed.CELERY_BROKER_URL = POSTGRES, "filesystem://localhost"
    assert [message.id for message in checks._network_folder(folder, mounts)] == found
