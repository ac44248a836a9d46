"""Attachments: the contents of a part's files in a pack beside it, one after another, encrypted."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Protocol, cast

from django.core.files.base import File
from django.core.files.storage import Storage

from dsr import keys
from dsr.bundle import sealed


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
