"""Parts: up to 100,000 gathered rows of one collection, compressed and encrypted in storage.

A part is orjson lines, one record each: {"t": ISO time or null, "f": attachments, "k": key, "d": data, "m": secrets
masked, by kind}; "f" and "m" only where there are any. An attachment is {name, media_type, bytes, sha256}. Contents
follow one another in a pack beside the part, so that neither writing nor reading holds more than one.
Secrets are masked as a part is written; what is in storage never held them.
"""

import hashlib
import io
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Protocol, cast

import orjson
from django.core.files.base import File
from django.core.files.storage import Storage
from isal import igzip_lib, isal_zlib

from dsr import keys
from dsr.bundle import mask, sealed

_LEVEL = 2
_GZIP = 31
_BATCH = 1 << 18
_LINE_LIMIT = 1 << 27
# isal's error is a class whose stub says otherwise.
_NotDeflated = cast(type[Exception], igzip_lib.IsalError)


class PartBroken(Exception):
    """A part is not what was written: changed, cut short, or not the rows that were counted."""


class Attachment(Protocol):
    """A file that hangs on a record."""

    @property
    def name(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def content(self) -> bytes: ...


class Recorded(Protocol):
    """What a part needs of a connector's record."""

    @property
    def key(self) -> Any: ...
    @property
    def at(self) -> datetime | None: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def files(self) -> Iterable["Attachment"]: ...


@dataclass
class PartInfo:
    """What was written: rows, bytes and sha256 of the plain lines, period, secrets masked by kind, attachments."""

    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    first: str = ""
    last: str = ""
    files: int = 0
    masked: Counter[str] = field(default_factory=Counter)


def lines(records: Iterable[Recorded], storage: Storage, name: str, context: bytes) -> Iterator[bytes]:
    """Records as the lines of a part. Their attachments go into the part's pack, encrypted, as the lines are taken."""
    with tempfile.TemporaryFile() as waiting:
        pack = Pack(cast(BinaryIO, waiting), context)
        for record in records:
            yield record_line(record, [pack.add(file) for file in record.files])
        if pack.files:
            pack.save(storage, pack_name(name))


def record_line(record: Recorded, attached: list[dict[str, Any]] | None = None) -> bytes:
    """One record as the line of a part; `attached` is what Pack.add said of each of its files."""
    envelope: dict[str, Any] = {"t": record.at.isoformat() if record.at else None}
    if attached:
        envelope["f"] = attached
    return orjson.dumps(envelope | {"k": record.key, "d": record.data}, default=str)


def delete(storage: Storage, name: str) -> None:
    """Remove a part and its attachments; nothing happens when they are gone already."""
    storage.delete(name)
    storage.delete(pack_name(name))


def write_part(records: Iterable[bytes], target: Storage, name: str, context: bytes) -> PartInfo:
    """Mask, compress and encrypt lines into storage under `name`. When anything fails, nothing is left."""
    info = PartInfo()
    sealed.save(target, name, _compressed(_counted(records, info)), context)
    return info


def _counted(records: Iterable[bytes], info: PartInfo) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for found, masked in mask.mask_lines(records):
        line = (_with_counts(found, masked) if masked else found) + b"\n"
        info.masked.update(masked)
        _note(line, info)
        digest.update(line)
        info.rows += 1
        info.bytes += len(line)
        yield line
    info.sha256 = digest.hexdigest()


def _with_counts(line: bytes, masked: Counter[str]) -> bytes:
    envelope = orjson.loads(line)
    envelope["m"] = dict(masked)
    return orjson.dumps(envelope)


def _note(line: bytes, info: PartInfo) -> None:
    at, files = _head(line)
    info.files += files
    if at:
        info.first = min(info.first or at, at)
        info.last = max(info.last, at)


def _head(line: bytes) -> tuple[str, int]:
    # Lines as record_line writes them, without attachments, are not parsed: this runs for every row.
    if line.startswith(b'{"t":null,"k":'):
        return "", 0
    if line.startswith(b'{"t":"') and line[(end := line.index(b'"', 6)) :].startswith(b'","k":'):
        return line[6:end].decode(), 0
    envelope = orjson.loads(line)
    return envelope.get("t") or "", len(envelope.get("f", ()))


def _compressed(plain: Iterable[bytes]) -> Iterator[bytes]:
    compressor = isal_zlib.compressobj(level=_LEVEL, wbits=_GZIP)
    batch: list[bytes] = []
    size = 0
    for line in plain:
        batch.append(line)
        size += len(line)
        if size >= _BATCH:
            yield compressor.compress(b"".join(batch))
            batch, size = [], 0
    yield compressor.compress(b"".join(batch)) + compressor.flush()


def read_part(
    storage: Storage, name: str, context: bytes, *, rows: int | None = None, sha256: str | None = None
) -> Iterator[dict[str, Any]]:
    """The records of a part, as they were written.

    Raises keys.DoesNotOpen or PartBroken when the part was changed, cut short or moved, or, where the number of
    rows and the digest are given, when it is not that part. The rows before the fault have been handed out by then:
    who reads must not keep what came from a stream that ended with an error.
    """
    digest = hashlib.sha256()
    count = 0
    for line in _plain_lines(storage, name, context):
        digest.update(line)
        count += 1
        yield orjson.loads(line)
    if rows is not None and rows != count:
        raise PartBroken(f"{name} holds {count} rows; {rows} were counted when it was written.")
    if sha256 is not None and sha256 != digest.hexdigest():
        raise PartBroken(f"{name} is not the part that was written: its sha256 differs.")


def _plain_lines(storage: Storage, name: str, context: bytes) -> Iterator[bytes]:
    rest = b""
    for chunk in _inflated(storage, name, context):
        *whole, last = chunk.split(b"\n")
        if not whole:
            rest += last
            if len(rest) > _LINE_LIMIT:
                raise PartBroken(f"{name} holds a line longer than {_LINE_LIMIT} bytes.")
            continue
        whole[0] = rest + whole[0]
        yield from (line + b"\n" for line in whole)
        rest = last
    if rest:
        raise PartBroken(f"{name} ends in the middle of a line.")


def _inflated(storage: Storage, name: str, context: bytes) -> Iterator[bytes]:
    inflate = isal_zlib.decompressobj(wbits=_GZIP)
    for chunk in sealed.chunks(storage, name, context):
        # Compressed a hundredfold, a chunk would be 25 MB: it is taken out in pieces.
        waiting = chunk
        while waiting and not inflate.eof:
            yield _inflate(inflate, waiting, name)
            waiting = inflate.unconsumed_tail
        if inflate.unused_data or (waiting and inflate.eof):
            raise PartBroken(f"{name} goes on after its end.")
    if not inflate.eof:
        raise PartBroken(f"{name} ends in the middle.")


def _inflate(inflate: Any, waiting: bytes, name: str) -> bytes:
    try:
        return cast(bytes, inflate.decompress(waiting, _BATCH))
    except _NotDeflated as error:
        raise PartBroken(f"{name} does not decompress.") from error


def read_files(storage: Storage, name: str, context: bytes, counts: Iterable[int]) -> Iterator[Iterator[bytes]]:
    """The contents of a part's attachments in the order of its records, in chunks; `counts` are their sizes in bytes.

    Each must be read to its end before the next. Raises PartBroken when the pack holds less or more.
    """
    source = _Reader(sealed.chunks(storage, pack_name(name), _pack_context(context)), name)
    for count in counts:
        yield source.take(count)
    source.expect_end()


class _Reader:
    """Counted bytes out of a stream of chunks."""

    def __init__(self, chunks: Iterator[bytes], name: str) -> None:
        self._chunks = chunks
        self._name = name
        self._rest = b""

    def take(self, count: int) -> Iterator[bytes]:
        while count:
            self._rest = self._rest or next(self._chunks, b"")
            if not self._rest:
                raise PartBroken(f"The attachments of {self._name} end in the middle.")
            taken, self._rest = self._rest[:count], self._rest[count:]
            count -= len(taken)
            yield taken

    def expect_end(self) -> None:
        if self._rest or next(self._chunks, b""):
            raise PartBroken(f"There are more attachments of {self._name} than records speak of.")


def pack_name(name: str) -> str:
    """Where the attachments of the part of this name are."""
    return f"{name}.files"


def _pack_context(context: bytes) -> bytes:
    return context + b":files"


class Pack:
    """The attachments of one part, one after another, encrypted. They wait in a file without a name until saved."""

    def __init__(self, waiting: BinaryIO, context: bytes) -> None:
        self._waiting = waiting
        self._sealer = keys.encrypting_stream(cast(BinaryIO, _KeptOpen(waiting)), _pack_context(context))
        self.files = 0

    def add(self, file: Attachment) -> dict[str, Any]:
        """Append one. Returns what its record says of it."""
        self._sealer.write(file.content)
        self.files += 1
        return {
            "name": file.name,
            "media_type": file.media_type,
            "bytes": len(file.content),
            "sha256": hashlib.sha256(file.content).hexdigest(),
        }

    def save(self, storage: Storage, name: str) -> None:
        """Put the pack into storage, in place of what a killed worker may have left there."""
        self._sealer.close()
        self._waiting.seek(0)
        storage.delete(name)
        saved = storage.save(name, File(self._waiting, name=name))
        if saved != name:
            storage.delete(saved)
            raise sealed.NameTaken(f"Storage made {saved} of {name}.")


class _KeptOpen(io.RawIOBase):
    """Closing the encryption must not close the file under it: it is read again to be saved."""

    def __init__(self, under: BinaryIO) -> None:
        self._under = under

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._under.write(data)
