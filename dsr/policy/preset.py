"""Presets: a maker's whole system mapped once, in a file of this package, which a systems file only points at.

A `[[system]]` with `preset = "litellm"` is read as if the preset's collections stood in it. What the company has to
say is which of its policy's categories each kind of data belongs to; anything else it may say otherwise.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path as FilePath
from typing import Any

from dsr.policy.problem import Path, Problem, did_you_mean, one_of

FOLDER = FilePath(__file__).parent / "presets"
NAMES = tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))
# Keys of a collection that a company's own entry adds to, rather than replaces.
ADDED_TO = ("columns", "omit", "only")
WAYS = ("find", "teaches", "others", "unless")

Row = dict[str, Any]


@dataclass(frozen=True)
class Preset:
    """One preset as its file says it: what it was made for, and what of the maker's schema it leaves aside and why."""

    name: str
    made_for: str
    data: Row

    @property
    def ignored(self) -> Mapping[str, str]:
        """Tables (and views, with * for anything) that hold nothing of a person's, each with the reason."""
        ignored: Mapping[str, str] = self.data["ignore"]
        return ignored

    @cached_property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Every table of the schema it was made for, with its columns."""
        lines = (FOLDER / f"{self.name}.columns").read_text(encoding="utf-8").splitlines()
        tables = (line.split(": ", 1) for line in lines)
        return {table: tuple(names.split()) for table, names in tables}


@cache
def preset(name: str) -> Preset:
    """The preset of this name. Raises KeyError."""
    if name not in NAMES:
        raise KeyError(name)
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    return Preset(name, data["made_for"], data)


def expanded(data: Row, allowed: Sequence[str] | None) -> tuple[Row, list[Problem]]:
    """A systems file's tables with every preset written out, and what is wrong with how presets are used.

    `allowed` are the policy's categories, where there is a policy.
    """
    systems = data.get("system")
    if not isinstance(systems, tuple):
        return data, []
    problems: list[Problem] = []
    written = []
    for number, system in enumerate(systems):
        if isinstance(system, dict) and isinstance(system.get("preset"), str) and system["preset"]:
            found = [*_problems(system, ("system", number), allowed)]
            problems += found
            written.append(system if found else _written_out(system, preset(system["preset"]).data))
        else:
            written.append(system)
    return {**data, "system": tuple(written)}, problems


def _problems(system: Row, path: Path, allowed: Sequence[str] | None) -> Iterator[Problem]:
    name = system["preset"]
    if name not in NAMES:
        yield Problem.at((*path, "preset"), f'"{name}"', one_of(NAMES), did_you_mean(name, NAMES))
        return
    known = preset(name).data
    collections = {row["name"]: row for row in known["collection"]}
    left_out = _texts(system.get("leave_out"))
    for number, each in enumerate(left_out):
        if each not in collections:
            hint = did_you_mean(each, list(collections))
            yield Problem.at((*path, "leave_out", number), f'"{each}"', one_of(collections), hint)
    used = {row["category"] for name, row in collections.items() if name not in left_out}
    yield from _category_problems(system.get("categories", {}), known["kinds"], used, (*path, "categories"), allowed)
    for each in system.get("known_as", {}) if isinstance(system.get("known_as"), dict) else ():
        if each not in known["identifiers"]:
            hint = did_you_mean(each, list(known["identifiers"]))
            yield Problem.at(
                (*path, "known_as", each), "no identifier of this preset", one_of(known["identifiers"]), hint
            )


def _category_problems(
    given: Any, kinds: Mapping[str, str], used: Collection[str], path: Path, allowed: Sequence[str] | None
) -> Iterator[Problem]:
    categories = given if isinstance(given, dict) else {}
    for kind, category in categories.items():
        if kind not in kinds:
            hint = did_you_mean(kind, list(kinds))
            yield Problem.at((*path, kind), "no kind of data of this preset", one_of(kinds), hint)
        elif allowed is not None and category not in allowed:
            hint = did_you_mean(str(category), list(allowed)) or "add a [[category]] with this id to the policy"
            yield Problem.at((*path, kind), f'"{category}"', one_of(allowed), hint)
    missing = [kind for kind in kinds if kind in used and kind not in categories]
    if missing:
        found = f"no category for {', '.join(missing)}"
        wanted = ", ".join(f"{kind} ({kinds[kind]})" for kind in missing)
        hint = "say for each to which [[category]] of your policy it belongs"
        yield Problem.at(path, found, f"one for each of: {wanted}", hint)


def _texts(found: Any) -> list[str]:
    return [each for each in found if isinstance(each, str)] if isinstance(found, tuple) else []


def _written_out(system: Row, known: Row) -> Row:
    """The system with the preset's collections: those the company speaks of first, as it has them, then the others."""
    categories, left_out = system.get("categories", {}), _texts(system.get("leave_out"))
    called = {**known["identifiers"], **system.get("known_as", {})}
    given = {row["name"]: _collection(row, known, categories, called) for row in known["collection"]}
    own = system.get("collection", ())
    own = own if isinstance(own, tuple) else ()
    merged = tuple(_merged(given, row) for row in own)
    spoken_of = {row.get("name") for row in own if isinstance(row, dict)}
    rest = (row for name, row in given.items() if name not in spoken_of and name not in left_out)
    return {
        "title": known["title"],
        "kind": known["kind"],
        **system,
        "ignore": (*known["ignore"], *system.get("ignore", ())),
        "nobody": (*known.get("nobody", ()), *system.get("nobody", ())),
        "collection": (*merged, *rest),
    }


def _merged(given: Mapping[str, Row], own: Any) -> Any:
    base = given.get(own.get("name", "")) if isinstance(own, dict) else None
    if base is None:
        return own
    added = {key: {**base.get(key, {}), **own[key]} for key in ADDED_TO if isinstance(own.get(key), dict)}
    return {**base, **own, **added}


def _collection(row: Row, known: Row, categories: Mapping[str, str], called: Mapping[str, str]) -> Row:
    """One collection of a preset as a systems file would have it."""
    words, reasons = known["words"], known["reasons"]
    hidden = {name: reasons[reason] for reason, names in row.get("hides", {}).items() for name in names}
    plain = {key: _frozen(value) for key, value in row.items() if key not in ("shows", "hides")}
    return {
        "may_lack": "table",
        **plain,
        **{way: tuple(_called(each, called) for each in plain[way]) for way in WAYS if way in plain},
        "category": categories.get(row["category"], ""),
        "columns": {name: words[name] for name in row.get("shows", ()) if name not in row.get("columns", {})}
        | row.get("columns", {}),
        "omit": {**hidden, **row.get("omit", {}), "*": reasons["rest"]},
    }


def _called(way: Row, called: Mapping[str, str]) -> Row:
    renamed = {**way, "identifier": called.get(way["identifier"], way["identifier"])} if "identifier" in way else way
    if "unless" in renamed:
        return {**renamed, "unless": tuple(_called(each, called) for each in renamed["unless"])}
    return renamed


def _frozen(found: Any) -> Any:
    if isinstance(found, list):
        return tuple(_frozen(value) for value in found)
    return {key: _frozen(value) for key, value in found.items()} if isinstance(found, dict) else found
