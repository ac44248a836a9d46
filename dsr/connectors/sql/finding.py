"""One person's rows as a statement: which rows, and whose each of them says it is.

The condition that picks the rows and the owner read along with them are separate expressions, so that a mistake in
one of them shows in the other and stops the build instead of handing out somebody else's row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from django.utils.translation import gettext as _
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)

from dsr.connectors import Identifiers, SystemRefused
from dsr.connectors.sql import comparing, inside
from dsr.connectors.sql.identifiers import nobodies, reader, transformed, unfilled
from dsr.connectors.sql.tables import SourceColumn, SourceTable, Tables
from dsr.connectors.sql.values import json_value
from dsr.policy.systems import Collection, Named, Way

# What stands in a column that holds nothing, JSON included.
EMPTY = ("", "{}", "[]", '""', "null")


@dataclass(frozen=True)
class Owner:
    """Where a row names its person: the column to read, how to read it, and what it must say.

    `vetoes` are the places, among the same reach's owners, that must not name somebody else; an owner that
    `only_vetoes` makes no row anybody's. `family` is the kind of its column.
    """

    element: ColumnElement[Any]
    read: Callable[[Any], str]
    allowed: frozenset[str]
    condition: ColumnElement[bool]
    family: str
    vetoes: tuple[int, ...] = ()
    only_vetoes: bool = False


@dataclass(frozen=True)
class Names:
    """A column that may name other people: the same without them, in SQL where that is one expression, else in Python.

    `element` is None where only `without_others` can do it, which takes the value after its column's converter.
    """

    places: tuple[inside.Shown, ...]
    element: ColumnElement[Any] | None

    def without_others(self, value: Any) -> Any:
        """What of this value the person may see."""
        if any(place.steps for place in self.places):
            value = json_value(value)  # arrays and JSON may stand in a column of plain text
        return inside.without_others(value, self.places)


@dataclass(frozen=True)
class Reach:
    """The rows of one collection that a person's identifiers reach; `names` says where they may name other people."""

    table: SourceTable
    source: FromClause
    condition: ColumnElement[bool]
    owners: tuple[Owner, ...] = field(default=())
    names: Mapping[str, Names] = field(default_factory=dict)

    def select(self, *elements: ColumnElement[Any]) -> Select[Any]:
        """A statement over these rows and no others."""
        return select(*elements).select_from(self.source).where(self.condition)

    def whose(self, values: Sequence[Any]) -> str:
        """The owner that a row names, from the values of its owner columns, in order."""
        reads = [owner.read(value) for owner, value in zip(self.owners, values, strict=True)]
        told = ""
        for owner, read in zip(self.owners, reads, strict=True):
            if owner.only_vetoes:
                continue
            named = next((reads[n] for n in owner.vetoes if reads[n] and reads[n] not in self.owners[n].allowed), read)
            if named and named in owner.allowed:
                return named
            told = told or named
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
        vetoes, guards = _unless(tables, source_table, find.unless, identifiers)
        first = len(owners) + len(vetoes)
        if find.collection:
            rows, points_at, ways = _through(tables, find, column, identifiers, first)
            source = source.join(rows, points_at, isouter=outer)
            condition: ColumnElement[bool] = rows.c.k.is_not(None)
        else:
            ways = [_direct(tables, find, column, identifiers)]
            condition = ways[0].condition
        places = tuple(range(len(owners), first))
        owners += [*vetoes, *(replace(way, vetoes=(*way.vetoes, *places)) for way in ways)]
        conditions.append(and_(condition, *guards))
    condition = and_(or_(false(), *conditions), *_of_this_kind(tables, source_table, collection))
    names = _names(tables, source_table, collection, identifiers)
    return Reach(source_table, source, condition, tuple(owners), names)


def owners(tables: Tables, collection: Collection, identifiers: Identifiers) -> frozenset[str]:
    """All that a row of this person may say about whose it is."""
    ways = (owner for owner in reach(tables, collection, identifiers).owners if not owner.only_vetoes)
    return reduce(frozenset.union, (owner.allowed for owner in ways))


def known(tables: Tables, place: Named, identifiers: Identifiers) -> frozenset[str]:
    """What the person is called at this place, leaving out what this system calls nobody."""
    values = identifiers.get(place.identifier or "", frozenset())
    nobody = nobodies(tables.system)
    return transformed(place, frozenset(value for value in values if value.strip().casefold() not in nobody))


def _direct(tables: Tables, find: Named, column: SourceColumn, identifiers: Identifiers) -> Owner:
    wanted = known(tables, find, identifiers)
    if find.path:
        held = inside.holds(tables, find, column, wanted)
        return Owner(inside.element(tables, column), inside.reader(find, wanted), wanted, held, "text")
    values = comparing.bound(tables, column, wanted)
    bound = [value for each in values.values() for value in each]
    condition: ColumnElement[bool] = false()
    if bound:
        ask = comparing.among_folded if find.transform == "casefold" else comparing.among
        condition = ask(tables, column, bound)
    read = unfilled(reader(find)) if column.family == "char" else reader(find)
    return Owner(column.element, read, frozenset(values), condition, column.family)


