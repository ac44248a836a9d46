"""Reads TOML, takes out what is marked as assumed, and turns what a model refuses into problems with a place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path as FilePath
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dsr.policy.lines import Lines
from dsr.policy.problem import Path, PolicyError, Problem, did_you_mean, place
from dsr.policy.text import Period
from dsr.policy.values import PATTERNS

LARGEST = 4 * 1024 * 1024
SYNTAX_AT = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")
GIVE_IT = "give it; where the published policy does not say it, mark it: {key} = {{ value = ..., assumed = true }}"
TYPES = {
    "string_type": "a text in quotes",
    "bool_type": "true or false, without quotes",
    "int_type": "a whole number, without quotes",
    "date_type": "a date without quotes, such as 2026-01-31",
    "tuple_type": 'a list, such as ["one", "two"]',
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
    "mapping_type": "a table",
}
WANTED: dict[Any, str] = {bool: "true or false", date: TYPES["date_type"], Period: 'a period such as "30 days"'}


@dataclass(frozen=True)
class Document:
    """One file as read: its tables with lists as tuples, the places marked as assumed, where each line is."""

    name: str
    data: dict[str, Any]
    assumed: tuple[str, ...]
    lines: Lines

    def located(self, problem: Problem) -> Problem:
        """The problem with this file's name and its line."""
        return problem.in_file(self.name, self.lines.of(problem.path))


def read(path: FilePath | str, *, marks: bool) -> Document:
    """Read a TOML file; `marks` says whether facts in it may be marked as assumed. Raises PolicyError."""
    path = FilePath(path)
    words = _words(path)
    try:
        data = tomllib.loads(words)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError([_syntax(path.name, words, str(error))]) from None
    lines = Lines(words)
    if not marks:
        return Document(path.name, {key: _frozen(value) for key, value in data.items()}, (), lines)
    stripping = _Stripping()
    stripped = stripping.strip(data, ())
    document = Document(path.name, stripped, tuple(stripping.assumed), lines)
    if stripping.problems:
        raise PolicyError([document.located(problem) for problem in stripping.problems])
    return document


def explain(error: ValidationError, model: type[BaseModel], *, marks: bool) -> list[Problem]:
    """Every reason a model gives against a file, in the order of the file's keys."""
    reasons = error.errors(include_url=False)
    # An entry that is wrong in itself is not counted, and a list of such entries is not also "too short".
    return [_problem(each, model, marks) for each in reasons if each["type"] != "too_short" or not each["input"]]


class _Stripping:
    """Takes the marks out of a document, and remembers where they stood."""

    def __init__(self) -> None:
        self.assumed: list[str] = []
        self.problems: list[Problem] = []

    def strip(self, found: Any, path: Path) -> Any:
        if isinstance(found, list):
            return tuple(self.strip(value, (*path, number)) for number, value in enumerate(found))
        if not isinstance(found, dict):
            return found
        self._note(found, path)
        if found.keys() == {"value", "assumed"}:
            return self.strip(found["value"], path)
        return {key: self.strip(value, (*path, key)) for key, value in found.items() if key != "assumed"}

    def _note(self, table: Mapping[str, Any], path: Path) -> None:
        mark = table.get("assumed", False)
        if not isinstance(mark, bool):
            self.problems.append(Problem.at((*path, "assumed"), _shown(mark), "true or false, without quotes"))
        elif mark:
            self.assumed.append(place(path) or "the whole file")


def _words(path: FilePath) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise PolicyError([Problem("", "more than 4 MB", "a TOML file of ordinary size", file=path.name)])
        return path.read_bytes().decode()
    except OSError as error:
        allowed, hint = "a file that can be read", f"is {path} the right path?"
        raise PolicyError([Problem("", error.strerror or "no file", allowed, hint, path.name)]) from None
    except UnicodeDecodeError as error:
        found, hint = f"a byte that is not UTF-8 at position {error.start}", "save the file as UTF-8"
        raise PolicyError([Problem("", found, "text in UTF-8", hint, path.name)]) from None


