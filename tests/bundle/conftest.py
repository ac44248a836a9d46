"""Keys of their own and an empty storage for every test of the bundle."""

from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from dsr import keys

CONTEXT = b"part:case:app:usage:1"


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(autouse=True)
def sealing_keys(keys_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_keys", None)
    keys.configure(keys_file)


@pytest.fixture
def storage(tmp_path: Path) -> FileSystemStorage:
    return FileSystemStorage(location=tmp_path / "bundles")
