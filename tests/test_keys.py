import io
import json
import os
import stat
from pathlib import Path

import pytest

from dsr import keys


@pytest.fixture
def key_file(tmp_path: Path):
    before = keys._keys
    path = tmp_path / "keys" / "keys.json"
    keys.configure(path)
    yield path
    keys._keys = before


def sealed_stream(plain: bytes, context: bytes = b"here") -> bytes:
    class Kept(io.BytesIO):
        def close(self) -> None:
            self.kept = self.getvalue()

    target = Kept()
    writer = keys.encrypting_stream(target, context)
    writer.write(plain)
    writer.close()
    return target.kept


def opened(sealed: bytes, context: bytes = b"here") -> bytes:
    return keys.decrypting_stream(io.BytesIO(sealed), context).read()


def test_the_key_file_is_made_once_and_only_for_its_owner(key_file: Path) -> None:
    made = key_file.read_text()
    keys.configure(key_file)
    assert key_file.read_text() == made
    assert stat.S_IMODE(os.stat(key_file).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(key_file.parent).st_mode) == 0o700
    assert list(key_file.parent.iterdir()) == [key_file]


def test_keys_that_are_missing_while_data_exists_stop_the_start(tmp_path: Path) -> None:
    before = keys._keys
    with pytest.raises(keys.KeysMissing, match=r"lost\.json is missing.*DSR_KEYS"):
        keys.configure(tmp_path / "lost.json", data_exists=lambda: True)
    assert not (tmp_path / "lost.json").exists()
    assert keys._keys is before


def test_a_field_opens_in_its_own_place_only(key_file: Path) -> None:
    sealed = keys.seal_field(b"Ada", b"case:1")
    assert keys.open_field(sealed, b"case:1") == b"Ada"
    assert b"Ada" not in sealed
    with pytest.raises(keys.DoesNotOpen):
        keys.open_field(sealed, b"case:2")
    with pytest.raises(keys.DoesNotOpen):
        keys.open_field(sealed[:-1] + bytes([sealed[-1] ^ 1]), b"case:1")


def test_a_stream_opens_whole_and_in_its_own_place_only(key_file: Path) -> None:
    plain = os.urandom(2_500_000)
    sealed = sealed_stream(plain)
    assert opened(sealed) == plain
    for spoiled in (sealed[:-1], sealed[: 1 << 20], sealed[:2_000_000] + b"x" + sealed[2_000_001:], b""):
        with pytest.raises(keys.DoesNotOpen):
            opened(spoiled)
    with pytest.raises(keys.DoesNotOpen):
        opened(sealed, b"elsewhere")


def test_rotation_opens_what_older_keys_sealed_and_seals_with_a_new_one(key_file: Path) -> None:
    field, stream, index = keys.seal_field(b"old", b"c"), sealed_stream(b"old"), keys.index("email", "ada")
    primaries = {name: json.loads(key_file.read_text())[name]["primaryKeyId"] for name in ("fields", "bundles")}
    keys.rotate()
    for name, primary in primaries.items():
        assert json.loads(key_file.read_text())[name]["primaryKeyId"] != primary
    assert (keys.open_field(field, b"c"), opened(stream), keys.index("email", "ada")) == (b"old", b"old", index)
    assert keys.open_field(keys.seal_field(b"new", b"c"), b"c") == b"new"


def test_indexes_differ_by_kind_value_and_installation(key_file: Path, tmp_path: Path) -> None:
    index = keys.index("email", "ada@example.com")
    assert index == keys.index("email", "ada@example.com")
    assert len({index, keys.index("form", "ada@example.com"), keys.index("email", "eve@example.com")}) == 3
    keys.configure(tmp_path / "other.json")
    assert keys.index("email", "ada@example.com") != index


def test_a_source_that_cannot_be_read_is_not_taken_for_a_changed_one(key_file: Path) -> None:
    class Ill(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= 1 << 20:
                raise OSError("the disk went away")
            return super().read(size)

    ill = Ill(sealed_stream(bytes(3 << 20)))
    with pytest.raises(OSError, match="went away"), keys.decrypting_stream(ill, b"here") as reading:
        reading.read()
