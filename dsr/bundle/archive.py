"""The archive a person receives: parts in, one ZIP out, as a stream; nothing is held whole.

Data comes first, so that what is learned of it on the way (types, counts, periods) can stand in the pages, the index
and the manifest behind it.
"""

import itertools
import stat
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import orjson
from django.conf import settings
from django.core.files.storage import Storage
from isal import isal_zlib
from stream_zip import ZIP_32, ZIP_64, stream_zip

from dsr.bundle import index, pages
from dsr.bundle.contents import Contents, Source
from dsr.bundle.manifest import PATH, Manifest
from dsr.bundle.opening import NotVerified, extract, verify
from dsr.bundle.parts import PartBroken
from dsr.bundle.reading import Reading, Redact
from dsr.bundle.summary import Summary
from dsr.bundle.table import Csv, json_line

__all__ = ["NotVerified", "PartBroken", "build", "extract", "verify"]

Format = Literal["jsonl", "csv"]
Member = tuple[str, datetime, int, Any, Iterable[bytes]]

_LEVEL = 2
_FILE = stat.S_IFREG | 0o644
_JOINED = 1 << 16
_TOGETHER = 200
# Below this nothing can pass the limits of a plain ZIP, which more programs open than ZIP64.
_PLAIN_ZIP_BYTES = 1 << 30
_PLAIN_ZIP_FILES = 50_000
_SHEETS = ("pico.css", "portal.css", "bundle.css")


def build(
    contents: Contents,
    sources: Sequence[Source],
    storage: Storage,
    *,
    format: Format,
    letter: bytes,
    password: str | None = None,
    redact: Redact | None = None,
) -> Iterator[bytes]:
    """The archive in chunks of 64 kB; AES-256 when a password is given.

    `redact` may change a record, or drop it by returning None; it must answer alike each time, since a record is
    read for the data and again for the pages. Raises keys.DoesNotOpen or PartBroken when a part is not what was
    gathered: what has come out by then is no archive, and must be thrown away.
    """
    readings = [Reading(source, storage, redact) for source in sources]
    archive = _Archive(contents, readings, format, letter)
    zipped = stream_zip(archive.members(), get_compressobj=_deflate, password=password)
    return iter(zipped)


def _deflate() -> Any:
    return isal_zlib.compressobj(level=_LEVEL, wbits=-15)


class _Archive:
    """One archive on its way out."""

    def __init__(self, contents: Contents, readings: list[Reading], format: Format, letter: bytes) -> None:
        self._contents = contents
        self._is_csv = format == "csv"
        self._ending = format
        self._letter = letter
        self._readings = readings
        self._manifest = Manifest(is_csv=self._is_csv)
        self._made_at = datetime.combine(contents.made_on, time(12), tzinfo=UTC)
        self._method = self._fitting_method()

    def _fitting_method(self) -> Any:
        parts = [part for reading in self._readings for part in reading.source.parts]
        size = sum(part.bytes for part in parts) * 3 + sum(reading.pack_bytes for reading in self._readings)
        files = sum(reading.most_files for reading in self._readings) + (pages.MOST_PAGES + 1) * len(self._readings)
        is_known = all(part.bytes for part in parts)
        return ZIP_32 if is_known and size < _PLAIN_ZIP_BYTES and files < _PLAIN_ZIP_FILES else ZIP_64

    def members(self) -> Iterator[Member]:
        """Each file of the archive; it must be read to its end before the next is taken."""
        for reading in self._readings:
            yield from self._data(reading)
        for reading in self._readings:
            for path, media_type, chunks in reading.attachments():
                yield self._member(path, self._measured(chunks, reading.summary), media_type)
        for reading in self._readings:
            yield from self._pages(reading)
        summaries = [reading.summary for reading in self._readings]
        yield self._member("index.html", [index.render(self._contents, summaries, is_csv=self._is_csv)])
        yield self._member("style.css", [style(self._contents.accent, self._contents.accent_dark)])
        yield self._member("letter.pdf", [self._letter])
        yield self._plain(PATH, [self._manifest.write(self._contents)])

    def _data(self, reading: Reading) -> Iterator[Member]:
        summary = reading.summary
        if self._is_csv:
            reading.survey()
        written = self._csv(reading) if self._is_csv else self._json_lines(reading)
        first = next(written, None)
        if first is None:
            return
        summary.path = f"data/{summary.source.system}/{summary.source.collection}.{self._ending}"
        yield self._member(summary.path, itertools.chain([first], written))
        self._manifest.describe(summary)

    def _csv(self, reading: Reading) -> Iterator[bytes]:
        batches: Iterator[list[dict[str, Any]]]
        if reading.is_plain:
            batches = ([orjson.loads(line) for line in piece.splitlines()] for piece in reading.data())
        else:
            batches = _batches(reading.rows())
        first = next(batches, None)  # with it, all columns of a table whose rows were surveyed are known
        if first is not None:
            writer = Csv(reading.summary.table)
            yield writer.head()
            yield from map(writer.rows, itertools.chain([first], batches))

    def _json_lines(self, reading: Reading) -> Iterator[bytes]:
        if reading.is_plain:
            return reading.data()
        return _joined(map(json_line, reading.rows()))

    def _pages(self, reading: Reading) -> Iterator[Member]:
        summary = reading.summary
        if not summary.rows:
            return
        rows = reading.rows_again(behind=pages.skipped(summary))
        for path, page in pages.paginate(self._contents, summary, rows):
            summary.pages += 1
            yield self._member(path, [page])

    def _measured(self, chunks: Iterable[bytes], summary: Summary) -> Iterator[bytes]:
        for chunk in chunks:
            summary.bytes += len(chunk)
            yield chunk

    def _member(self, path: str, chunks: Iterable[bytes], media_type: str = "") -> Member:
        return self._plain(path, self._manifest.noted(path, chunks, media_type))

    def _plain(self, path: str, chunks: Iterable[bytes]) -> Member:
        return path, self._made_at, _FILE, self._method, chunks


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows some at a time."""
    return iter(lambda: list(itertools.islice(rows, _TOGETHER)), [])


def _joined(rows: Iterator[bytes]) -> Iterator[bytes]:
    """Rows in larger chunks: sums and compression cost by the call."""
    waiting: list[bytes] = []
    size = 0
    for row in rows:
        waiting.append(row)
        size += len(row)
        if size >= _JOINED:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def style(accent: str, accent_dark: str) -> bytes:
    """The archive's one sheet: the portal's, what tables need, and the company's colours (checked by the policy)."""
    own = f":root:not([data-theme=dark]) {{ --accent: {accent} }}\n" if accent else ""
    if accent_dark:
        own += "@media screen and (prefers-color-scheme: dark) "
        own += f"{{ :root:not([data-theme]) {{ --accent: {accent_dark} }} }}\n"
    return _sheets() + own.encode()


@lru_cache(maxsize=1)
def _sheets() -> bytes:
    folder = Path(settings.BASE_DIR) / "static"
    return b"\n".join((folder / name).read_bytes() for name in _SHEETS) + b"\n"
