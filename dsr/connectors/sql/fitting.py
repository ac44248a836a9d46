"""A systems file fitted to the database as it is: what `may_lack` allows to be missing is left out.

A maker's schema grows with its versions. A collection that may lack its table, or columns, is read as far as the live
database has them; a way to find people is never made wider by what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection as Names

from dsr.connectors.sql.tables import Tables
from dsr.policy.systems import Collection, Find, System


def fitted(tables: Tables) -> System:
    """The system without what its database lacks and may lack. All else stays, and is refused where it is missing."""
    system = tables.system
    if all(collection.may_lack == "nothing" for collection in system.collections):
        return system
    kept = {each.name: each for each in system.collections if not _lacks_its_table(tables, each)}
    while True:
        cut = {name: _cut(tables, collection, kept) for name, collection in kept.items()}
        left = {name: collection for name, collection in cut.items() if collection is not None}
        if left == kept:
            return system.model_copy(update={"collections": tuple(left.values())})
        kept = left


def _lacks_its_table(tables: Tables, collection: Collection) -> bool:
    return collection.may_lack == "table" and collection.table not in tables.column_names


def _cut(tables: Tables, collection: Collection, others: Names[str]) -> Collection | None:
    """The collection without the columns that are missing; None when nobody could be found in it any more."""
    if collection.may_lack == "nothing" or collection.table not in tables.column_names:
        return collection
    there = tables.column_names[collection.table]
    # Without the column that says what kind of row it is, every row would be taken for one of this kind.
    if any(name not in there for name in collection.only):
        return None
    find = tuple(_cut_way(find, there, others) for find in collection.find if _works(find, there, others))
    if not find:
        return None
    has: Callable[[str], bool] = lambda name: name in there  # noqa: E731
    return collection.model_copy(
        update={
            "find": find,
            "key": collection.key if all(map(has, collection.key)) else (),
            "time": collection.time if has(collection.time) else "",
            "model": collection.model if has(collection.model) else "",
            "filled": tuple(filter(has, collection.filled)),
            "others": tuple(place for place in collection.others if has(place.column)),
            "teaches": tuple(teach for teach in collection.teaches if has(teach.column)),
            "channel": collection.channel if collection.channel and has(collection.channel.column) else None,
            "secret": tuple(filter(has, collection.secret)),
            "omit": {name: reason for name, reason in collection.omit.items() if name == "*" or has(name)},
            "files": tuple(file for file in collection.files if has(file.column)),
            "columns": {name: words for name, words in collection.columns.items() if has(name)},
        }
    )


def _works(find: Find, there: Names[str], others: Names[str]) -> bool:
    return find.column in there and (not find.collection or find.collection in others)


def _cut_way(find: Find, there: Names[str], others: Names[str]) -> Find:
    """The way, without the guards that have nothing to look at: no row can name somebody in a column there is not."""
    unless = [way for way in find.unless if way.column in there and (not way.collection or way.collection in others)]
    return find.model_copy(update={"unless": tuple(unless)})
