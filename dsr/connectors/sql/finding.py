"""One person's rows as a statement: which rows, and whose each of them says it is.

The condition that picks the rows and the owner read along with them are separate expressions, so that a mistake in
one of them shows in the other and stops the build instead of handing out somebody else's row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, case, false, func, or_, select

from dsr.connectors import Identifiers
from dsr.connectors.sql import comparing
from dsr.connectors.sql.identifiers import reader, transformed, unfilled
from dsr.connectors.sql.tables import SourceColumn, SourceTable, Tables
from dsr.policy.systems import Collection, Find


@dataclass(frozen=True)
class Owner:
    """Where a row names its person: the column to read, how to read it, and what it must say."""

    element: ColumnElement[Any]
    read: Callable[[Any], str]
    allowed: frozenset[str]
    condition: ColumnElement[bool]
    family: str


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


def _direct(tables: Tables, find: Find, column: SourceColumn, identifiers: Identifiers) -> Owner:
    wanted = transformed(find, identifiers.get(find.identifier or "", frozenset()))
    values = comparing.bound(tables, column, wanted)
    bound = [value for each in values.values() for value in each]
    condition: ColumnElement[bool] = false()
    if bound:
        ask = comparing.among_folded if find.transform == "casefold" else comparing.among
        condition = ask(tables, column, bound)
    read = unfilled(reader(find)) if column.family == "char" else reader(find)
    return Owner(column.element, read, frozenset(values), condition, column.family)


def _through(
    tables: Tables, find: Find, column: SourceColumn, identifiers: Identifiers
) -> tuple[FromClause, ColumnElement[bool], list[Owner]]:
    """The rows already found in another collection, one for each of its keys, with the owner they name."""
    found = reach(tables, tables.system.collection(find.collection), identifiers)
    key = tables.column(found.table, find.key)
    pointed_at = comparing.exactly(tables, key)
    owning = [
        comparing.least(tables, owner.family, case((owner.condition, owner.element))).label(f"o{n}")
        for n, owner in enumerate(found.owners)
    ]
    if key.form == "loose":
        owning.append(func.min(key.element).label("r"))
    rows = found.select(pointed_at.label("k"), *owning).where(key.element.is_not(None)).group_by(pointed_at).subquery()
    through = [
        Owner(rows.c[f"o{n}"], owner.read, owner.allowed, rows.c.k.is_not(None), "text")
        for n, owner in enumerate(found.owners)
    ]
    return rows, comparing.same(tables, column, key, rows), through