def _unless(
    tables: Tables, source: SourceTable, ways: Sequence[Way], identifiers: Identifiers
) -> tuple[list[Owner], list[ColumnElement[bool]]]:
    """What keeps a row from being the person's: somebody else named beside them, in the row or in one it points at."""
    vetoes: list[Owner] = []
    guards: list[ColumnElement[bool]] = []
    for way in ways:
        column = tables.column(source, way.column)
        if way.collection:
            guards.append(not_(_points_at_another(tables, way, column, identifiers)))
            continue
        owner = _direct(tables, way, column, identifiers)
        vetoes.append(replace(owner, read=_somebody(tables, owner.read), condition=false(), only_vetoes=True))
        guards.append(or_(not_(is_somebody(tables, column)), owner.condition))
    return vetoes, guards


def _somebody(tables: Tables, read: Callable[[Any], str]) -> Callable[[Any], str]:
    nobody = nobodies(tables.system)

    def named(value: Any) -> str:
        told = read(value)
        return "" if told.strip().casefold() in nobody else told

    return named


def is_somebody(tables: Tables, column: SourceColumn) -> ColumnElement[bool]:
    """Whether the column names anybody at all, rather than nobody in one of the usual words."""
    named = column.element.is_not(None)
    if column.family not in ("text", "char"):
        return named
    words = func.lower(func.trim(comparing.exactly(tables, column)))
    return and_(named, words.not_in(sorted(nobodies(tables.system))))


def _points_at_another(tables: Tables, way: Way, column: SourceColumn, identifiers: Identifiers) -> ColumnElement[bool]:
    """Whether the row points at one that names somebody, and not this person."""
    collection = tables.system.collection(way.collection)
    found = reach(tables, collection, identifiers, everyone=True)
    if found.table.clause is column.element.table:  # the same table again: its rows are others than the one asked of
        raise SystemRefused(
            _("“unless” of “%(column)s” points into its own table.") % {"column": column.name},
            _("Name a collection over another table, such as a view of this one."),
            system=tables.system.name,
        )
    key = tables.column(found.table, way.key)
    named = or_(*(is_somebody(tables, tables.column(found.table, find.column)) for find in collection.find))
    others = (
        select(comparing.exactly(tables, key).label("k"), key.element.label("r"))
        .select_from(found.source)
        .where(named, case((found.condition, 1), else_=0) == 0)
        .subquery()
    )
    matched = comparing.same(tables, column, key, others)
    return select(literal(1)).select_from(others).where(matched).correlate(column.element.table).exists()


def _of_this_kind(tables: Tables, source: SourceTable, collection: Collection) -> list[ColumnElement[bool]]:
    """What a row of the collection must be like, whoever's it is."""
    only: list[ColumnElement[bool]] = []
    for name, value in collection.only.items():
        column = tables.column(source, name)
        values = comparing.bound(tables, column, frozenset({value}))
        only.append(comparing.among(tables, column, [bind for each in values.values() for bind in each]))
    filled = [cast(tables.column(source, name).element, Text) for name in collection.filled]
    return [*only, or_(*(text.not_in(EMPTY) for text in filled))] if filled else only


def _names(tables: Tables, source: SourceTable, collection: Collection, identifiers: Identifiers) -> dict[str, Names]:
    """The columns that may name other people, and how each is read without them."""
    nobody = nobodies(tables.system)
    found: dict[str, Names] = {}
    for name in dict.fromkeys(place.column for place in collection.places()):
        column = tables.column(source, name)
        places = [place for place in collection.places() if place.column == name]
        shown = [
            inside.Shown(each.steps(), known(tables, each, identifiers), each.transform == "casefold", nobody)
            for each in places
        ]
        plain = column.family in ("text", "char") and not any(place.path for place in places)
        element = _without_others(tables, column, places, identifiers) if plain else None
        found[name] = Names(tuple(shown), element)
    return found


def _without_others(
    tables: Tables, column: SourceColumn, places: Sequence[Named], identifiers: Identifiers
) -> ColumnElement[Any]:
    """The column, with a word for another person where it names one."""
    mine = [_direct(tables, place, column, identifiers).condition for place in places]
    element = cast(column.element, Text) if tables.dialect == "postgresql" else column.element
    may_be_seen = or_(not_(is_somebody(tables, column)), *mine)
    return case((may_be_seen, element), else_=literal(inside.somebody_else()))


def _through(
    tables: Tables, find: Way, column: SourceColumn, identifiers: Identifiers, first: int
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
        replace(
            owner,
            element=rows.c[f"o{n}"],
            condition=rows.c.k.is_not(None),
            family="text",
            vetoes=tuple(first + place for place in owner.vetoes),
        )
        for n, owner in enumerate(found.owners)
    ]
    return rows, comparing.same(tables, column, key, rows), through
