"""Rows as records. What has to be done to each column is settled once, before the first row is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, func, null

from dsr.connectors import FileRef, Record, Scope
from dsr.connectors.sql.finding import Reach
from dsr.connectors.sql.keyset import Keyset, written_key
from dsr.connectors.sql.mapping import Mapped
from dsr.connectors.sql.tables import SourceColumn, Tables
from dsr.connectors.sql.timespan import moment, within
from dsr.connectors.sql.values import PLAIN, Converter, UnknownType, any_value, converter, refused

Row = Sequence[Any]
REMEMBERED_OWNERS = 1_000


@dataclass(frozen=True)
class Places:
    """Where in a row of the statement each thing stands. The columns that go out come first, in their order."""

    columns: dict[str, int]
    owners: tuple[int, ...]
    key: tuple[int, ...]
    time: int | None


class Reading:
    """A statement over a person's rows of one collection, and what makes each row it gives a record."""

    def __init__(self, tables: Tables, here: Mapped, found: Reach, scope: Scope) -> None:
        self.tables, self.here, self.found, self.scope = tables, here, found, scope
        self.keyset = Keyset(tables, here.table, here.key)
        self._elements: list[ColumnElement[Any]] = []
        self.places = self._lay_out()

    def statement(self, after: Sequence[Any] | None) -> Select[Any]:
        """The rows in the order of their keys, those after the given one only."""
        return self.selecting(self._elements, after)

    def selecting(self, elements: Sequence[ColumnElement[Any]], after: Sequence[Any] | None) -> Select[Any]:
        """These elements of the rows in the order of their keys, of those after the given one only."""
        statement = self.found.select(*(element.label(f"c{n}") for n, element in enumerate(elements)))
        if self.here.time is not None:
            statement = statement.where(within(self.scope, self.here.time, self.tables.dialect))
        if self.here.key:
            statement = statement.order_by(*self.keyset.order())
            if after is not None:
                statement = statement.where(self.keyset.after(after))
        return statement

    def counting(self) -> Select[Any]:
        """How many rows that is."""
        statement = self.found.select(func.count())
        if self.here.time is not None:
            statement = statement.where(within(self.scope, self.here.time, self.tables.dialect))
        return statement

    def records(self, rows: Iterable[Row], careful: bool) -> Iterator[Record]:
        """The records of these rows. `careful` looks at every text for bytes that were not UTF-8."""
        convert = self._conversion(careful)
        whose = self._owner()
        files = self._files()
        key, time, timed = _picked(self.places.key), self.places.time, self._timed()
        for row in rows:
            data = convert(row)
            at = None if time is None else moment(row[time])
            if timed and at is not None:
                data[timed] = at.isoformat()
            yield Record(
                whose(row),
                tuple([written_key(value) for value in key(row)]),
                at,
                data,
                files(row, data) if files is not None else (),
            )

    def _lay_out(self) -> Places:
        shown: dict[str, int] = {}
        for name, column in self.here.columns.items():
            # What stays back is not even read. Each column takes a place of its own, for null() is one object and two
            # secret columns sharing a place would put every later value under the wrong name.
            shown[name] = len(self._elements)
            self._elements.append(null() if name in self.here.secret else self.element(name, column))
        owners = tuple(self._place(owner.element) for owner in self.found.owners)
        key = tuple(self._place(column.element) for column in self.here.key)
        return Places(shown, owners, key, self._place(self.here.time.element) if self.here.time is not None else None)

    def element(self, name: str, column: SourceColumn) -> ColumnElement[Any]:
        """What to ask for to give this column out: without other people's names where SQL can leave them out."""
        names = self.found.names.get(name)
        return column.element if names is None or names.element is None else names.element

    def _place(self, element: ColumnElement[Any]) -> int:
        for place, known in enumerate(self._elements):
            if known is element:
                return place
        self._elements.append(element)
        return len(self._elements) - 1

    def _conversion(self, careful: bool) -> Callable[[Row], dict[str, Any]]:
        names = tuple(self.here.columns)
        converters: list[tuple[int, Converter]] = []
        unlooked: list[int] = []
        for place, (name, column) in enumerate(self.here.columns.items()):
            known = self._converter(name, column.family) or (any_value if careful else None)
            if known is None:
                unlooked.append(place)
            else:
                converters.append((place, known))
        picked = _picked(tuple(unlooked))

        def convert(row: Row) -> dict[str, Any]:
            values = list(row)
            place = 0
            try:
                for place, change in converters:
                    values[place] = change(values[place])
                if not PLAIN.issuperset(map(type, picked(row))):
                    for place in unlooked:
                        values[place] = any_value(values[place])
            except UnknownType as unknown:
                where = (self.here.collection.name, names[place], self.tables.system.name)
                raise refused(str(unknown), *where) from None
            return dict(zip(names, values, strict=False))  # what the row has beyond its columns does not go out

        return convert

    def _timed(self) -> str:
        """The time column, where it goes out as a time: it is read for each row anyway, and need not be read twice."""
        time = self.here.time
        shown = time is not None and time.name in self.here.columns and time.name not in self.here.secret
        return time.name if time is not None and shown and time.family == "datetime" else ""

    def _converter(self, name: str, family: str) -> Converter | None:
        names = self.found.names.get(name)
        if names is None or names.element is not None or name in self.here.secret:
            return self._plain_converter(name, family)
        plain = self._plain_converter(name, family) or any_value
        return lambda value: names.without_others(plain(value))

    def _plain_converter(self, name: str, family: str) -> Converter | None:
        if name == self._timed():
            return any_value
        if any(file.column == name for file in self.here.collection.files):
            return _nothing  # its content goes out as a file
        return converter(family)

    def _owner(self) -> Callable[[Row], str]:
        picked = _picked(self.places.owners)
        seen: dict[tuple[Any, ...], str] = {}

        def whose(row: Row) -> str:
            values = picked(row)
            owner = seen.get(values)
            if owner is None:
                if len(seen) >= REMEMBERED_OWNERS:
                    seen.clear()
                owner = seen[values] = self.found.whose(values)
            return owner

        return whose

    def _files(self) -> Callable[[Row, dict[str, Any]], tuple[FileRef, ...]] | None:
        columns = self.here.columns
        held = [file for file in self.here.collection.files if file.column in columns]
        held = [file for file in held if file.column not in self.here.secret]
        if not held:
            return None

        def files(row: Row, data: dict[str, Any]) -> tuple[FileRef, ...]:
            found: list[FileRef] = []
            for file in held:
                content = row[self.places.columns[file.column]]
                if content is not None:
                    name = str(data.get(file.name) or file.column)
                    kind = str(data.get(file.media_type) or "application/octet-stream")
                    found.append(FileRef(name, kind, _as_bytes(content)))
                    data[file.column] = name
            return tuple(found)

        return files


def _picked(places: tuple[int, ...]) -> Callable[[Row], tuple[Any, ...]]:
    if not places:
        return lambda row: ()
    if len(places) == 1:
        only = places[0]
        return lambda row: (row[only],)
    return itemgetter(*places)


def _nothing(value: Any) -> None:
    return None


def _as_bytes(content: Any) -> bytes:
    return content.encode(errors="surrogateescape") if isinstance(content, str) else bytes(content)
