"""Parts: what is written is what is read, nothing else opens, and memory does not follow the number of rows."""

import gzip
import hashlib
import itertools
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, Storage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsr import keys
from dsr.bundle import parts, sealed
from tests.bundle.conftest import CONTEXT

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@dataclass
class Row:
    key: tuple[Any, ...]
    data: dict[str, Any]
    at: datetime | None = None
    files: tuple[Any, ...] = ()


@dataclass
class Attached:
    name: str
    content: bytes
    media_type: str = "application/octet-stream"


def written(storage: Storage, rows: list[Row], name: str = "part") -> parts.PartInfo:
    return parts.write_part(rows, storage, name, CONTEXT)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=5))
def test_what_is_written_is_read_exactly(storage: FileSystemStorage, data: list[dict[str, Any]]) -> None:
    rows = [Row((n,), values) for n, values in enumerate(data)]
    info = written(storage, rows)
    read = list(parts.read_part(storage, "part", CONTEXT, rows=info.rows, sha256=info.sha256))
    if not info.masked:
        assert [record["d"] for record in read] == data
    assert [record["k"] for record in read] == [[n] for n in range(len(data))]


def test_the_sum_is_of_the_plain_lines_and_the_period_of_the_rows(storage: FileSystemStorage) -> None:
    rows = [Row((n,), {"n": n}, datetime(2026, 3, n, tzinfo=UTC)) for n in (3, 1, 2)]
    info = written(storage, rows)
    plain = gzip.decompress(b"".join(sealed.chunks(storage, "part", CONTEXT)))
    assert (info.rows, info.bytes, info.sha256) == (3, len(plain), hashlib.sha256(plain).hexdigest())
    assert (info.first[:10], info.last[:10]) == ("2026-03-01", "2026-03-03")


def test_nothing_readable_lies_in_storage(storage: FileSystemStorage, tmp_path: Path) -> None:
    written(
        storage, [Row((1,), {"text": "a-very-private-sentence"}, files=(Attached("a.txt", b"a-very-private-file"),))]
    )
    stored = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(stored) == 2
    assert not any(b"private" in content for content in stored)


def test_secrets_never_reach_storage_and_are_counted_in_the_part_and_the_record(storage: FileSystemStorage) -> None:
    rows = [Row((1,), {"text": "plain"}), Row((2,), {"text": "AKIA" + "IOSFODNN7EXAMPLE"})]
    info = written(storage, rows)
    first, second = parts.read_part(storage, "part", CONTEXT)
    assert "m" not in first
    assert second["m"] == {"API key": 1}
    assert second["d"] == {"text": "[masked: API key]"}
    assert info.masked == {"API key": 1}


def test_attachments_come_back_byte_by_byte(storage: FileSystemStorage) -> None:
    contents = [b"", bytes(range(256)) * 5000, b"\r\n\x00", "ü".encode()]
    rows = [Row((n,), {}, files=(Attached(f"{n}.bin", content),)) for n, content in enumerate(contents)]
    info = written(storage, rows)
    files = [record["f"][0] for record in parts.read_part(storage, "part", CONTEXT)]
    read = [
        b"".join(chunks) for chunks in parts.read_files(storage, "part", CONTEXT, (file["bytes"] for file in files))
    ]
    assert read == contents
    assert [file["sha256"] for file in files] == [hashlib.sha256(content).hexdigest() for content in contents]
    assert info.files == 4


def test_more_or_fewer_attachments_than_records_speak_of_are_refused(storage: FileSystemStorage) -> None:
    written(storage, [Row((1,), {}, files=(Attached("a", b"12345"),))])
    for wrong in ([4], [6], [5, 1]):
        with pytest.raises(parts.PartBroken):
            [list(chunks) for chunks in parts.read_files(storage, "part", CONTEXT, wrong)]


def test_another_context_does_not_open_it(storage: FileSystemStorage) -> None:
    written(storage, [Row((1,), {"a": 1}, files=(Attached("a", b"12345"),))])
    with pytest.raises(keys.DoesNotOpen):
        list(parts.read_part(storage, "part", CONTEXT + b"0"))
    with pytest.raises(keys.DoesNotOpen):
        [list(chunks) for chunks in parts.read_files(storage, "part", CONTEXT + b"0", [5])]


def test_a_part_changed_at_any_byte_is_refused(storage: FileSystemStorage) -> None:
    info = written(storage, [Row((n,), {"text": "x" * n}) for n in range(5)])
    path = Path(storage.path("part"))
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises((keys.DoesNotOpen, parts.PartBroken)):
            list(parts.read_part(storage, "part", CONTEXT, rows=info.rows, sha256=info.sha256))


def test_a_part_cut_anywhere_is_refused(storage: FileSystemStorage) -> None:
    # Incompressible, so that it takes more than one segment of a megabyte and can be cut between two.
    noise = (hashlib.sha256(str(n).encode()).hexdigest() for n in itertools.count())
    info = written(storage, [Row((n,), {"text": "".join(itertools.islice(noise, 100))}) for n in range(600)])
    path = Path(storage.path("part"))
    good = path.read_bytes()
    assert len(good) > 2 << 20
    for end in (0, 1, 39, 40, 41, 1 << 20, (1 << 20) + 16, 2 << 20, len(good) - 1):
        path.write_bytes(good[:end])
        with pytest.raises((keys.DoesNotOpen, parts.PartBroken)):
            list(parts.read_part(storage, "part", CONTEXT, rows=info.rows, sha256=info.sha256))


def test_another_part_of_the_same_context_is_found_by_rows_and_sum(storage: FileSystemStorage) -> None:
    info = written(storage, [Row((1,), {"a": 1})])
    written(storage, [Row((1,), {"a": 2})])
    with pytest.raises(parts.PartBroken, match="sha256"):
        list(parts.read_part(storage, "part", CONTEXT, rows=info.rows, sha256=info.sha256))
    written(storage, [])
    with pytest.raises(parts.PartBroken, match="0 rows"):
        list(parts.read_part(storage, "part", CONTEXT, rows=info.rows, sha256=info.sha256))


def test_a_source_that_fails_half_way_leaves_nothing(storage: FileSystemStorage, tmp_path: Path) -> None:
    def failing() -> Iterator[Row]:
        yield Row((1,), {"a": 1}, files=(Attached("a", b"x"),))
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        parts.write_part(failing(), storage, "part", CONTEXT)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_a_killed_worker_left_is_replaced(storage: FileSystemStorage) -> None:
    path = Path(storage.path("part"))
    path.parent.mkdir()
    path.write_bytes(b"half of it")
    written(storage, [Row((1,), {"a": 1})])
    assert [record["d"] for record in parts.read_part(storage, "part", CONTEXT)] == [{"a": 1}]
    parts.delete(storage, "part")
    parts.delete(storage, "part")
    assert not path.exists()


def test_memory_does_not_follow_the_rows(storage: FileSystemStorage) -> None:
    def peak(count: int) -> int:
        rows = (Row((n,), {"n": n, "text": f"words {n} " * 20}) for n in range(count))
        tracemalloc.start()
        parts.write_part(rows, storage, "part", CONTEXT)
        for _ in parts.read_part(storage, "part", CONTEXT):
            pass
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    peak(10)
    small, large = peak(5_000), peak(30_000)
    assert large < small * 1.5 + 1_000_000
