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
from sqlalchemy import ColumnElement, Engine, Inspector, TableClause, column, exc, inspect, table, types
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.sql import quoted_name

from dsr.connectors import SystemRefused
from dsr.connectors.sql.failures import told_apart
from dsr.policy.problem import did_you_mean
from dsr.policy.systems import System

# In this order: SQLAlchemy's Boolean, Uuid and Float are not among each other, Enum is a String, Float a Numeric.
FAMILIES: tuple[tuple[type[types.TypeEngine[Any]], str], ...] = (
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


@dataclass(frozen=True)
class SourceColumn:
    """One column as the database declares it."""

    name: str
    family: str
    nullable: bool
    element: ColumnElement[Any] = field(repr=False, compare=False)


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
        self.engine, self.system, self.schema = engine, system, schema
        self.dialect = engine.dialect.name
        self._read: dict[str, SourceTable] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All tables and views."""
        with self._inspecting() as inspector:
            return (*inspector.get_table_names(self.schema), *inspector.get_view_names(self.schema))

    def table(self, name: str) -> SourceTable:
        """The table of this name. Raises SystemRefused with what was probably meant."""
        if name not in self.names:
            raise SystemRefused(
                _("There is no table “%(table)s”.") % {"table": name},
                did_you_mean(name, self.names) or _("It was renamed, removed, or this account may not see it."),
                system=self.system.name,
            )
        if name not in self._read:
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
    def _inspecting(self) -> Iterator[Inspector]:
        with told_apart(self.system.name), warnings.catch_warnings():
            # A type that SQLAlchemy does not know is no reason for noise: values are read as they come.
            warnings.simplefilter("ignore", exc.SAWarning)
            yield inspect(self.engine)

    def _reflect(self, inspector: Inspector, name: str) -> SourceTable:
        facts = inspector.get_columns(name, self.schema)
        key = tuple(inspector.get_pk_constraint(name, self.schema)["constrained_columns"])
        rowid = _rowid(self.dialect, key, facts)
        # Types are left out on purpose: values come as the driver gives them, and our own converters take any.
        clause = table(
            quoted_name(name, quote=True),
            *(column(quoted_name(fact["name"], quote=True), types.NullType()) for fact in facts),
            schema=quoted_name(self.schema, quote=True) if self.schema else None,
        )
        columns = {
            fact["name"]: SourceColumn(
                fact["name"],
                self._family(fact["type"]),
                fact["name"] != rowid and bool(fact["nullable"]),
                clause.c[fact["name"]],
            )
            for fact in facts
        }
        return SourceTable(name, clause, columns, key, tuple(self._unique(inspector, name, key)))

    def _unique(self, inspector: Inspector, name: str, key: tuple[str, ...]) -> Iterator[frozenset[str]]:
        if key:
            yield frozenset(key)
        for constraint in inspector.get_unique_constraints(name, self.schema):
            yield frozenset(constraint["column_names"])
        for index in inspector.get_indexes(name, self.schema):
            names = index["column_names"]
            # A partial index, or one over expressions, proves nothing about all rows.
            partial = any(option.endswith("_where") for option in index.get("dialect_options", {}))
            if index["unique"] and not partial and all(names):
                yield frozenset(n for n in names if n)

    def _family(self, kind: types.TypeEngine[Any]) -> str:
        for base, family in FAMILIES:
            if isinstance(kind, base):
                # SQLite calls every type it does not know numeric, UUID among them.
                unsure = self.dialect == "sqlite" and family == "decimal" and getattr(kind, "precision", None) is None
                return "numeric" if unsure else family
        return "unknown"


def _rowid(dialect: str, key: tuple[str, ...], facts: list[ReflectedColumn]) -> str:
    """SQLite's own row number under another name: the one key there that is never empty without saying so."""
    if dialect != "sqlite" or len(key) != 1:
        return ""
    kind = next(fact["type"] for fact in facts if fact["name"] == key[0])
    return key[0] if isinstance(kind, types.INTEGER) else ""
