"""Parts: up to 100,000 gathered rows of one collection, compressed and encrypted in storage.

A part is JSON lines, two a record: its head {"t": ISO time or null, "k": key, "f": attachments, "m": secrets masked, by
kind}, "f" and "m" only where there are any, and its data, just as it goes into an archive. The last line is the tally
of all rows. An attachment is {name, media_type, bytes, sha256}; contents are in a pack beside the part.
Secrets are masked as a part is written; what is in storage never held them.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import orjson
from django.core.files.storage import Storage
from isal import igzip_lib, isal_zlib

from dsr.bundle import mask, sealed
from dsr.bundle.pack import Pack, PartBroken, pack_name, read_files
from dsr.bundle.table import ColumnLike, Table
from dsr.bundle.tally import Tally
from dsr.connectors import Block, Record

__all__ = ["PartBroken", "PartInfo", "PartReader", "delete", "pack_name", "read_files", "read_part", "write_part"]

_LEVEL = 2
_GZIP = 31
_BATCH = 1 << 18
_LINE_LIMIT = 1 << 27
_TOGETHER, _ENOUGH_BYTES = 64, 1 << 16
# isal's error is a class whose stub says otherwise.
_NotDeflated = cast(type[Exception], igzip_lib.IsalError)

Item = Record | Block


@dataclass
class PartInfo:
    """What was written: rows, bytes and sha256 of the plain lines, period, secrets masked by kind, attachments."""

    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    first: str = ""
    last: str = ""
    files: int = 0
    is_even: bool = True
    masked: Counter[str] = field(default_factory=Counter)


def delete(storage: Storage, name: str) -> None:
    """Remove a part and its attachments; nothing happens when they are gone already."""
    storage.delete(name)
    storage.delete(pack_name(name))


def write_part(
    items: Iterable[Item],
    storage: Storage,
    name: str,
    context: bytes,
    *,
    columns: Iterable[ColumnLike] = (),
    model: str = "",
) -> PartInfo:
    """Mask, tally, compress and encrypt rows into storage under `name`. When anything fails, nothing is left.

    `columns` are those of the collection, with their declared types; `model` names the one that counts by model.
    """
    with tempfile.TemporaryFile() as waiting:
        pack = Pack(cast(BinaryIO, waiting), context)
        writing = _Writing(items, pack, Tally(table=Table(columns), model=model))
        sealed.save(storage, name, _compressed(writing.chunks()), context)
        try:
            if pack.files:
                pack.save(storage, pack_name(name))
        except BaseException:
            storage.delete(name)
            raise
    return writing.info()


class _Writing:
    """Rows on their way into a part."""

    def __init__(self, items: Iterable[Item], pack: Pack, tally: Tally) -> None:
        self._items, self._pack, self._tally = items, pack, tally
        self._digest = hashlib.sha256()
        self._bytes = 0

    def chunks(self) -> Iterator[bytes]:
        """The plain lines of the part, some at a time."""
        waiting = _Waiting()
        for item in self._items:
            if not isinstance(item, Block):
                waiting.add(item, self._pack)
                if not waiting.is_enough:
                    continue
            yield self._noted(self._records(waiting))
            waiting = _Waiting()
            if isinstance(item, Block):
                yield self._noted(self._block(item))
        yield self._noted(self._records(waiting))
        yield self._noted(orjson.dumps(self._tally.plain()) + b"\n")

    def info(self) -> PartInfo:
        """What was written."""
        tally = self._tally
        return PartInfo(
            tally.rows, self._bytes, self._digest.hexdigest(), tally.first, tally.last, self._pack.files,
            not tally.table.is_uneven, tally.masked,
        )  # fmt: skip

    def _noted(self, chunk: bytes) -> bytes:
        self._digest.update(chunk)
        self._bytes += len(chunk)
        return chunk

    def _records(self, waiting: "_Waiting") -> bytes:
        masked = list(mask.mask_lines(waiting.lines))
        lines: list[bytes] = []
        for row, (head, in_head), (data, in_data) in zip(waiting.rows, masked[::2], masked[1::2], strict=True):
            secrets = in_head + in_data
            lines += (_with_counts(head, secrets), data)
            self._tally.see(row | {"d": orjson.loads(data)} if in_data else row)
            self._tally.masked.update(secrets)
        return b"\n".join([*lines, b""])

    def _block(self, block: Block) -> bytes:
        self._tally.see_block(block)
        suspects = mask.suspects(block.texts, block.rows)
        if not suspects:
            return block.lines
        lines = block.lines.split(b"\n")
        for place in suspects:
            head, in_head = mask.mask_line(lines[2 * place])
            data, in_data = mask.mask_line(lines[2 * place + 1])
            secrets = in_head + in_data
            lines[2 * place : 2 * place + 2] = (_with_counts(head, secrets), data)
            self._tally.masked.update(secrets)
        return b"\n".join(lines)


class _Waiting:
    """Single records that are masked together: to look whether there is a secret costs by the call."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.lines: list[bytes] = []
        self._bytes = 0

    @property
    def is_enough(self) -> bool:
        """Whether they should be written now."""
        return len(self.rows) >= _TOGETHER or self._bytes >= _ENOUGH_BYTES

    def add(self, record: Record, pack: Pack) -> None:
        """Take a record; its attachments go into the pack at once, and are not held."""
        at = record.at.isoformat() if record.at else None
        head: dict[str, Any] = {"t": at, "k": record.key}
        if record.files:
            head["f"] = [pack.add(file) for file in record.files]
        data = orjson.dumps(record.data, default=str)
        self.rows.append({"t": at, "d": record.data})
        self.lines += (orjson.dumps(head), data)
        self._bytes += len(data)


