"""An archive that is not what its manifest says is told, and nothing of it is unpacked."""

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command

from dsr.bundle import archive, opening
from tests.bundle.sample import CONTENTS, rows, source, with_files

Files = dict[str, bytes]


@pytest.fixture
def good(storage: FileSystemStorage) -> bytes:
    sources = [source(storage, rows(30)), source(storage, with_files([("a.png", b"picture")]), collection="pictures")]
    return b"".join(archive.build(CONTENTS, sources, storage, format="jsonl", letter=b"%PDF"))


def files_of(content: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as read:
        return {name: read.read(name) for name in read.namelist()}


def zipped(files: Files, change: Callable[[zipfile.ZipFile], None] = lambda _zip: None) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
        change(made)
    return target


def manifest_with(files: Files, change: Callable[[list[dict[str, object]]], object]) -> Files:
    package = orjson.loads(files["datapackage.json"])
    change(package["resources"])
    return files | {"datapackage.json": orjson.dumps(package)}


def test_a_good_archive_has_no_problems_as_a_file_a_path_and_a_stream(good: bytes, tmp_path: Path) -> None:
    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    (tmp_path / "a.zip").write_bytes(good)
    assert opening.verify(tmp_path / "a.zip") == []
    assert opening.verify(str(tmp_path / "a.zip")) == []
    assert opening.verify(io.BytesIO(good)) == []
    assert opening.verify(Stream(good)) == []
    assert opening.verify(zipped(files_of(good))) == []


def test_an_unlisted_a_missing_and_a_changed_file_are_named(good: bytes) -> None:
    files = files_of(good)
    assert "extra.txt" in opening.verify(zipped(files | {"extra.txt": b""}))[0]
    assert "letter.pdf" in opening.verify(zipped({n: c for n, c in files.items() if n != "letter.pdf"}))[0]
    changed = files["data/app/usage.jsonl"].replace(b"model-1", b"model-2", 1)
    problems = opening.verify(zipped(files | {"data/app/usage.jsonl": changed}))
    assert len(problems) == 1
    assert "data/app/usage.jsonl was changed" in problems[0]
    assert opening.verify(zipped({n: c for n, c in files.items() if n != "datapackage.json"})) != []


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "data/../../evil", "a\\..\\evil", "data/con", "C:evil", "x\u202e.txt"]
)
def test_unsafe_names_are_problems_even_when_listed(good: bytes, name: str, tmp_path: Path) -> None:
    files = files_of(good)
    listed = {
        "path": name,
        "bytes": 0,
        "hash": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
    evil = manifest_with(files, lambda resources: resources.append(dict(listed))) | {name: b""}
    content = zipped(evil)
    assert any("not a safe name" in problem for problem in opening.verify(content))
    file = tmp_path / "evil.zip"
    file.write_bytes(content.getvalue())
    with pytest.raises(opening.NotVerified):
        opening.extract(file, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundles", "evil.zip"]


def test_the_same_name_twice_a_link_and_a_folder_are_problems(good: bytes) -> None:
    files = files_of(good)

    def link(made: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("data/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(info, "/etc/passwd")

    def twice(made: zipfile.ZipFile) -> None:
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("letter.pdf", files["letter.pdf"])

    assert any("not a plain file" in problem for problem in opening.verify(zipped(files, link)))
    assert any("twice" in problem for problem in opening.verify(zipped(files, twice)))
    assert opening.verify(zipped(files, lambda made: made.mkdir("empty"))) != []


def test_a_manifest_that_says_otherwise_is_told(good: bytes) -> None:
    files = files_of(good)
    for field, wrong in (("bytes", 1), ("rows", 29), ("hash", "sha256:" + "0" * 64), ("hash", "md5:0"), ("path", 5)):
        assert opening.verify(zipped(manifest_with(files, lambda r, f=field, w=wrong: r[0].update({f: w}))))  # type: ignore[misc]
    assert opening.verify(zipped(manifest_with(files, lambda resources: resources.append(resources[0]))))
    assert opening.verify(zipped(files | {"datapackage.json": b"[]"}))
    assert opening.verify(zipped(files | {"datapackage.json": b"{"}))


def test_a_byte_changed_anywhere_is_found_or_changes_no_content(good: bytes) -> None:
    whole = files_of(good)
    for place in range(0, len(good), 61):
        content = good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :]
        if opening.verify(io.BytesIO(content)) == []:
            assert files_of(content) == whole


def test_an_archive_cut_anywhere_is_found(good: bytes) -> None:
    for end in range(0, len(good), 997):
        assert opening.verify(io.BytesIO(good[:end])) != []


def test_changes_in_an_encrypted_archive_are_found(storage: FileSystemStorage) -> None:
    sealed = b"".join(
        archive.build(CONTENTS, [source(storage, rows(5))], storage, format="jsonl", letter=b"%PDF", password="pass")
    )
    assert opening.verify(io.BytesIO(sealed), "pass") == []
    for place in (60, 500, len(sealed) // 2, len(sealed) - 30):
        content = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        assert opening.verify(io.BytesIO(content), "pass") != []


def test_unpacking_gives_the_files_to_nobody_else_and_never_into_what_exists(good: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(good)
    folder = opening.extract(file, tmp_path / "out")
    assert {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    } == files_of(good)
    assert stat.S_IMODE((folder / "letter.pdf").stat().st_mode) == 0o600
    with pytest.raises(OSError, match="not empty"):
        opening.extract(file, folder)


def test_the_command_says_what_is_wrong_and_fails(
    good: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(good)
    call_command("bundle", "verify", str(file))
    assert "is whole" in capsys.readouterr().out
    file.write_bytes(zipped(files_of(good) | {"extra.txt": b""}).getvalue())
    with pytest.raises(CommandError, match=r"extra\.txt") as failed:
        call_command("bundle", "verify", str(file))
    assert failed.value.returncode == 1
    with pytest.raises(CommandError):
        call_command("bundle", "verify", str(tmp_path / "none.zip"))
