"""A collection of the systems file laid over the table it means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dsr.connectors import Column, SystemRefused, Unmapped
from dsr.connectors._names import looks_personal, looks_secret
from dsr.connectors.sql import inside
from dsr.connectors.sql.identifiers import hash_key
from dsr.connectors.sql.tables import SourceColumn, SourceTable, Tables
from dsr.connectors.sql.values import type_of
from dsr.policy.systems import Collection
from dsr.policy.text import Text

THE_REST = "*"


@dataclass(frozen=True)
class Mapped:
    """What of a table goes out and what does not, and what orders it. Without a key it cannot be resumed."""

    collection: Collection
    table: SourceTable
    columns: dict[str, SourceColumn]
    secret: frozenset[str]
    key: tuple[SourceColumn, ...]
    time: SourceColumn | None


def mapped(tables: Tables, collection: Collection) -> Mapped:
    """Lay the collection over its table. Raises SystemRefused for what is not there."""
    table = tables.table(collection.table)
    left_out = omitted(collection, table)
    columns = {name: each for name, each in table.columns.items() if name not in left_out}
    secret = frozenset(name for name in columns if _is_secret(collection, name))
    names = collection.key or table.primary_key
    # A key goes into checkpoints and file names: a secret must not be one.
    if any(_is_secret(collection, name) for name in names):
        names = ()
    key = tuple(tables.column(table, name) for name in names)
    time = tables.column(table, collection.time) if collection.time else None
    return Mapped(collection, table, columns, secret, key, time)


def omitted(collection: Collection, table: SourceTable) -> dict[str, Text]:
    """The columns that are left out, each with its reason. "*" stands for all that are not spoken of."""
    rest = collection.omit.get(THE_REST)
    if rest is None:
        return dict(collection.omit)
    told = {*collection.columns, *collection.secret, *collection.omit}
    said = {name: reason for name, reason in collection.omit.items() if name != THE_REST}
    return said | {name: rest for name in table.columns if name not in told}


def described(here: Mapped) -> tuple[Column, ...]:
    """The columns as the person gets them, with what the systems file says they mean."""
    reasons = withheld(here)
    shared = {place.column for place in here.collection.places()}

    def meaning(name: str) -> str:
        words = reasons.get(name) or _words(here.collection.columns.get(name))
        return f"{words} {_('Other people are left out.')}".strip() if name in shared and name not in reasons else words

    paths = {place.column: place.path for place in here.collection.places() if place.path}

    def type_told(name: str, family: str) -> str:
        return type_of(family) if name not in paths else "array" if paths[name].startswith("$[*]") else "object"

    return tuple(Column(name, type_told(name, each.family), meaning(name)) for name, each in here.columns.items())


def withheld(here: Mapped) -> dict[str, str]:
    """Why each column that stays back stays back."""
    named = _("It is a password, a key or a token, or made from one, and is never given out.")
    guessed = _("By its name it is a password, a key or a token, or made from one, and is never given out.")
    reasons = {
        name: named if name in here.collection.secret else guessed for name in here.columns if name in here.secret
    }
    return reasons | {name: _words(reason) for name, reason in omitted(here.collection, here.table).items()}


def problems(tables: Tables, collection: Collection) -> list[SystemRefused]:
    """Everything this collection needs that the database or the environment does not have."""
    found: list[SystemRefused] = []
    try:
        table = tables.table(collection.table)
    except SystemRefused as missing:
        return [missing]
    for name in dict.fromkeys(_references(tables, collection)):
        try:
            tables.column(table, name)
        except SystemRefused as missing:
            found.append(missing)
    for find in collection.find:
        try:
            if find.key_env:
                hash_key(find)
            if find.path and find.column in table.columns:
                inside.holds(tables, find, table.columns[find.column], frozenset({"-"}))
        except SystemRefused as missing:
            found.append(missing)
    return found


def unmapped(tables: Tables) -> Iterator[Unmapped]:
    """Tables that no collection reads, what looks personal in them, and columns that go out without a word."""
    read = {collection.table: collection for collection in tables.system.collections}
    for name in tables.names:
        if name not in read and name not in tables.partitions and not ignored(tables.system.ignore, name):
            yield Unmapped(name, "", _("No collection reads this table."), "table")
            for column in tables.table(name).columns:
                if looks_personal(column):
                    yield Unmapped(name, column, _("By its name it may hold personal data."), "personal")
    for collection in tables.system.collections:
        if collection.table in tables.names:
            yield from _undescribed(mapped(tables, collection))


def ignored(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a table's name fits one of the patterns, in which only * is special."""
    return any(re.fullmatch(".*".join(map(re.escape, each.split("*"))), name, re.DOTALL) for each in patterns)


def _undescribed(here: Mapped) -> Iterator[Unmapped]:
    for name in here.columns:
        if name not in here.collection.columns and name not in here.secret:
            reason = _("“%(collection)s” gives it out without saying what it means.")
            yield Unmapped(here.table.name, name, reason % {"collection": here.collection.name}, "undescribed")


def _is_secret(collection: Collection, name: str) -> bool:
    return name in collection.secret or (looks_secret(name) and name not in collection.columns)


def _references(tables: Tables, collection: Collection) -> Iterator[str]:
    yield from collection.key
    yield from (name for name in (collection.time, collection.model) if name)
    yield from (find.column for find in collection.find)
    yield from (way.column for find in collection.find for way in find.unless)
    yield from (*collection.only, *collection.filled, *(place.column for place in collection.others))
    yield from (teach.column for teach in collection.teaches)
    if collection.channel:
        yield from filter(None, (collection.channel.column, collection.channel.since))
    for file in collection.files:
        yield from filter(None, (file.column, file.name, file.media_type))
    yield from (*collection.secret, *(name for name in collection.omit if name != THE_REST), *collection.columns)
    for other in tables.system.collections:  # what paths from other collections point at
        ways = [way for find in other.find for way in (find, *find.unless)]
        yield from (way.key for way in ways if way.collection == collection.name)


def _words(text: Text | None) -> str:
    return text.text(get_language() or "") if text else ""
