"""Comparing sign by sign, in whatever way a table was told to compare.

A column's collation may hold "Ada", "ada", "Áda" and "ada " to be the same, and a database may read "7abc" as the
number 7: rows of somebody else. What is asked here is exact. Where that alone would leave an index unused, the
column's own comparison, which finds no less, is asked beside it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache
from ipaddress import ip_interface
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Text, and_, cast, collate, func, literal
from sqlalchemy.dialects import mysql
from sqlalchemy.types import UserDefinedType

from dsr.connectors.sql.identifiers import alike, as_bytes, as_integer, fold
from dsr.connectors.sql.tables import SourceColumn, Tables

NUMBERS = frozenset({"integer", "float", "decimal"})
# MariaDB's collations that tell no more letters apart than ASCII's cases do; Turkish ones tell I from i.
FOLDS_ASCII = re.compile(r"\w+?_(general|unicode|unicode_520|swedish|0900|uca1400)(_nopad)?(_a[is])?_ci")


class Native(UserDefinedType[str]):
    """A type of PostgreSQL by its name, to bind text as."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_more: Any) -> str:
        return self.name


def exactly(tables: Tables, column: SourceColumn) -> ColumnElement[Any]:
    """The column, so that it equals and groups exactly."""
    if column.form == "native" or (column.form == "text" and tables.dialect == "postgresql"):
        return column.element
    return ordered(tables, column)


def ordered(tables: Tables, column: SourceColumn) -> ColumnElement[Any]:
    """The column, so that it is put in the order of its bytes, which is the same on every server and its replicas."""
    if column.form == "native":
        return column.element
    return bytewise(tables, column.element, is_text=column.form == "text")


def bytewise(tables: Tables, element: ColumnElement[Any], *, is_text: bool) -> ColumnElement[Any]:
    """Any value as text that compares by its bytes."""
    if tables.dialect == "postgresql":
        return collate(element if is_text else cast(element, Text), "C")
    if tables.dialect == "mysql":
        # utf8mb4_bin would hold "ada" and "ada " to be the same.
        collation = "utf8mb4_nopad_bin" if tables.is_mariadb else "utf8mb4_0900_bin"
        return collate(cast(element, mysql.CHAR(charset="utf8mb4")), collation)
    return collate(element, "BINARY")


