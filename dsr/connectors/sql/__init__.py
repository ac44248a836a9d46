"""Databases, through SQLAlchemy: the rows of one person, by bound values and names the database itself gave.

Reads only. Nothing is loaded whole: rows come one by one, from a server-side cursor where the database has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from sqlalchemy import Connection, Engine, exc, func, literal, select

from dsr.connectors import (
    Block,
    Channel,
    Column,
    Connector,
    Found,
    Health,
    Identifiers,
    Record,
    Scope,
    Size,
    SystemRefused,
    SystemUnreachable,
    Unmapped,
)
from dsr.connectors.sql import catalogue, drift, engine, finding, fitting, learning, mapping, replicas, sessions
from dsr.connectors.sql.copying import Copy
from dsr.connectors.sql.failures import told_apart, unreadable_text
from dsr.connectors.sql.rows import Reading
from dsr.connectors.sql.tables import Tables
from dsr.policy.systems import Collection, System

# Rows that a server-side cursor gives at once; a row may hold a very long text, or a file.
ROWS_AT_ONCE, FILES_AT_ONCE = 200, 10


def connect(system: System) -> Connector:
    """A connector for this database. Nothing is opened before it is needed."""
    return SqlConnector(system)


class SqlConnector(Connector):
    """One database."""

    capabilities = frozenset({"check", "identify", "count", "export", "columns", "unmapped", "rows"})

    def check(self) -> Health:
        try:
            found = [
                problem for each in self._tables.system.collections for problem in mapping.problems(self._tables, each)
            ]
            notes = tuple(drift.differences(self._tables))
            if not found:
                self._touch()
            standing = self._standing()
        except (SystemRefused, SystemUnreachable) as error:
            return Health(False, error.detail, error.hint)
        if found:
            hints = dict.fromkeys(problem.hint for problem in found)
            return Health(False, " ".join(problem.detail for problem in found), " ".join(hints), notes)
        if standing.is_stale:
            return Health(False, standing.words(), standing.hint(), notes)
        wrong = self._cannot_change()
        words = [self._readable(), *self._unkeyed(), standing.words(), wrong.detail if wrong else ""]
        hints_ = [standing.hint(), wrong.hint if wrong else ""]
        return Health(True, " ".join(filter(None, words)), " ".join(filter(None, hints_)), notes)

    def identify(self, identifiers: Identifiers) -> Found:
        known: dict[str, frozenset[str]] = {}
        channels: list[Channel] = []
        with self._reading() as connection, _any_text(connection):
            replicas.refuse_stale(connection, self.system.name)
            if not self._tables.names:  # asked also of one that teaches nothing: that it cannot be read must show
                raise SystemRefused(
                    _("The database holds no table that this account may see."),
                    _("Give the account in the system's URL the right to read (SELECT) the mapped tables."),
                    system=self.system.name,
                )
            for collection in self._tables.system.collections:
                for kind, values in learning.taught(connection, self._tables, collection, identifiers).items():
                    known[kind] = known.get(kind, frozenset()) | values
                if collection.channel:
                    found = finding.reach(self._tables, collection, identifiers)
                    channels += learning.channels(connection, self._tables, collection.channel, found)
        return Found(known, tuple(channels))

    def owners(self, identifiers: Identifiers, collection: str) -> frozenset[str]:
        if self._lacks(collection):
            return frozenset()
        with told_apart(self.system.name, collection):
            return finding.owners(self._tables, self._collection(collection), identifiers)

    def count(self, identifiers: Identifiers, collection: str, scope: Scope) -> int:
        if self._lacks(collection) or not scope.covers(self._collection(collection).category):
            return 0
        with told_apart(self.system.name, collection):
            statement = self._statement(identifiers, collection, scope).counting()
        with self._reading(collection) as connection:
            return int(connection.execute(statement).scalar_one())

    def export(
        self, identifiers: Identifiers, collection: str, scope: Scope, after: tuple[Any, ...] | None = None
    ) -> Iterator[Record]:
        if self._lacks(collection) or not scope.covers(self._collection(collection).category):
            return
        with self._to_export(identifiers, collection, scope, after) as (connection, reading):
            if self._copies(collection):
                yield from Copy(reading).records(connection, after)
            else:
                yield from self._stream(connection, reading, after)

    def blocks(
        self, identifiers: Identifiers, collection: str, scope: Scope, after: tuple[Any, ...] | None = None,
        *, most: int = 2_000,
    ) -> Iterator[Block] | None:  # fmt: skip
        if not self._copies(collection) or not scope.covers(self._collection(collection).category):
            return None
        return self._blocks(identifiers, collection, scope, after, most)

    def _blocks(
        self, identifiers: Identifiers, collection: str, scope: Scope, after: tuple[Any, ...] | None, most: int
    ) -> Iterator[Block]:
        with self._to_export(identifiers, collection, scope, after) as (connection, reading):
            yield from Copy(reading).blocks(connection, after, most)

    def _copies(self, collection: str) -> bool:
        """Whether COPY can give these rows; files are taken row by row."""
        return self._tables.dialect == "postgresql" and not self._collection(collection).files

    @contextmanager
    def _to_export(
        self, identifiers: Identifiers, collection: str, scope: Scope, after: tuple[Any, ...] | None
    ) -> Iterator[tuple[Connection, Reading]]:
        if after is not None and not self.resumable(collection):
            raise SystemRefused(
                _("“%(collection)s” has no key to go on from.") % {"collection": collection},
                _("Start this export again, or name a unique “key” in the systems file."),
                system=self.system.name,
            )
        with told_apart(self.system.name, collection):
            reading = self._statement(identifiers, collection, scope)
        with self._reading(collection) as connection:
            replicas.refuse_stale(connection, self.system.name)
            sessions.unhurried(connection)
            self._refuse_doubled(connection, reading)
            yield connection, reading

    def columns(self, collection: str) -> tuple[Column, ...]:
        return () if self._lacks(collection) else mapping.described(self._mapped(collection))

    def unmapped(self) -> list[Unmapped]:
        return list(mapping.unmapped(self._tables))

    def resumable(self, collection: str) -> bool:
        return self._lacks(collection) or bool(self._mapped(collection).key)

    def withheld(self, collection: str) -> dict[str, str]:
        return {} if self._lacks(collection) else mapping.withheld(self._mapped(collection))

    def rows(self, collection: str) -> Size | None:
        if self._lacks(collection):
            return None
        table = self._tables.table(self._collection(collection).table)
        with self._reading(collection) as connection:
            if self._tables.dialect != "sqlite":
                found = catalogue.estimate(connection, self._tables.schema, table.name)
                if found is None:
                    return None  # a view, which may be as costly as it likes
                if found.size > catalogue.COUNTED_BYTES:
                    return None if found.rows is None else Size(found.rows, is_estimate=True)
            statement = select(func.count()).select_from(table.clause)
            return Size(int(connection.execute(statement).scalar_one()))

    def close(self) -> None:
        if "_engine" in self.__dict__:
            self._engine.dispose()

    @cached_property
    def _engine(self) -> Engine:
        return engine.reading(self.system)

    @cached_property
    def _tables(self) -> Tables:
        tables = Tables(self._engine, self.system, self.system.schema_name or None)
        tables.system = fitting.fitted(tables)
        return tables

    @contextmanager
    def _reading(self, collection: str = "") -> Iterator[Connection]:
        with told_apart(self.system.name, collection), self._engine.connect() as connection:
            yield connection

    def _collection(self, name: str) -> Collection:
        return self._tables.system.collection(name)

    def _lacks(self, name: str) -> bool:
        """Whether this database has nothing for a collection, which the systems file allows: nobody has rows in it."""
        return all(collection.name != name for collection in self._tables.system.collections)

    def _mapped(self, collection: str) -> mapping.Mapped:
        return mapping.mapped(self._tables, self._collection(collection))

    def _statement(self, identifiers: Identifiers, collection: str, scope: Scope) -> Reading:
        found = finding.reach(self._tables, self._collection(collection), identifiers)
        return Reading(self._tables, self._mapped(collection), found, scope)

    def _stream(self, connection: Connection, reading: Reading, after: tuple[Any, ...] | None) -> Iterator[Record]:
        last = after
        # Without a key there is no going on in the middle, so text is looked at from the start.
        if reading.here.key or self._tables.dialect != "sqlite":
            try:
                for record in self._records(connection, reading, last, careful=False):
                    last = record.key
                    yield record
                return
            except exc.DBAPIError as error:
                if not unreadable_text(error):
                    raise
        # Text that is not UTF-8: from here on slower, and with those bytes written out.
        with _any_text(connection):
            yield from self._records(connection, reading, last, careful=True)

    def _records(
        self, connection: Connection, reading: Reading, after: tuple[Any, ...] | None, careful: bool
    ) -> Iterator[Record]:
        if self._tables.dialect != "sqlite":  # which gives row by row as it is
            at_once = FILES_AT_ONCE if reading.here.collection.files else ROWS_AT_ONCE
            connection = connection.execution_options(stream_results=True, max_row_buffer=at_once)
        with connection.execute(reading.statement(after)) as rows, sessions.may_be_left(connection):
            yield from reading.records(rows, careful)

    def _refuse_doubled(self, connection: Connection, reading: Reading) -> None:
        statement = reading.keyset.doubled(reading.found) if reading.here.key else None
        if statement is not None and connection.execute(statement).first() is not None:
            raise SystemRefused(
                _("Several rows of “%(collection)s” share one key, so going on after one would lose the others.")
                % {"collection": reading.here.collection.name},
                _("Name columns as “key” in the systems file that differ for every row."),
                system=self.system.name,
            )

    def _touch(self) -> None:
        """Read one row of each collection: an account may see a table and still not be let read it."""
        for collection in self._tables.system.collections:
            with self._reading(collection.name) as connection:
                table = self._tables.table(collection.table)
                connection.execute(select(literal(1)).select_from(table.clause).limit(1)).first()

    def _standing(self) -> replicas.Standing:
        with self._reading() as connection:
            return replicas.standing(connection)

    def _cannot_change(self) -> SystemRefused | SystemUnreachable | None:
        """Why nothing could be changed here, where the systems file names credentials for changing."""
        if not self.system.change_url_env:
            return None
        try:
            with told_apart(self.system.name):
                changing = engine.changing(self.system)
                try:
                    changing.connect().close()
                finally:
                    changing.dispose()
        except (SystemRefused, SystemUnreachable) as error:
            return error
        return None

    def _readable(self) -> str:
        many = len(self._tables.system.collections)
        return ngettext("%(many)d collection can be read.", "%(many)d collections can be read.", many) % {"many": many}

    def _unkeyed(self) -> Iterator[str]:
        for collection in self._tables.system.collections:
            if not self.resumable(collection.name):
                name = {"collection": collection.name}
                yield _("“%(collection)s” has no key: a broken-off export of it starts over.") % name


@contextmanager
def _any_text(connection: Connection) -> Iterator[None]:
    """Read text that is not UTF-8 as well. SQLite alone does not keep its text sound."""
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    usual, driver.text_factory = driver.text_factory, partial(str, encoding="utf-8", errors="surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = usual