def _with_counts(head: bytes, masked: Counter[str]) -> bytes:
    return orjson.dumps(orjson.loads(head) | {"m": masked}) if masked else head


def _compressed(plain: Iterable[bytes]) -> Iterator[bytes]:
    compressor = isal_zlib.compressobj(level=_LEVEL, wbits=_GZIP)
    for chunk in plain:
        if made := compressor.compress(chunk):
            yield made
    yield compressor.flush()


def read_part(
    storage: Storage, name: str, context: bytes, *, rows: int | None = None, sha256: str | None = None
) -> Iterator[dict[str, Any]]:
    """The records of a part, as they were written: heads with the data as "d".

    Raises keys.DoesNotOpen or PartBroken when the part was changed, cut short or moved, or, where the number of
    rows and the digest are given, when it is not that part. The rows before the fault have been handed out by then:
    who reads must not keep what came from a stream that ended with an error.
    """
    for lines in PartReader(storage, name, context, rows=rows, sha256=sha256).lines():
        for head, data in zip(lines[::2], lines[1::2], strict=True):
            yield orjson.loads(head) | {"d": orjson.loads(data)}


class PartReader:
    """A part that is read once. It raises as `read_part` does."""

    def __init__(
        self, storage: Storage, name: str, context: bytes, *, rows: int | None = None, sha256: str | None = None
    ) -> None:
        self._storage, self._name, self._context = storage, name, context
        self._expected_rows, self._expected_sum = rows, sha256
        self.tally: dict[str, Any] = {}

    def data(self) -> Iterator[bytes]:
        """The data of all rows as JSON Lines, in pieces that end with a line; `tally` is there afterwards."""
        for lines in self.lines():
            yield b"\n".join([*lines[1::2], b""])

    def lines(self) -> Iterator[list[bytes]]:
        """Heads and data in turn, an even number at a time."""
        digest, count = hashlib.sha256(), 0
        rest = bytearray()
        for chunk in _inflated(self._storage, self._name, self._context):
            digest.update(chunk)
            rest += chunk
            if b"\n" not in chunk:
                if len(rest) > _LINE_LIMIT:
                    raise PartBroken(f"{self._name} holds a line longer than {_LINE_LIMIT} bytes.")
                continue
            lines = bytes(rest).split(b"\n")
            # The last line may go on, and the one before it may be a head whose data has not come.
            whole = (len(lines) - 1) // 2 * 2
            rest = bytearray(b"\n".join(lines[whole:]))
            count += whole // 2
            if whole:
                yield lines[:whole]
        self._expect(bytes(rest), count, digest.hexdigest())

    def _expect(self, rest: bytes, count: int, digest: str) -> None:
        if not rest.endswith(b"\n"):
            raise PartBroken(f"{self._name} ends in the middle of a line.")
        if self._expected_rows not in (None, count):
            raise PartBroken(
                f"{self._name} holds {count} rows; {self._expected_rows} were counted when it was written."
            )
        if self._expected_sum not in (None, digest):
            raise PartBroken(f"{self._name} is not the part that was written: its sha256 differs.")
        self.tally = orjson.loads(rest)


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
