"""What refers to what, within the policy, within the systems file and between them.

These checks read the raw tables, not the models, so that they report beside errors of shape and not only after them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from dsr.policy.problem import Path, Problem, did_you_mean, one_of
from dsr.policy.systems import KNOWN_FIRST

Row = Mapping[str, Any]

# Nobody should find a credential in a file that is copied, mailed and kept under version control.
CREDENTIAL_KEYS = ("url", "uri", "dsn", "password", "user", "username", "token", "api_key", "host", "credentials")
CREDENTIAL_VALUE = re.compile(r"[a-z0-9+.-]+://[^/\s]*@|\b(sk|rk|pk)_(live|test)_\w+")


def in_policy(data: Row) -> Iterator[Problem]:
    """References inside a policy file that lead nowhere, and ids given twice."""
    for name in ("purpose", "category", "recipient", "promise"):
        yield from _twice(data, (name,), "id")
    purposes, categories = _named(data, "purpose"), _named(data, "category")
    for number, row in _rows(data, "category"):
        yield from _unknown(row, "purposes", ("category", number), purposes, "a [[purpose]]")
    for number, row in _rows(data, "recipient"):
        yield from _unknown(row, "categories", ("recipient", number), categories, "a [[category]]")
    yield from _not_offered(data)
    yield from _automated(data)


def in_systems(data: Row, categories: Sequence[str] | None) -> Iterator[Problem]:
    """References inside a systems file that lead nowhere; categories of the policy are checked when given."""
    yield from _twice(data, ("system",), "name")
    yield from _credentials(data, ())
    for number, system in _rows(data, "system"):
        yield from _twice(system, ("system", number, "collection"), "name")
        collections = list(_rows(system, "collection"))
        for position, collection in collections:
            path: Path = ("system", number, "collection", position)
            if categories is not None and isinstance(collection.get("category"), str):
                yield from _one(collection["category"], (*path, "category"), categories, "a [[category]] of the policy")
            yield from _pointing(collection, path, _named(system, "collection"))
        yield from _circles(number, collections)
    yield from _unreachable(data)


def _rows(table: Row, name: str) -> Iterator[tuple[int, Row]]:
    """The well-formed tables of a list, each with its position."""
    found = table.get(name, ())
    if isinstance(found, tuple):
        yield from ((number, row) for number, row in enumerate(found) if isinstance(row, Mapping))


def _named(table: Row, name: str) -> list[str]:
    key = "name" if name in ("system", "collection") else "id"
    return [row[key] for _, row in _rows(table, name) if isinstance(row.get(key), str)]


def _twice(table: Row, path: Path, key: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, row in _rows(table, str(path[-1])):
        name = row.get(key)
        if isinstance(name, str) and name in seen:
            yield Problem.at((*path, number, key), f'"{name}" a second time', f"each {key} once")
        elif isinstance(name, str):
            seen.add(name)


def _unknown(row: Row, key: str, path: Path, known: Collection[str], what: str) -> Iterator[Problem]:
    found = row.get(key, ())
    for number, name in enumerate(found if isinstance(found, tuple) else ()):
        if isinstance(name, str):
            yield from _one(name, (*path, key, number), known, what)


def _one(name: str, path: Path, known: Collection[str], what: str) -> Iterator[Problem]:
    if name not in known:
        hint = did_you_mean(name, list(known)) or f"add {what} with this id"
        yield Problem.at(path, f'"{name}"', one_of(known) if known else f"the id of {what}", hint)


def _not_offered(data: Row) -> Iterator[Problem]:
    rights = data.get("rights", {})
    for number, row in _rows(data, "promise"):
        name = row.get("right")
        entry = rights.get(name) if isinstance(rights, Mapping) and isinstance(name, str) else None
        is_offered = isinstance(entry, Mapping) and entry.get("offered") is True
        if isinstance(name, str) and not is_offered:
            hint = f"offer it in [rights.{name}], or the promise is not kept"
            yield Problem.at(("promise", number, "right"), f'"{name}"', "a right that is offered", hint)


def _automated(data: Row) -> Iterator[Problem]:
    is_none, are_listed = "automated_decisions" in data, "automated_decision" in data
    if is_none == are_listed:
        found = "both automated_decisions and [[automated_decision]]" if is_none else "nothing"
        allowed = 'automated_decisions = "none", or one [[automated_decision]] for each'
        hint = "an access answer has to say whether decisions are made without a person (GDPR Art. 15(1)(h))"
        yield Problem.at(("automated_decisions",), found, allowed, hint)


def _credentials(found: Any, path: Path) -> Iterator[Problem]:
    allowed, hint = "the name of an environment variable", "url_env names the variable; its value stays out of the file"
    for key, value in _entries(found):
        is_setting = isinstance(key, str) and len(path) == 2 and key in CREDENTIAL_KEYS
        if is_setting or (isinstance(value, str) and CREDENTIAL_VALUE.search(value)):
            yield Problem.at((*path, key), "a credential or an address in the file itself", allowed, hint)
        else:
            yield from _credentials(value, (*path, key))


def _entries(found: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(found, Mapping):
        yield from found.items()
    elif isinstance(found, tuple):
        yield from enumerate(found)


def _pointing(collection: Row, path: Path, known: Sequence[str]) -> Iterator[Problem]:
    for way, at in _ways(collection, path):
        target = way.get("collection")
        if isinstance(target, str) and target:
            yield from _one(target, (*at, "collection"), known, "a collection of the same system")


def _ways(collection: Row, path: Path) -> Iterator[tuple[Row, Path]]:
    """Each way to a person's rows and each that rules one out, with its place."""
    for number, find in _rows(collection, "find"):
        yield find, (*path, "find", number)
        yield from ((way, (*path, "find", number, "unless", step)) for step, way in _rows(find, "unless"))


