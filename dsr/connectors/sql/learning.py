"""What a person's own rows say they are called elsewhere, and how they can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, or_, select

from dsr.connectors import MOST_IDENTIFIERS, Channel, Identifiers, SystemRefused
from dsr.connectors.sql import comparing
from dsr.connectors.sql.finding import Reach, is_somebody, reach
from dsr.connectors.sql.identifiers import as_text, nobodies, usable
from dsr.connectors.sql.tables import Tables
from dsr.connectors.sql.timespan import moment
from dsr.policy.systems import ChannelColumns, Collection, Teach


def taught(
    connection: Connection, tables: Tables, collection: Collection, identifiers: Identifiers
) -> dict[str, frozenset[str]]:
    """The identifiers that the reached rows hold. Raises SystemRefused for one that others' rows hold as well."""
    if not collection.teaches:
        return {}
    found = reach(tables, collection, identifiers)
    learned: dict[str, frozenset[str]] = {}
    for teach in collection.teaches:
        column = tables.column(found.table, teach.column)
        # Distinct by its bytes: a collation's "cus_A" and "cus_a" are two.
        element = comparing.exactly(tables, column)
        statement = found.select(element).where(element.is_not(None)).distinct()
        rows = connection.execute(statement.limit(MOST_IDENTIFIERS + 1)).scalars().all()
        if len(rows) > MOST_IDENTIFIERS:
            raise _too_many(tables, collection, teach)
        nobody = nobodies(tables.system)
        values = frozenset(v for v in map(as_text, rows) if usable(v) and v.strip().casefold() not in nobody)
        others = _others(tables, collection, identifiers, teach, values)
        if others is not None and connection.execute(others).first() is not None:
            raise _shared(tables, collection, teach)
        learned[teach.identifier] = learned.get(teach.identifier, frozenset()) | values
    return {kind: values for kind, values in learned.items() if values}


def channels(connection: Connection, tables: Tables, channel: ChannelColumns, found: Reach) -> Iterator[Channel]:
    """The ways to reach the person that the reached rows hold, with the first day each was known."""
    column = comparing.exactly(tables, tables.column(found.table, channel.column))
    since: ColumnElement[Any] = literal(None)
    if channel.since:
        since = func.min(tables.column(found.table, channel.since).element)
    statement = found.select(column, since).where(column.is_not(None)).group_by(column).limit(MOST_IDENTIFIERS)
    for value, first in connection.execute(statement):
        at = moment(first)
        if usable(as_text(value)):
            yield Channel(channel.kind, as_text(value), at.date() if at else None)


def _others(
    tables: Tables, collection: Collection, identifiers: Identifiers, teach: Teach, values: frozenset[str]
) -> Select[Any] | None:
    """Rows that name somebody else and hold one of these values too ("N/A", a shared account, a reused address).

    Such a value would lead to that other person's data in the next system. Where the value itself is a way to find
    rows of this collection, whoever wrote the systems file has said that it makes a row the person's.
    """
    found = reach(tables, collection, identifiers, everyone=True)
    column = tables.column(found.table, teach.column)
    bound = [value for each in comparing.bound(tables, column, values).values() for value in each]
    is_a_way = any(find.column == teach.column for find in collection.find)
    if is_a_way or not bound or found.table.proves_unique((teach.column,)):
        return None
    names = [tables.column(found.table, find.column) for find in collection.find]
    return (
        select(literal(1))
        .select_from(found.source)
        .where(comparing.among(tables, column, bound), case((found.condition, 1), else_=0) == 0)
        .where(or_(*(is_somebody(tables, name) for name in names)))
        .limit(1)
    )


def _shared(tables: Tables, collection: Collection, teach: Teach) -> SystemRefused:
    return SystemRefused(
        _("A value of “%(column)s” in “%(collection)s” stands on other people's rows too; it is nobody's identifier.")
        % {"column": teach.column, "collection": collection.name},
        _("Take “%(identifier)s” out of what this collection teaches, or mend those rows.")
        % {"identifier": teach.identifier},
        system=tables.system.name,
    )


def _too_many(tables: Tables, collection: Collection, teach: Teach) -> SystemRefused:
    return SystemRefused(
        _("One person has more than %(most)d values of “%(column)s” in “%(collection)s”.")
        % {"most": MOST_IDENTIFIERS, "column": teach.column, "collection": collection.name},
        _("Take “%(identifier)s” out of what this collection teaches.") % {"identifier": teach.identifier},
        system=tables.system.name,
    )