def _syntax(name: str, words: str, message: str) -> Problem:
    at = SYNTAX_AT.search(message)
    said = message[: at.start()].strip() if at else message
    line = int(at[1]) if at and at[1] else len(words.splitlines())
    where = f"column {at[2]}" if at and at[2] else "the end of the file"
    hint = "texts stand in quotes, and a key stands once in its table"
    return Problem(where, f"{said[:1].lower()}{said[1:]}", "valid TOML, see https://toml.io", hint, name, line)


def _frozen(found: Any) -> Any:
    if isinstance(found, list):
        return tuple(_frozen(value) for value in found)
    return {key: _frozen(value) for key, value in found.items()} if isinstance(found, dict) else found


def _problem(details: ErrorDetails, model: type[BaseModel], marks: bool) -> Problem:
    path, kind, given = details["loc"], details["type"], details["input"]
    context = details.get("ctx", {})
    if path[-1:] == ("[key]",):
        path, kind = path[:-1], "extra_forbidden"
    if kind == "missing":
        hint = GIVE_IT.format(key=path[-1]) if marks else "give it"
        return Problem.at(path, "nothing", _wanted(model, path), hint)
    if kind == "extra_forbidden":
        known = _keys(model, path[:-1])
        return Problem.at(path, "an unknown key", f"the keys {', '.join(known)}", did_you_mean(str(path[-1]), known))
    if "allowed" in context:
        return Problem.at(path, _told(given, context.get("message", "")), context["allowed"], context.get("hint", ""))
    allowed, hint = _allowed(kind, context, details["msg"], given)
    return Problem.at(path, _shown(given), allowed, hint)


def _allowed(kind: str, context: Mapping[str, Any], message: str, given: Any) -> tuple[str, str]:
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return "one of " + ", ".join(f'"{word}"' for word in known), did_you_mean(str(given), known)
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], message), ""
    if kind == "too_short":
        return "at least one entry", ""
    if kind == "greater_than_equal":
        return f"a number of at least {context['ge']}", ""
    if kind == "less_than_equal":
        return f"a number of at most {context['le']}", ""
    return TYPES.get(kind, message), ""


def _told(given: Any, message: str) -> str:
    if isinstance(given, dict):
        return message or _shown(given)
    return f"{_shown(given)}, {message}" if message else _shown(given)


def _shown(given: Any) -> str:
    """A value as the file would write it, cut short; an address with credentials in it is never repeated."""
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str):
        if "://" in given and "@" in given:
            return "an address with credentials"
        return f'"{given}"' if len(given) <= 60 else f'"{given[:57]}..."'
    if isinstance(given, date | time | int | float):
        return str(given)
    return "a table" if isinstance(given, Mapping) else "a list" if isinstance(given, tuple | list) else repr(given)


def _wanted(model: type[BaseModel], path: Path) -> str:
    """What a missing key should hold, as far as its type tells."""
    holder = _model_at(model, path[:-1])
    if holder is None:
        return "a value"
    field = next((info for name, info in holder.model_fields.items() if (info.alias or name) == path[-1]), None)
    if field is None:
        return "a value"
    inner = _models(field.annotation)
    if inner:
        many = "one or more tables, each with" if _is_list(field.annotation) else "a table with"
        return f"{many} {', '.join(_required(inner[0]))}"
    return "a list" if _is_list(field.annotation) else WANTED.get(field.annotation, "a value")


def _required(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items() if info.is_required()]


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys known at a path: those of the model there, or of a mapping with fixed keys."""
    holder = _model_at(model, path)
    if holder is not None:
        return [info.alias or name for name, info in holder.model_fields.items() if name not in ("assumed",)]
    parent = _model_at(model, path[:-1])
    fields = parent.model_fields.items() if parent else ()
    field = next((info for name, info in fields if (info.alias or name) == path[-1]), None)
    return [str(key) for key in get_args(get_args(field.annotation)[0])] if field else []


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model that reads the table at this path; None where a mapping does."""
    here: type[BaseModel] = model
    steps = [step for step in path if isinstance(step, str)]
    while steps:
        step = steps.pop(0)
        field = next((info for name, info in here.model_fields.items() if (info.alias or name) == step), None)
        inner = _models(field.annotation) if field else []
        if field is None or not inner:
            return None
        if _is_mapping(field.annotation):
            if not steps:
                return None
            steps.pop(0)
        here = inner[0]
    return here


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _is_list(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) is tuple


def _is_mapping(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) in (dict, Mapping)