def _circles(system: int, collections: Sequence[tuple[int, Row]]) -> Iterator[Problem]:
    """Paths that come back to where they began: the rows could never be found."""
    ways = {
        row["name"]: {*_targets(row), *_ruled_out_by(row)} for _, row in collections if isinstance(row.get("name"), str)
    }
    for position, row in collections:
        name = row.get("name")
        if isinstance(name, str) and (circle := _circle(name, ways)):
            found = " -> ".join(circle)
            hint = "find one of them by an identifier instead"
            yield Problem.at(("system", system, "collection", position, "find"), found, "a path that ends", hint)


def _targets(collection: Row) -> Iterator[str]:
    for _, find in _rows(collection, "find"):
        if isinstance(find.get("collection"), str) and find["collection"]:
            yield find["collection"]


def _ruled_out_by(collection: Row) -> Iterator[str]:
    for way, _ in _ways(collection, ()):
        if isinstance(way.get("collection"), str) and way["collection"]:
            yield way["collection"]


def _circle(start: str, ways: Mapping[str, set[str]]) -> list[str]:
    """The way from a collection back to itself, or nothing."""
    waiting = [[start]]
    seen: set[str] = set()
    while waiting:
        way = waiting.pop(0)
        for target in sorted(ways.get(way[-1], ())):
            if target == start:
                return [*way, target]
            if target not in seen:
                seen.add(target)
                waiting.append([*way, target])
    return []


def _unreachable(data: Row) -> Iterator[Problem]:
    """Collections that no person is ever found in: they would be passed over in silence."""
    collections: dict[Path, Row] = {
        ("system", number, "collection", position): row
        for number, system in _rows(data, "system")
        for position, row in _rows(system, "collection")
    }
    taught = {name for row in collections.values() for name in _identifiers(row, "teaches")}
    known = sorted(KNOWN_FIRST | taught)
    reached = _reached(collections)
    for path, row in collections.items():
        untaught = [name for name in _identifiers(row, "find") if name not in known]
        others = ((place, (*path, "others", step)) for step, place in _rows(row, "others"))
        for way, at in (*_ways(row, path), *others):
            name = way.get("identifier")
            if isinstance(name, str) and name not in known:
                hint = did_you_mean(name, known) or "some collection has to teach it: teaches = [...]"
                yield Problem.at((*at, "identifier"), f'"{name}", which nothing teaches', one_of(known), hint)
        if not untaught and path not in reached and _identifiers(row, "find"):
            hint = "what teaches it is itself found only through this collection: begin with email or receipt"
            found = " and ".join(f'"{name}"' for name in _identifiers(row, "find"))
            yield Problem.at((*path, "find"), f"{found}, never known", "an identifier learned before", hint)


def _reached(collections: Mapping[Path, Row]) -> set[Path]:
    """The collections that are found, beginning with what a person brings and following what each one teaches."""
    learned, reached = set(KNOWN_FIRST), set[Path]()
    while True:
        names = {(path[1], collections[path].get("name")) for path in reached}
        found = {
            path
            for path, row in collections.items()
            if learned.intersection(_identifiers(row, "find")) or any((path[1], to) in names for to in _targets(row))
        }
        if found <= reached:
            return reached
        reached |= found
        learned.update(name for path in found for name in _identifiers(collections[path], "teaches"))


def _identifiers(collection: Row, key: str) -> list[str]:
    found = (row.get("identifier") for _, row in _rows(collection, key))
    return [name for name in found if isinstance(name, str)]
