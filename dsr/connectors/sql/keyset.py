"""The order of a collection's rows, and going on after any one of them.

Keys may have several columns, be empty in some, be text in any collation and, in SQLite, of mixed types. They come
back from JSON, where a tuple is a list; what JSON cannot say is written as a pair (kind, text).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from sqlalchemy import ColumnElement, DateTime, LargeBinary, Text, and_, bindparam, cast, func, literal, or_
from sqlalchemy import false as never

from dsr.connectors import SystemRefused
from dsr.connectors.sql.comparing import exactly, ordered
from dsr.connectors.sql.finding import Reach
from dsr.connectors.sql.tables import SourceColumn, SourceTable, Tables

JSON_INTEGERS = range(-(2**63), 2**64)
# These put empty values first by themselves; for others it must be said.
EMPTY_FIRST = frozenset({"sqlite", "mysql"})

READ: dict[str, Callable[[str], Any]] = {
    "bytes": base64.b64decode,
    "raw text": base64.b64decode,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
    "uuid": UUID,
    "float": float,
    "integer": int,
}


@dataclass(frozen=True)
class Keyset:
    """The columns that order a table's rows, one row to each value of them."""

    tables: Tables
    table: SourceTable
    columns: tuple[SourceColumn, ...]

    def order(self) -> list[ColumnElement[Any]]:
        """What to order by: empty values first, text sign by sign."""
        return [self._ordered(column) for column in self.columns]

    def after(self, key: Sequence[Any]) -> ColumnElement[bool]:
        """The rows that come after this key. Raises SystemRefused when it is not a key of this table."""
        if len(key) != len(self.columns):
            raise SystemRefused(
                _("The place to go on from does not fit table “%(table)s”.") % {"table": self.table.name},
                _("Its key was changed in the systems file meanwhile. Start this export again."),
            )
        return self._after(list(zip(self.columns, (read_key(part) for part in key), strict=True)))

    def doubled(self, found: Reach) -> Any | None:
        """A statement that gives a row when two of the person's rows share a key; None when that cannot be."""
        proven = self.table.proves_unique(tuple(column.name for column in self.columns))
        nullable = [column for column in self.columns if column.nullable]
        if proven and not nullable:
            return None
        statement = found.select(literal(1))
        if proven:  # unique but for empty values, which are never equal to one another
            statement = statement.where(or_(*(column.element.is_(None) for column in nullable)))
        elements = [exactly(self.tables, column) for column in self.columns]
        return statement.group_by(*elements).having(func.count() > 1).limit(1)

    def _ordered(self, column: SourceColumn) -> ColumnElement[Any]:
        element = ordered(self.tables, column)
        return element.nulls_first() if column.nullable and self.tables.dialect not in EMPTY_FIRST else element

    def _after(self, rest: list[tuple[SourceColumn, Any]]) -> ColumnElement[bool]:
        (column, value), *others = rest
        element = ordered(self.tables, column)
        further = self._after(others) if others else never()
        if value is None:
            return or_(element.is_not(None), and_(element.is_(None), further))
        bound = self._bound(column, value)
        beyond = or_(element > bound, and_(element == bound, further)) if others else element > bound
        # Said twice, so that an index over the first column is used.
        return and_(element >= bound, beyond) if others else beyond

    def _bound(self, column: SourceColumn, value: Any) -> Any:
        if isinstance(value, RawText):
            # Text that is not UTF-8 goes in as bytes; joined to nothing, so that it turns no number into text.
            return cast(bindparam(None, value.raw, LargeBinary, unique=True), Text).concat("")
        if isinstance(value, str) and column.family in ("datetime", "date") and self.tables.dialect == "postgresql":
            return cast(literal(value), DateTime(timezone=True))  # infinity, or a year that Python does not have
        return literal(value)


@dataclass(frozen=True)
class RawText:
    """Text as the bytes that SQLite holds, which are not UTF-8."""

    raw: bytes


def written_key(value: Any) -> Any:
    """One part of a key, as JSON can carry it. Raises SystemRefused for a type that cannot be a key."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value in JSON_INTEGERS else ("integer", str(value))
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        raw = value.encode(errors="surrogateescape")
        # PostgreSQL, where checkpoints may lie, holds no NUL.
        is_sound = b"\0" not in raw and raw == value.encode(errors="replace")
        return value if is_sound else ("raw text", base64.b64encode(raw).decode())
    if isinstance(value, bytes | bytearray | memoryview):
        return ("bytes", base64.b64encode(bytes(value)).decode())
    return _written_pair(value)


def _written_pair(value: Any) -> tuple[str, str]:
    if isinstance(value, float):
        return ("float", repr(value))
    if isinstance(value, Decimal):
        return ("decimal", str(value))
    if isinstance(value, UUID):
        return ("uuid", str(value))
    for kind, name in ((datetime, "datetime"), (date, "date"), (time, "time")):  # a datetime is a date too
        if isinstance(value, kind):
            return (name, value.isoformat())
    raise no_key(type(value).__name__)


def no_key(kind: str) -> SystemRefused:
    """The refusal of a type that cannot be a key."""
    return SystemRefused(
        _("A key holds values of type %(type)s, which cannot be a key.") % {"type": kind},
        _("Name other columns as the key in the systems file."),
    )


def read_key(value: Any) -> Any:
    """One part of a key, back from JSON."""
    if not isinstance(value, tuple | list):
        return value
    kind, text = value
    return RawText(READ[kind](text)) if kind == "raw text" else READ[kind](text)
