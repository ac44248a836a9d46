"""The two small values a policy file is written in: a text in one or more languages, and a length of time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
PERIOD = re.compile(r"([0-9]{1,4}) (hour|day|week|month|year|working day)s?")

Unit = Literal["hour", "day", "week", "month", "year", "working day"]
UNITS: tuple[Unit, ...] = get_args(Unit)


class Text:
    """Words for people: one string for every language, or one a language. Immutable; empty texts are false."""

    __slots__ = ("_words",)
    _words: tuple[tuple[str, str], ...]

    def __init__(self, words: str | Mapping[str, str] = "") -> None:
        pairs = (("", words),) if isinstance(words, str) else tuple(words.items())
        self._words = pairs or (("", ""),)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages it is written in; none when one string serves all."""
        return tuple(language for language, _ in self._words if language)

    def text(self, language: str) -> str:
        """The words in this language, else in its parent (pt for pt-br), else the first given."""
        wanted = language.lower().replace("_", "-")
        for tag in (wanted, wanted.split("-")[0]):
            for known, words in self._words:
                if known.lower() == tag:
                    return words
        return self._words[0][1]

    def __str__(self) -> str:
        return self._words[0][1]

    def __repr__(self) -> str:
        return f"Text({str(self)!r})" if not self.languages else f"Text({dict(self._words)!r})"

    def __bool__(self) -> bool:
        return any(words.strip() for _, words in self._words)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and other._words == self._words

    def __hash__(self) -> int:
        return hash(self._words)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _read_text, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        by_language = {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": f"^{LANGUAGE.pattern}$"},
            "additionalProperties": {"type": "string"},
        }
        return {"anyOf": [{"type": "string"}, by_language]}


def _read_text(found: Any) -> Text:
    if isinstance(found, Text | str):
        return found if isinstance(found, Text) else Text(found)
    if not isinstance(found, Mapping) or not all(isinstance(words, str) for words in found.values()):
        raise PydanticCustomError(
            "text", "not a text", {"allowed": 'a text in quotes, or one a language: { en = "...", tr = "..." }'}
        )
    if not found or not all(LANGUAGE.fullmatch(language) for language in found):
        raise PydanticCustomError(
            "text", "not a table of languages", {"allowed": 'language codes as keys: { en = "...", tr = "..." }'}
        )
    return Text(found)


@dataclass(frozen=True)
class Period:
    """A length of time as the policy words it. A month is a calendar month; what a day is, the rule says."""

    number: int
    unit: Unit

    @classmethod
    def parse(cls, words: str) -> Period:
        """Read "30 days", "48 hours", "1 month", "5 working days". Raises ValueError."""
        found = PERIOD.fullmatch(words)
        if found is None or int(found[1]) == 0:
            raise ValueError(f"{words!r} is not a period such as '30 days'")
        return cls(int(found[1]), next(unit for unit in UNITS if unit == found[2]))

    def __str__(self) -> str:
        return f"{self.number} {self.unit}" + ("" if self.number == 1 else "s")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _read_period, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{PERIOD.pattern}$", "examples": ["30 days", "1 month"]}


def _read_period(found: Any) -> Period:
    if isinstance(found, Period):
        return found
    try:
        return Period.parse(found if isinstance(found, str) else "")
    except ValueError:
        allowed = 'a number and a unit: "48 hours", "30 days", "5 working days", "1 month", "7 years"'
        raise PydanticCustomError("period", "not a period", {"allowed": allowed}) from None
