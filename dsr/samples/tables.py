"""Tables of the sample systems, and how rows get into SQLite quickly."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dsr.samples.people import SamplePerson

Record = dict[str, Any]
Rows = Iterator[tuple[str, Record]]  # name of the table, the row

_BATCH = 5_000


@dataclass(frozen=True)
class Table:
    """One table: its columns with their SQL types, and the collection the systems file makes of it."""

    system: str
    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    collection: str = ""  # empty: nobody mapped it, on purpose
    index: tuple[str, ...] = ()

    def key_of(self, record: Record) -> tuple[Any, ...]:
        """What tells this row from the others."""
        return tuple(record[column] for column in self.key)


@dataclass(frozen=True)
class Sample:
    """One policy's systems: where they are, what is in them, and who is."""

    name: str
    databases: Mapping[str, str]  # name of the system -> environment variable of its address
    tables: tuple[Table, ...]
    known: Callable[[int], SamplePerson]
    rows: Callable[[SamplePerson, date, int], Rows]  # everything of one person; the number is for the heavy one
    strays: Callable[[date], Rows]  # rows of nobody we serve: unmapped tables, leftovers
    environment: Mapping[str, str]


def row(table: str, /, **values: Any) -> tuple[str, Record]:
    """A row of the table with this name."""
    return table, values


def write(sample: Sample, folder: Path, rows: Iterable[tuple[str, Record]]) -> None:
    """Write the databases of a sample into `folder`, replacing what an earlier run left there."""
    tables = {table.name: table for table in sample.tables}
    with ExitStack() as stack:
        open_databases = {name: stack.enter_context(_fresh(folder / f"{name}.new")) for name in sample.databases}
        for table in sample.tables:
            open_databases[table.system].execute(_create(table))
        waiting: dict[str, list[Record]] = {name: [] for name in tables}
        for name, record in rows:
            batch = waiting[name]
            batch.append(record)
            if len(batch) == _BATCH:
                _insert(open_databases[tables[name].system], tables[name], batch)
                batch.clear()
        for name, batch in waiting.items():
            _insert(open_databases[tables[name].system], tables[name], batch)
        for table in sample.tables:
            _index(open_databases[table.system], table)
        for database in open_databases.values():
            database.execute("COMMIT")
    for name in sample.databases:
        os.replace(folder / f"{name}.new", folder / f"{name}.sqlite3")


def _fresh(path: Path) -> closing[sqlite3.Connection]:
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    # A half-written sample is thrown away, never repaired, so there is nothing for a journal to save.
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute("BEGIN")
    return closing(database)


def _create(table: Table) -> str:
    columns = [f'"{name}" {kind}' for name, kind in table.columns.items()]
    columns.append(f"PRIMARY KEY ({_names(table.key)})")
    return f'CREATE TABLE "{table.name}" ({", ".join(columns)})'


def _index(database: sqlite3.Connection, table: Table) -> None:
    for column in table.index:
        database.execute(f'CREATE INDEX "{table.name}_{column}" ON "{table.name}" ("{column}")')


def _insert(database: sqlite3.Connection, table: Table, batch: list[Record]) -> None:
    marks = ", ".join("?" * len(table.columns))
    statement = f'INSERT INTO "{table.name}" ({_names(table.columns)}) VALUES ({marks})'  # noqa: S608  # nosec B608
    kinds = [(name, _WRITERS.get(kind.split("(")[0])) for name, kind in table.columns.items()]
    database.executemany(statement, ([_stored(record[name], writer) for name, writer in kinds] for record in batch))


def _stored(value: Any, writer: Callable[[Any], Any] | None) -> Any:
    return value if value is None or writer is None else writer(value)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


_WRITERS: Mapping[str, Callable[[Any], Any]] = {
    # Always with microseconds: SQLite compares these as text, and a shorter text would sort before its equals.
    "DATETIME": lambda value: value.isoformat(" ", "microseconds"),
    "DATE": lambda value: value.isoformat(),
    "DECIMAL": float,  # as SQLite keeps it; its own reading of text is off in the last bit
    "BOOLEAN": int,
    "JSON": lambda value: json.dumps(value, ensure_ascii=False),
}
