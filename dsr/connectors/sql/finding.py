"""One person's rows as a statement: which rows, and whose each of them says it is.

The condition that picks the rows and the owner read along with them are separate expressions, so that a mistake in
one of them shows in the other and stops the build instead of handing out somebody else's row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Text, case, cast, collate, false, func, or_, select

from dsr.connectors import Identifiers
from dsr.connectors.sql.identifiers import alike, reader, transformed
from dsr.connectors.sql.tables import SourceColumn, SourceTable, Tables
from dsr.policy.systems import Collection, Find

# A column's own collation may call "Ada" and "ada" the same person. Where that can be, it is set aside by name.
BYTEWISE = {"sqlite": "BINARY"}


@dataclass(frozen=True)
class Owner:
    """Where a row names its person: the column to read, how to read it, and what it must say."""

    element: ColumnElement[Any]
    read: Callable[[Any], str]
    allowed: frozenset[str]
    condition: ColumnElement[bool]


@dataclass(frozen=True)
class Reach:
    """The rows of one collection that a person's identifiers reach."""

    table: SourceTable
    source: FromClause
    condition: ColumnElement[bool]
    owners: tuple[Owner, ...] = field(default=())

    def select(self, *elements: ColumnElement[Any]) -> Select[Any]:
        """A statement over these rows and no others."""
        return select(*elements).select_from(self.source).where(self.condition)

    def whose(self, values: Sequence[Any]) -> str:
        """The owner that a row names, from the values of its owner columns, in order."""
        told = ""
        for owner, value in zip(self.owners, values, strict=True):
            read = owner.read(value)
            if read and read in owner.allowed:
                return read
            told = told or read
        # Another column's owner is not this column's: give nothing that the caller could take for one.
        return "" if any(told in owner.allowed for owner in self.owners) else told


def reach(tables: Tables, collection: Collection, identifiers: Identifiers, *, everyone: bool = False) -> Reach:
    """The rows of this collection that belong to whoever has these identifiers; none for none.

    With `everyone` the source holds all rows, for statements that look at what the condition leaves out.
    """
    source_table = tables.table(collection.table)
    source: FromClause = source_table.clause
    outer = everyone or len(collection.find) > 1
    owners: list[Owner] = []
    conditions: list[ColumnElement[bool]] = []
    for find in collection.find:
        column = tables.column(source_table, find.column)
        if find.collection:
            rows, points_at, through = _through(tables, find, column, identifiers)
            source = source.join(rows, points_at, isouter=outer)
            conditions.append(rows.c.k.is_not(None))
            owners += through
        else:
            owner = _direct(tables, find, column, identifiers)
            conditions.append(owner.condition)
            owners.append(owner)
    return Reach(source_table, source, or_(false(), *conditions), tuple(owners))


def owners(tables: Tables, collection: Collection, identifiers: Identifiers) -> frozenset[str]:
    """All that a row of this person may say about whose it is."""
    return reduce(frozenset.union, (owner.allowed for owner in reach(tables, collection, identifiers).owners))


def exactly(tables: Tables, column: SourceColumn) -> ColumnElement[Any]:
    """The column, compared sign by sign, in whatever way its table was told to compare."""
    bytewise = BYTEWISE.get(tables.dialect)
    if bytewise is None or column.family in ("integer", "float", "decimal", "boolean", "binary", "datetime", "date"):
        return column.element
    return collate(column.element, bytewise)


def _direct(tables: Tables, find: Find, column: SourceColumn, identifiers: Identifiers) -> Owner:
    wanted = transformed(find, identifiers.get(find.identifier or "", frozenset()))
    values = alike(column.family, wanted)
    element = exactly(tables, column)
    if find.transform == "casefold":
        # The database's own lower() is enough, and can use an index, when there is nothing but ASCII to look for.
        plain = tables.dialect != "sqlite" or all(value.isascii() for value in values)
        element = func.lower(element) if plain else func.dsr_fold(element)
    bound = [value for each in values.values() for value in each]
    condition = element.in_(bound) if bound else false()
    return Owner(column.element, reader(find), frozenset(values), condition)


def _through(
    tables: Tables, find: Find, column: SourceColumn, identifiers: Identifiers
) -> tuple[FromClause, ColumnElement[bool], list[Owner]]:
    """The rows already found in another collection, one for each of its keys, with the owner they name."""
    found = reach(tables, tables.system.collection(find.collection), identifiers)
    key = tables.column(found.table, find.key)
    pointed_at = exactly(tables, key)
    owning = [func.min(case((owner.condition, owner.element))).label(f"o{n}") for n, owner in enumerate(found.owners)]
    rows = found.select(pointed_at.label("k"), *owning).where(key.element.is_not(None)).group_by(pointed_at).subquery()
    through = [
        Owner(rows.c[f"o{n}"], owner.read, owner.allowed, rows.c.k.is_not(None)) for n, owner in enumerate(found.owners)
    ]
    return rows, _same(tables, column, key, rows.c.k), through


def _same(
    tables: Tables, column: SourceColumn, key: SourceColumn, pointed_at: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Whether the two columns hold the same. As text when they are of different kinds: "07" is not the number 7."""
    if column.family == key.family:
        return exactly(tables, column) == pointed_at
    return cast(exactly(tables, column), Text) == cast(pointed_at, Text)
