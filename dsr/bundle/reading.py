"""One collection's rows for an archive: verified as they stream, redacted, attachments named."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.files.storage import Storage

from dsr.bundle import pack, parts
from dsr.bundle.contents import PartRef, Source
from dsr.bundle.names import Names
from dsr.bundle.summary import Summary
from dsr.bundle.table import Table

Redact = Callable[[Source, dict[str, Any]], dict[str, Any] | None]
# In a pack of so many bytes there can be many files, empty ones even: records of it are at least so long.
_SHORTEST_MENTION = 100


@dataclass(frozen=True, slots=True)
class _Placed:
    """One attachment: where it goes in the archive, or nowhere ("") when its record was dropped."""

    path: str
    media_type: str
    bytes: int
    sha256: str


class Reading:
    """A source, read once for its data, and again in part for its pages."""

    def __init__(self, source: Source, storage: Storage, redact: Redact | None) -> None:
        self.source = source
        self.summary = Summary(source=source, table=Table(source.columns), model=source.model)
        self._storage = storage
        self._redact = redact
        self._names = Names()
        self._files: list[list[_Placed]] = []  # for each part that was read
        self._packs = {part.name: self._pack_size(part) for part in source.parts}

    def _pack_size(self, part: PartRef) -> int:
        name = pack.pack_name(part.name)
        return self._storage.size(name) if self._storage.exists(name) else 0

    @property
    def pack_bytes(self) -> int:
        """The size of all attachments, about."""
        return sum(self._packs.values())

    @property
    def most_files(self) -> int:
        """More attachments than this there cannot be."""
        return sum(part.bytes // _SHORTEST_MENTION + 1 for part in self.source.parts if self._packs[part.name])

    @property
    def is_plain(self) -> bool:
        """Whether the rows go out just as they lie in the parts: nothing is redacted, and no files hang on them."""
        return self._redact is None and not any(self._packs.values())

    def survey(self) -> None:
        """Learn the columns of every row: a table in CSV needs them in its first line."""
        if self.is_plain and all(part.is_even for part in self.source.parts):
            return  # all have the declared ones
        for part in self.source.parts:
            for record in self._records(part):
                data = record["d"]
                if record.get("f"):
                    data[self._files_column(data)] = []
                self.summary.table.see(data)

    def data(self) -> Iterator[bytes]:
        """Every row as JSON Lines, where `is_plain`: as it lies in the parts, in pieces of whole lines.

        Raises as `rows` does. The rows are known already, from when they were gathered.
        """
        for part in self.source.parts:
            reader = self._reader(part)
            yield from reader.data()
            self.summary.merge(reader.tally)
            self.summary.rows_by_part.append(part.rows)
            self._files.append([])

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row that goes into the archive. A part that is not what was gathered raises PartBroken at its end."""
        for part in self.source.parts:
            before = self.summary.rows
            files: list[_Placed] = []
            self._files.append(files)
            for record in self._all_records(part):
                data = self._kept(record, files)
                if data is not None:
                    yield data
            self.summary.rows_by_part.append(self.summary.rows - before)

    def _kept(self, record: dict[str, Any], files: list[_Placed]) -> dict[str, Any] | None:
        kept = self._redact(self.source, record) if self._redact else record
        if kept is None:
            self.summary.left_out += 1
            files += [_Placed("", "", file["bytes"], file["sha256"]) for file in record.get("f", ())]
            return None
        data: dict[str, Any] = kept["d"]
        if "f" in record:
            self._attach(data, record, files)
        self.summary.see(kept)
        return data

    def _attach(self, data: dict[str, Any], record: Mapping[str, Any], files: list[_Placed]) -> None:
        folder = f"files/{self.source.system}/{self.source.collection}"
        key = "-".join(str(piece) for piece in record["k"] or ())[:40]
        placed = []
        for file in record["f"]:
            name = self._names.take(f"{key}-{file['name']}" if key else file["name"])
            placed.append(_Placed(f"{folder}/{name}", _media_type(file["media_type"]), file["bytes"], file["sha256"]))
        files += placed
        self.summary.files += len(placed)
        data[self._files_column(data)] = [file.path for file in placed]

    def _files_column(self, data: Mapping[str, Any]) -> str:
        if not self.summary.files_column:
            taken = {*self.summary.table.names, *data}
            self.summary.files_column = next(n for n in ("files", "attached_files", "files_here") if n not in taken)
        return self.summary.files_column

    def rows_again(self, behind: int = 0) -> Iterator[dict[str, Any]]:
        """The rows behind the first so many, once more. Parts before them are not opened."""
        if self.is_plain:
            yield from self._plain_again(behind)
            return
        for part, count, files in zip(self.source.parts, self.summary.rows_by_part, self._files, strict=True):
            if behind >= count:
                behind -= count
                continue
            placed = iter(files)
            for record in self._all_records(part):
                paths = [next(placed).path for _file in record.get("f", ())]
                kept = self._redact(self.source, record) if self._redact else record
                if kept is None:
                    continue
                if behind:
                    behind -= 1
                    continue
                if paths:
                    kept["d"][self.summary.files_column] = paths
                yield kept["d"]

    def _plain_again(self, behind: int) -> Iterator[dict[str, Any]]:
        for part in self.source.parts:
            if behind >= part.rows:
                behind -= part.rows
                continue
            for lines in self._reader(part).lines():
                yield from map(orjson.loads, lines[2 * behind + 1 :: 2])
                behind = max(0, behind - len(lines) // 2)

    def attachments(self) -> Iterator[tuple[str, str, Iterator[bytes]]]:
        """Every file as (path, media type, chunks), in the order of the rows."""
        for part, files in zip(self.source.parts, self._files, strict=True):
            if not files:
                continue
            contents = pack.read_files(self._storage, part.name, part.context, (file.bytes for file in files))
            for file, chunks in zip(files, contents, strict=True):
                checked = _checked(chunks, file, part)
                if file.path:
                    yield file.path, file.media_type, checked
                else:
                    for _chunk in checked:  # of a dropped record: passed over, and checked all the same
                        pass

    def _records(self, part: PartRef) -> Iterator[dict[str, Any]]:
        for record in self._all_records(part):
            kept = self._redact(self.source, record) if self._redact else record
            if kept is not None:
                yield kept

    def _reader(self, part: PartRef) -> parts.PartReader:
        return parts.PartReader(self._storage, part.name, part.context, rows=part.rows, sha256=part.sha256)

    def _all_records(self, part: PartRef) -> Iterator[dict[str, Any]]:
        return parts.read_part(self._storage, part.name, part.context, rows=part.rows, sha256=part.sha256)


def _checked(chunks: Iterator[bytes], file: _Placed, part: PartRef) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != file.sha256:
        raise parts.PartBroken(f"An attachment of {part.name} is not the one that was gathered.")


def _media_type(text: str) -> str:
    """A media type as a source wrote it, if it can be one."""
    main, _slash, sub = text.strip().lower().partition("/")
    is_plain = all(c.isascii() and (c.isalnum() or c in "+-.") for c in main + sub)
    return f"{main}/{sub}" if main and sub and is_plain and len(text) < 100 else "application/octet-stream"
