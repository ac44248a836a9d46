"""A stream of plain chunks as an encrypted file that any Django storage can save, and back: memory stays flat."""

import io
from collections.abc import Iterator
from typing import BinaryIO, cast

from django.core.files.base import File
from django.core.files.storage import Storage

from dsr import keys

CHUNK = 1 << 18


class NameTaken(Exception):
    """The storage would not save under the name that was asked for."""


def save(storage: Storage, name: str, plain: Iterator[bytes], context: bytes) -> int:
    """Encrypt the chunks into storage under exactly this name, bound to context. Returns the bytes stored.

    What a killed worker left under the name is replaced. When anything fails, what was written so far is removed;
    it would not have opened, since only the last segment of a finished stream says that it is the last.
    """
    storage.delete(name)
    sealed = SealedFile(plain, context)
    saved = ""
    try:
        saved = storage.save(name, sealed)
        if saved != name:
            raise NameTaken(f"Storage made {saved} of {name}.")
    except BaseException:
        storage.delete(saved or name)
        raise
    return sealed.stored


def chunks(storage: Storage, name: str, context: bytes) -> Iterator[bytes]:
    """The plain chunks of what save() stored. Raises keys.DoesNotOpen when it was changed, cut short or moved."""
    with storage.open(name, "rb") as stored, keys.decrypting_stream(cast(BinaryIO, stored), context) as opened:
        while chunk := opened.read(CHUNK):
            yield chunk


class SealedFile(File):  # type: ignore[type-arg]  # a File takes no argument when it runs
    """What a storage reads is made as it reads: the next plain chunk, encrypted."""

    def __init__(self, plain: Iterator[bytes], context: bytes) -> None:
        super().__init__(file=None, name="sealed")
        self._plain = plain
        self._out = _Buffer()
        self._sealer = keys.encrypting_stream(cast(BinaryIO, self._out), context)
        self._is_done = False
        self.stored = 0

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Encrypted chunks until the end."""
        while chunk := self.read(chunk_size or CHUNK):
            yield chunk

    def read(self, size: int = -1) -> bytes:
        """The next encrypted bytes: up to `size`, all that is left when it is negative."""
        while not self._is_done and (size < 0 or self._out.waiting < size):
            self._pull()
        taken = self._out.take(size)
        self.stored += len(taken)
        return taken

    def _pull(self) -> None:
        for chunk in self._plain:
            self._sealer.write(chunk)
            return
        self._sealer.close()
        self._is_done = True

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing to close: the chunks come from a generator."""


class _Buffer(io.RawIOBase):
    """What the encryption has written and the storage has not taken yet."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    @property
    def waiting(self) -> int:
        return len(self._bytes)

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        before = len(self._bytes)
        self._bytes += cast(bytes, data)
        return len(self._bytes) - before

    def take(self, size: int) -> bytes:
        end = len(self._bytes) if size < 0 else size
        taken = bytes(self._bytes[:end])
        del self._bytes[:end]
        return taken
