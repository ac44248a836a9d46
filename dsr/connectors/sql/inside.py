"""Ids inside arrays and JSON: whether one is there, asked of the database; and which are there, read in Python.

The two are written apart on purpose: the first picks rows, the second says whose they are, and a row on which they
differ stops the build. Both are exact: "Ada" is not "ada", "07" is not 7, and an object is nobody's name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from sqlalchemy import ColumnElement, FromClause, Text, and_, case, cast, collate, false, func, literal, or_, select

from dsr.connectors import SystemRefused
from dsr.connectors.sql.identifiers import fold
from dsr.connectors.sql.tables import SourceColumn, Tables
from dsr.policy.systems import Named

# What a JSON value that may name somebody is called: text, or a whole number.
POSTGRESQL_WHOLE = r"^-?[0-9]+$"
SQLITE_NAMES = ("text", "integer")
MARIADB_NAMES = ("STRING", "INTEGER")


def holds(tables: Tables, place: Named, at: SourceColumn, wanted: frozenset[str]) -> ColumnElement[bool]:
    """Whether one of these identifiers stands at this place inside the column. Raises SystemRefused."""
    if not wanted:
        return false()
    return HOLDS[_dialect(tables, at)](tables, place, at, sorted(wanted))


def element(tables: Tables, at: SourceColumn) -> ColumnElement[Any]:
    """The whole column as JSON text, to be read again in Python."""
    if tables.dialect == "postgresql":
        return cast(func.to_jsonb(at.element), Text)
    return at.element


def reader(place: Named, allowed: frozenset[str]) -> Callable[[Any], str]:
    """What finds the person in the value that `element` gives: one who is allowed, else the first who is named."""
    steps = place.steps()

    def read(value: Any) -> str:
        first = ""
        for name in names(parsed(value), steps):
            told = fold(name) if place.transform == "casefold" else name
            if told in allowed:
                return told
            first = first or told
        return first

    return read


def parsed(value: Any) -> Any:
    """JSON text as what it says; what is no JSON is nothing. Values that the driver has read stay."""
    if not isinstance(value, str | bytes | bytearray):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def names(value: Any, steps: Sequence[str]) -> Iterator[str]:
    """What stands at the end of the way into this value, as far as it can name somebody."""
    if not steps:
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            yield str(value)
    elif steps[0] == "*":
        for each in value if isinstance(value, list) else ():
            yield from names(each, steps[1:])
    elif isinstance(value, dict) and steps[0] in value:
        yield from names(value[steps[0]], steps[1:])


def _dialect(tables: Tables, at: SourceColumn) -> str:
    if tables.dialect not in HOLDS:
        raise SystemRefused(
            _("Databases of this kind (%(kind)s) cannot be searched inside arrays and JSON yet.")
            % {"kind": tables.dialect},
            _("Read the column through a view that has one row for each entry."),
            system=tables.system.name,
        )
    if tables.dialect == "postgresql" and at.family not in ("array", "json"):
        raise SystemRefused(
            _("“%(column)s” has a path, and is neither an array nor JSON.") % {"column": at.name},
            _("Take “path” away, or read the column through a view that casts it to jsonb."),
            system=tables.system.name,
        )
    return tables.dialect


def _postgresql(tables: Tables, place: Named, at: SourceColumn, wanted: list[str]) -> ColumnElement[bool]:
    value: ColumnElement[Any] = func.to_jsonb(at.element)
    sources: list[FromClause] = []
    for number, step in enumerate(place.steps()):
        if step == "*":
            is_array = func.jsonb_typeof(value) == "array"
            entries = func.jsonb_array_elements(case((is_array, value), else_=func.jsonb_build_array()))
            each = entries.table_valued("value", name=f"e{number}").render_derived(name=f"e{number}")
            sources.append(each.lateral(f"e{number}"))
            value = sources[-1].c.value
        else:
            value = func.jsonb_extract_path(value, cast(literal(step), Text))
    words = func.jsonb_extract_path_text(func.jsonb_build_array(value), "0")
    kind = func.jsonb_typeof(value)
    can_name = or_(kind == "string", and_(kind == "number", words.regexp_match(POSTGRESQL_WHOLE)))
    compared = func.lower(words) if place.transform == "casefold" else words
    met = and_(can_name, collate(compared, "C").in_(wanted))
    return _any_of(sources, met)


def _sqlite(tables: Tables, place: Named, at: SourceColumn, wanted: list[str]) -> ColumnElement[bool]:
    # At each step: the JSON there; the last one as the value and its kind, for a text may look like JSON.
    where: ColumnElement[Any] = case((func.json_valid(at.element) == 1, at.element))
    kind: ColumnElement[Any] = func.json_type(where)
    value: ColumnElement[Any] = func.json_extract(where, "$")
    sources: list[FromClause] = []
    for number, step in enumerate(place.steps()):
        if step == "*":
            entries = func.json_each(case((kind == "array", where), else_="[]"))
            each = entries.table_valued("value", "type", name=f"e{number}")
            sources.append(each)
            kind, value = each.c.type, each.c.value
            where = case((kind.in_(("object", "array")), value))
        else:
            inner, path = case((kind == "object", where)), f'$."{step}"'
            kind, value = func.json_type(inner, path), func.json_extract(inner, path)
            where = case((kind.in_(("object", "array")), value))
    words: ColumnElement[Any] = cast(value, Text)
    if place.transform == "casefold":
        words = func.lower(words) if all(each.isascii() for each in wanted) else func.dsr_fold(words)
    return _any_of(sources, and_(kind.in_(SQLITE_NAMES), collate(words, "BINARY").in_(wanted)))


def _any_of(sources: list[FromClause], met: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether some entry meets the condition. Without entries it is the row itself that must."""
    if not sources:
        return func.coalesce(met, false())
    found = select(literal(1))
    for source in sources:
        found = found.select_from(source)
    return found.where(met).correlate_except(*sources).exists()


