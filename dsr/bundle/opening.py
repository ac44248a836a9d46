"""An archive checked against its own manifest, and unpacked. Streams; trusts no name and no size in it."""

import hashlib
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import stream_unzip
from django.utils.translation import gettext as _

from dsr.bundle.manifest import PATH
from dsr.bundle.names import is_safe_path

_CHUNK = 1 << 18
_LARGEST_MANIFEST = 1 << 26
_SUM = re.compile(r"sha256:[0-9a-f]{64}")
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, UnicodeError, stream_unzip.UnzipError,
)  # fmt: skip


class NotVerified(Exception):
    """The archive is not what its manifest says. `problems` lists why."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass
class _Found:
    """What a file in the archive turned out to be."""

    bytes: int = 0
    sha256: str = ""
    lines: int = 0
    csv_lines: int = 0


def verify(file: Path | str | BinaryIO, password: str | None = None) -> list[str]:
    """What is wrong with an archive: nothing, when the list is empty.

    Every file is listed, nothing unlisted is there, sizes, sums and numbers of rows are right, names are safe. An
    encrypted archive needs its password. Damage is told from here; a forged manifest is not, it carries no signature.
    """
    found: dict[str, _Found] = {}
    problems: list[str] = []
    manifest = b""
    try:
        for name, chunks in _members(file, password, problems):
            if name in found:
                problems.append(_("%(name)s is in the archive twice.") % {"name": name})
            elif not is_safe_path(name):
                problems.append(_("%(name)s is not a safe name.") % {"name": ascii(name)})
            found[name], kept = _measured(chunks, keep=name == PATH)
            manifest = kept or manifest
    except _UNREADABLE as error:
        return [*problems, _("The archive cannot be read: %(error)s") % {"error": _worded(error)}]
    return problems + list(_compared(found, manifest))


def extract(file: Path | str, folder: Path, password: str | None = None) -> Path:
    """Unpack an archive into a folder that does not exist yet. Raises NotVerified, and then leaves nothing there."""
    if problems := verify(file, password):
        raise NotVerified(problems)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, chunks in _members(file, password, []):
            # Looked at again: the file may not be the one that was verified a moment ago.
            if not is_safe_path(name):
                raise NotVerified([name])
            _written(made / name, chunks)
        os.rename(made, folder)
    except BaseException:
        shutil.rmtree(made)
        raise
    return folder


def _written(path: Path, chunks: Iterator[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as target:
        for chunk in chunks:
            target.write(chunk)


def _members(
    file: Path | str | BinaryIO, password: str | None, problems: list[str]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Each file of the archive with its content, which must be read before the next."""
    with ExitStack() as stack:
        source: BinaryIO = stack.enter_context(open(file, "rb")) if isinstance(file, Path | str) else file
        if not source.seekable():
            yield from _streamed(source, password)
            return
        with zipfile.ZipFile(source) as archive:
            infos = archive.infolist()
            problems += _odd(infos)
            if not any(info.flag_bits & 1 for info in infos):
                yield from ((info.filename, _content(archive, info)) for info in infos)
                return
        source.seek(0)
        listed = [info.filename for info in infos]
        for place, (name, chunks) in enumerate(_streamed(source, password)):
            if listed[place : place + 1] != [name]:
                problems.append(_("%(name)s is not what the archive’s directory lists.") % {"name": ascii(name)})
            yield name, chunks


def _odd(infos: list[zipfile.ZipInfo]) -> Iterator[str]:
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)  # zero from programs that know permissions alone
        if info.is_dir() or kind not in (0, stat.S_IFREG):
            yield _("%(name)s is not a plain file.") % {"name": ascii(info.filename)}


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as content:
        while chunk := content.read(_CHUNK):
            yield chunk


def _streamed(source: BinaryIO, password: str | None) -> Iterator[tuple[str, Iterator[bytes]]]:
    raw = iter(lambda: source.read(_CHUNK), b"")
    members = stream_unzip.stream_unzip(
        raw,
        password=password.encode() if password else None,
        allowed_encryption_mechanisms=(stream_unzip.AE_2, stream_unzip.AES_256)
        if password
        else (stream_unzip.NO_ENCRYPTION,),
    )
    for name, _size, chunks in members:
        yield name.decode(), chunks


def _measured(chunks: Iterator[bytes], *, keep: bool) -> tuple[_Found, bytes]:
    found, digest = _Found(), hashlib.sha256()
    kept: list[bytes] = []
    last = b""
    for chunk in chunks:
        digest.update(chunk)
        found.bytes += len(chunk)
        found.lines += chunk.count(b"\n")
        found.csv_lines += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        last = chunk[-1:]
        if keep and found.bytes <= _LARGEST_MANIFEST:
            kept.append(chunk)
    found.sha256 = digest.hexdigest()
    return found, b"".join(kept)


def _compared(found: dict[str, _Found], manifest: bytes) -> Iterator[str]:
    if PATH not in found:
        yield _("datapackage.json is missing.")
        return
    try:
        resources = _resources(manifest)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        yield _("datapackage.json cannot be read.")
        return
    listed: set[str] = set()
    for resource in resources:
        path = resource["path"]
        if path in listed:
            yield _("%(name)s is listed twice.") % {"name": path}
        listed.add(path)
        yield from _differences(path, resource, found.get(path))
    for name in found.keys() - listed - {PATH}:
        yield _("%(name)s is in the archive but not listed.") % {"name": ascii(name)}


def _resources(manifest: bytes) -> list[dict[str, Any]]:
    resources = orjson.loads(manifest)["resources"]
    for resource in resources:
        if not isinstance(resource["path"], str) or not isinstance(resource["bytes"], int):
            raise TypeError("path and bytes")
        if not _SUM.fullmatch(resource["hash"]):
            raise ValueError("hash")
    return list(resources)


def _differences(path: str, resource: dict[str, Any], found: _Found | None) -> Iterator[str]:
    if found is None:
        yield _("%(name)s is listed but missing.") % {"name": path}
        return
    if found.bytes != resource["bytes"]:
        values = {"name": path, "found": found.bytes, "listed": resource["bytes"]}
        yield _("%(name)s has %(found)s bytes; %(listed)s are listed.") % values
    if f"sha256:{found.sha256}" != resource["hash"]:
        yield _("%(name)s was changed: its checksum differs.") % {"name": path}
    rows = found.csv_lines - 1 if path.endswith(".csv") else found.lines
    if resource.get("type") == "table" and rows != resource.get("rows"):
        values = {"name": path, "found": rows, "listed": resource.get("rows")}
        yield _("%(name)s has %(found)s rows; %(listed)s are listed.") % values


def _worded(error: BaseException) -> str:
    return str(error) or type(error).__name__
