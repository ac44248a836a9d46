"""What the database really has: its tables and columns, read once, as things a statement can be built from.

Every name in a statement comes out of here. A name in the systems file that the database does not have is refused, so
nothing from a file or a row is ever part of SQL; SQLAlchemy quotes what is.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from sqlalchemy import ColumnElement, Connection, Engine, Inspector, TableClause, column, exc, inspect, table, types
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.sql import quoted_name

from dsr.connectors import SystemRefused
from dsr.connectors.sql import catalogue, sessions
from dsr.connectors.sql.failures import told_apart
from dsr.policy.problem import did_you_mean
from dsr.policy.systems import System

# In this order: SQLAlchemy's Boolean, Uuid and Float are not among each other, Enum is a String, Float a Numeric.
FAMILIES: tuple[tuple[type[types.TypeEngine[Any]], str], ...] = (
    (mysql.BIT, "bits"),
    (postgresql.INET, "address"),
    (types.Boolean, "boolean"),
    (types.Integer, "integer"),
    (types.Float, "float"),
    (types.Numeric, "decimal"),
    (types.DateTime, "datetime"),
    (types.Date, "date"),
    (types.Time, "time"),
    (types.Interval, "interval"),
    (types.Uuid, "uuid"),
    (types.JSON, "json"),
    (types.ARRAY, "array"),
    (types._Binary, "binary"),
    (types.String, "text"),
)
# What is compared as what it is. Everything else is compared as text.
NATIVE = {
    "sqlite": frozenset({"integer", "float", "decimal", "boolean", "binary", "datetime", "date"}),
    "postgresql": frozenset({"integer", "float", "decimal", "boolean", "binary", "datetime", "date", "time", "interval",
                             "uuid", "address"}),
    "mysql": frozenset({"integer", "float", "decimal", "boolean", "binary", "datetime", "date", "time"}),
}  # fmt: skip


@dataclass(frozen=True)
class SourceColumn:
    """One column as the database declares it.

    `form` is how it compares: "native" (numbers, times, bytes), "text", "loose" (text that other signs may equal) or
    "other" (by its text only). `native` is the name of a type of PostgreSQL that text must be bound as.
    """

    name: str
    family: str
    nullable: bool
    element: ColumnElement[Any] = field(repr=False, compare=False)
    form: str = "text"
    collation: str = ""
    native: str = ""


@dataclass(frozen=True)
class SourceTable:
    """One table or view, its columns in order, its primary key, and every set of columns known to be unique."""

    name: str
    clause: TableClause = field(repr=False, compare=False)
    columns: dict[str, SourceColumn]
    primary_key: tuple[str, ...]
    unique: tuple[frozenset[str], ...]

    def proves_unique(self, key: tuple[str, ...]) -> bool:
        """Whether the database itself holds that no two rows share this key, empty values left aside."""
        return any(names <= set(key) for names in self.unique)


class Tables:
    """The tables of one database, looked up by the names of the systems file."""

    def __init__(self, engine: Engine, system: System, schema: str | None) -> None:
        self.engine, self.system, self._schema = engine, system, schema
        self.dialect = engine.dialect.name
        self._read: dict[str, SourceTable] = {}

    @cached_property
    def schema(self) -> str | None:
        """The schema of all tables. Said in every statement, so that no setting of a session can mean another."""
        if self._schema or self.dialect == "sqlite":
            return self._schema
        with self._connected() as connection:
            return catalogue.default_schema(connection)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All tables and views."""
        if self.dialect == "mysql":
            with self._connected() as connection:
                return tuple(catalogue.mysql_names(connection, self.schema))
        with self._inspecting() as inspector:
            found = [*inspector.get_table_names(self.schema), *inspector.get_view_names(self.schema)]
            if isinstance(inspector, postgresql.base.PGInspector):
                found += inspector.get_materialized_view_names(self.schema)
                found += inspector.get_foreign_table_names(self.schema)
            return tuple(found)

    @cached_property
    def partitions(self) -> frozenset[str]:
        """Tables whose rows another table holds too, being made of them."""
        with self._connected() as connection:
            return catalogue.partitions(connection, self.schema)

    @cached_property
    def is_mariadb(self) -> bool:
        """Whether this is MariaDB and not MySQL, which name their collations differently."""
        with self._connected() as connection:
            return bool(getattr(connection.dialect, "is_mariadb", False))

    @cached_property
    def lowers_plainly(self) -> bool:
        """Whether the database's usual collation makes i of I. Turkish ones do not."""
        with self._connected() as connection:
            return bool(connection.exec_driver_sql("SELECT lower('I') = 'i'").scalar_one())

    @cached_property
    def column_names(self) -> dict[str, tuple[str, ...]]:
        """All tables and views with the names of their columns, asked at once; without partitions of another table."""
        with self._inspecting() as inspector:
            found = inspector.get_multi_columns(self.schema, kind=ObjectKind.ANY)
        names = {name: tuple(fact["name"] for fact in facts) for (_schema, name), facts in found.items()}
        return {name: names[name] for name in sorted(names) if name not in self.partitions}

    def table(self, name: str) -> SourceTable:
        """The table of this name. Raises SystemRefused with what was probably meant."""
        if name not in self.names:
            raise SystemRefused(
                _("There is no table “%(table)s”.") % {"table": name},
                did_you_mean(name, self.names) or _("It was renamed, removed, or this account may not see it."),
                system=self.system.name,
            )
        if name not in self._read:
            self.schema  # noqa: B018  asked before a connection is held, as an account may have one only
            with self._inspecting() as inspector:
                self._read[name] = self._reflect(inspector, name)
        return self._read[name]

    def column(self, source: SourceTable, name: str) -> SourceColumn:
        """The column of this name. Raises SystemRefused with what was probably meant."""
        if name not in source.columns:
            raise SystemRefused(
                _("Table “%(table)s” has no column “%(column)s”.") % {"table": source.name, "column": name},
                did_you_mean(name, tuple(source.columns)) or _("It was renamed or removed."),
                system=self.system.name,
            )
        return source.columns[name]

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with told_apart(self.system.name), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _inspecting(self) -> Iterator[Inspector]:
        with self._connected() as connection, sessions.parsed_json(connection), warnings.catch_warnings():
            # A type that SQLAlchemy does not know is no reason for noise: values are read as they come.
            warnings.simplefilter("ignore", exc.SAWarning)
            yield inspect(connection)

    def _reflect(self, inspector: Inspector, name: str) -> SourceTable:
        facts = inspector.get_columns(name, self.schema)
        connection = inspector.bind
        if not isinstance(connection, Connection):
            raise TypeError("an inspector over a connection is needed")
        declared = catalogue.columns(connection, self.schema, name)
        unproven = catalogue.unproven(connection, self.schema, name)
        if self.dialect == "mysql":
            for fact, right in zip(facts, catalogue.column_names(connection, self.schema, name), strict=True):
                fact["name"] = right
        constraint = inspector.get_pk_constraint(name, self.schema)
        key = tuple(constraint["constrained_columns"])
        rowid = _rowid(self.dialect, key, facts)
        # Types are left out on purpose: values come as the driver gives them, and our own converters take any.
        clause = table(
            quoted_name(name, quote=True),
            *(column(quoted_name(fact["name"], quote=True), types.NullType()) for fact in facts),
            schema=quoted_name(self.schema, quote=True) if self.schema else None,
        )
        columns = {
            fact["name"]: self._column(
                fact["name"],
                _base(fact["type"]),
                declared.get(fact["name"], catalogue.Declared()),
                clause.c[fact["name"]],
                fact["name"] != rowid and bool(fact["nullable"]),
            )
            for fact in facts
        }
        proven = key if constraint.get("name") not in unproven else ()
        return SourceTable(name, clause, columns, key, tuple(self._unique(inspector, name, proven, unproven)))

    def _unique(
        self, inspector: Inspector, name: str, key: tuple[str, ...], unproven: frozenset[str]
    ) -> Iterator[frozenset[str]]:
        if key:
            yield frozenset(key)
        for constraint in inspector.get_unique_constraints(name, self.schema):
            if constraint["name"] not in unproven:
                yield frozenset(constraint["column_names"])
        for index in inspector.get_indexes(name, self.schema):
            names = index["column_names"]
            # A partial index, or one over expressions, proves nothing about all rows.
            partial = any(option.endswith("_where") for option in index.get("dialect_options", {}))
            if index["unique"] and not partial and all(names) and index["name"] not in unproven:
                yield frozenset(n for n in names if n)

    def _column(
        self,
        name: str,
        kind: types.TypeEngine[Any],
        declared: catalogue.Declared,
        element: ColumnElement[Any],
        nullable: bool,
    ) -> SourceColumn:
        family = "json" if declared.is_json else self._family(kind)
        native = ""
        if self.dialect == "postgresql" and isinstance(kind, postgresql.CITEXT):
            native = "citext"
        elif self.dialect == "postgresql" and isinstance(kind, types.CHAR):
            family, native = "char", "bpchar"
        form = self._form(family, kind, declared.is_loose or bool(native))
        return SourceColumn(name, family, nullable, element, form, declared.collation, native)

    def _form(self, family: str, kind: types.TypeEngine[Any], is_loose: bool) -> str:
        if family in NATIVE.get(self.dialect, NATIVE["sqlite"]):
            return "native"
        if self.dialect == "sqlite":
            return "text"
        if family not in ("text", "char") or (self.dialect == "postgresql" and isinstance(kind, types.Enum)):
            return "other"
        return "loose" if is_loose else "text"

    def _family(self, kind: types.TypeEngine[Any]) -> str:
        if isinstance(kind, mysql.TINYINT) and kind.display_width == 1:
            return "boolean"  # what BOOLEAN becomes there
        if isinstance(kind, mysql.BIT) and kind.length == 1:
            return "flag"
        for base, family in FAMILIES:
            if isinstance(kind, base):
                # SQLite calls every type it does not know numeric, UUID among them.
                unsure = self.dialect == "sqlite" and family == "decimal" and getattr(kind, "precision", None) is None
                return "numeric" if unsure else family
        return "unknown"


def _base(kind: types.TypeEngine[Any]) -> types.TypeEngine[Any]:
    """The type that a domain is made over."""
    while isinstance(kind, postgresql.DOMAIN):
        kind = kind.data_type
    return kind


def _rowid(dialect: str, key: tuple[str, ...], facts: list[ReflectedColumn]) -> str:
    """SQLite's own row number under another name: the one key there that is never empty without saying so."""
    if dialect != "sqlite" or len(key) != 1:
        return ""
    kind = next(fact["type"] for fact in facts if fact["name"] == key[0])
    return key[0] if isinstance(kind, types.INTEGER) else ""