def among(tables: Tables, column: SourceColumn, values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether the column holds exactly one of the values, as `bound` gave them."""
    exact = exactly(tables, column).in_(values)
    if column.form != "loose" or not values:
        return exact
    # A charset that lacks one of the signs cannot be asked for it.
    holds_all = tables.dialect != "mysql" or column.collation.startswith("utf8mb4")
    if not holds_all and not all(value.isascii() for value in values):
        return exact
    return and_(_roughly(tables, column, values), exact)


def among_folded(tables: Tables, column: SourceColumn, values: Collection[str]) -> ColumnElement[bool]:
    """Whether the column, folded as identifiers are, is one of these values."""
    if tables.dialect == "sqlite":
        # SQLite's own lower() knows ASCII alone, and can use an index: enough when nothing else is looked for.
        plain = all(value.isascii() for value in values)
        element = exactly(tables, column)
        return (func.lower(element) if plain else func.dsr_fold(element)).in_(values)
    exact = _folded(tables, column, values).in_(values)
    rough = _roughly_folded(tables, column, list(values)) if all(value.isascii() for value in values) else None
    return exact if rough is None else and_(rough, exact)


def same(tables: Tables, column: SourceColumn, key: SourceColumn, rows: FromClause) -> ColumnElement[bool]:
    """Whether the column holds what `rows.c.k`, the key made exact, holds; "07" is not the number 7.

    `rows.c.r` is the key as it stands in its table.
    """
    element, pointed_at = column.element, rows.c.k
    if tables.dialect == "sqlite":
        if column.family == key.family:
            return exactly(tables, column) == pointed_at
        return cast(exactly(tables, column), Text) == cast(pointed_at, Text)
    if (column.family == key.family and column.form == "native") or {column.family, key.family} <= NUMBERS:
        return element == pointed_at
    alike_collated = column.collation == key.collation and key.form != "native" and column.form != "native"
    if tables.dialect == "postgresql" and alike_collated and column.form == key.form == "text":
        return element == pointed_at
    exact = bytewise(tables, column.element, is_text=column.form == "text") == cast_text(tables, pointed_at)
    return and_(element == rows.c.r, exact) if alike_collated and column.form == key.form == "loose" else exact


def cast_text(tables: Tables, element: ColumnElement[Any]) -> ColumnElement[Any]:
    """Any value as text, compared as the other side says."""
    return cast(element, mysql.CHAR(charset="utf8mb4") if tables.dialect == "mysql" else Text)


def least(tables: Tables, family: str, element: ColumnElement[Any]) -> ColumnElement[Any]:
    """One of a group's values; PostgreSQL knows no least UUID, and no least bytes."""
    if tables.dialect == "postgresql":
        if family == "binary":
            return func.min(func.encode(element, "hex"))
        if family not in NUMBERS and family != "address":
            return func.min(collate(cast(element, Text), "C"))
    return func.min(element)


def bound(tables: Tables, column: SourceColumn, wanted: frozenset[str]) -> dict[str, list[Any]]:
    """For each identifier that the column can hold, as it reads back, the values to bind for it."""
    if tables.dialect == "sqlite":
        return alike(column.family, wanted)
    found: dict[str, list[Any]] = {}
    for value in wanted:
        for text, bind in _as_bound(tables, column, value):
            found.setdefault(text, []).append(bind)
    return found


def _as_bound(tables: Tables, column: SourceColumn, value: str) -> list[tuple[str, Any]]:
    """These databases compare a number with text by making a number of it, so text is bound to text alone."""
    if column.form != "native":
        # char(n) is filled up with spaces, which mean nothing: a value that ends with one is none of its values.
        return [] if column.family == "char" and value.endswith(" ") else [(value, value)]
    if column.family in NUMBERS or column.family == "boolean":
        return as_integer(value, unsigned=tables.dialect == "mysql")
    if column.family == "binary":
        return as_bytes(value)
    try:
        if column.family == "uuid":
            return [(str(UUID(value)), UUID(value))]
        if column.family == "address":
            return [(str(ip_interface(value)).removesuffix("/32").removesuffix("/128"), ip_interface(value))]
    except ValueError:
        pass
    return []


def _roughly(tables: Tables, column: SourceColumn, values: Sequence[Any]) -> ColumnElement[bool]:
    """The column's own comparison, which an index over it serves."""
    if tables.dialect == "postgresql" and column.native:
        return column.element.in_([cast(literal(value), Native(column.native)) for value in values])
    return column.element.in_(values)


def _roughly_folded(tables: Tables, column: SourceColumn, values: Sequence[str]) -> ColumnElement[bool] | None:
    """What an index may serve, where it is sure to find no less than ASCII letters in any case."""
    if tables.dialect == "mysql":
        return column.element.in_(values) if FOLDS_ASCII.fullmatch(column.collation) else None
    if not tables.lowers_plainly or column.collation != "default":
        return None
    if column.native == "citext":
        return _roughly(tables, column, values)
    return func.lower(column.element).in_(values) if column.form == "text" else None


def _folded(tables: Tables, column: SourceColumn, values: Collection[str]) -> ColumnElement[Any]:
    """The column with just those letters changed that could become one of the values' letters."""
    element = bytewise(tables, column.element, is_text=column.form == "text")
    pairs = [(letter, small) for small in sorted(set("".join(values))) for letter in _folds_to().get(small, ())]
    if not pairs:
        return element
    if tables.dialect == "postgresql":
        return func.translate(element, "".join(a for a, _b in pairs), "".join(b for _a, b in pairs))
    for letter, small in pairs:
        element = func.replace(element, letter, small)
    return element


@cache
def _folds_to() -> dict[str, tuple[str, ...]]:
    """For each letter the other letters that fold to it."""
    found: dict[str, tuple[str, ...]] = {}
    for letter in map(chr, range(0x1F000)):
        small = letter if "\ud800" <= letter <= "\udfff" else fold(letter)
        if small != letter:
            found[small] = (*found.get(small, ()), letter)
    return found