def _mariadb(tables: Tables, place: Named, at: SourceColumn, wanted: list[str]) -> ColumnElement[bool]:
    path = "$" + "".join("[*]" if step == "*" else f'."{step}"' for step in place.steps())
    inside = func.json_extract(case((func.json_valid(at.element) == 1, at.element)), path)
    if place.transform == "casefold":
        inside = func.lower(inside)
    # Said in bytes: a text column's own comparison may take "Ada" and "ada" for one.
    exact = collate(cast(inside, Text), "utf8mb4_bin")
    if "*" in place.steps():
        # What a path with [*] leads to is always an array, whose entries alone are compared, not what is within them.
        said = [json.loads(each) for value in wanted for each in _said_in_json(value)]
        return func.coalesce(func.json_overlaps(exact, json.dumps(said, ensure_ascii=False)), 0) == 1
    met = [func.json_contains(exact, said) == 1 for each in wanted for said in _said_in_json(each)]
    return and_(func.json_type(inside).in_(MARIADB_NAMES), or_(*met))


def _said_in_json(value: str) -> Iterator[str]:
    yield json.dumps(value, ensure_ascii=False)
    digits = value.removeprefix("-")
    if digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0"):
        yield value


HOLDS: dict[str, Callable[[Tables, Named, SourceColumn, list[str]], ColumnElement[bool]]] = {
    "postgresql": _postgresql,
    "sqlite": _sqlite,
    "mysql": _mariadb,
    "mariadb": _mariadb,
}


@dataclass(frozen=True)
class Shown:
    """A place that may name others, and who of them may be shown: the person."""

    steps: tuple[str, ...]
    mine: frozenset[str]
    folds: bool
    nobody: frozenset[str]

    def is_mine(self, value: Any) -> bool:
        """Whether this value names the person."""
        return any((fold(name) if self.folds else name) in self.mine for name in names(value, ()))

    def is_somebody_else(self, value: Any) -> bool:
        """Whether this value may name another person: it holds something, and that is not the person."""
        return value not in (None, "") and not self.is_mine(value) and str(value).casefold() not in self.nobody


def without_others(value: Any, places: Sequence[Shown]) -> Any:
    """The value as the person may see it: of arrays only entries that name them, elsewhere another's name masked."""
    if isinstance(value, list) and any(place.steps[:1] == ("*",) for place in places):
        inner = _further(places, "*")
        return [without_others(each, inner) for each in value if _names_me(each, inner)]
    if isinstance(value, dict) and any(place.steps and place.steps[0] != "*" for place in places):
        return {key: without_others(each, _further(places, key)) for key, each in value.items()}
    if value not in (None, "", [], {}) and any(place.steps or place.is_somebody_else(value) for place in places):
        return somebody_else()
    return value


def somebody_else() -> str:
    """What stands where another person was named."""
    return _("[another person]")


def _further(places: Sequence[Shown], step: str) -> list[Shown]:
    return [Shown(p.steps[1:], p.mine, p.folds, p.nobody) for p in places if p.steps[:1] == (step,)]


def _names_me(value: Any, places: Sequence[Shown]) -> bool:
    return any(
        (fold(name) if place.folds else name) in place.mine for place in places for name in names(value, place.steps)
    )
