"""The legal deadline models of rules.toml, read once and checked."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from dsr.policy.problem import PolicyError, Problem
from dsr.policy.text import Period

Kind = Literal["identity", "clarification", "fee"]
Effect = Literal["starts", "pauses", "nothing"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Extension(_Entry):
    """A longer period, counted from the original start, and how long there is to tell the person of it."""

    total: Period
    notice: Period


class Questions(_Entry):
    """What a question to the person does to the clock, by kind of question."""

    identity: Effect = "nothing"
    clarification: Effect = "nothing"
    fee: Effect = "nothing"
    asked_within: Period | None = None

    def effect(self, kind: Kind) -> Effect:
        """What a question of this kind does."""
        return {"identity": self.identity, "clarification": self.clarification, "fee": self.fee}[kind]


class Complaint(_Entry):
    """How long a person has to go to the authority, counted from the answer and from the request."""

    after_answer: Period
    after_request: Period


class Rule(_Entry):
    """One deadline model. rules.toml says what each field means."""

    title: str
    law: str
    source: str
    checked_on: date
    effective_from: date
    day_off: Literal["next working day", "not moved"]
    acknowledge: Literal["at once"] | Period | None = None
    answer: Period | None = None
    as_promised: bool = False
    target: Literal["", "a day earlier"] = ""
    extension: Extension | None = None
    questions: Questions = Questions()
    complaint: Complaint | None = None
    says: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()

    @property
    def rolls(self) -> bool:
        """Whether a last day on which nobody works moves to the next working day."""
        return self.day_off == "next working day"

    @property
    def length(self) -> Period | None:
        """How long there is; for a rule that dates no answer, how long for the acknowledgement; None for promises."""
        return self.answer or (self.acknowledge if isinstance(self.acknowledge, Period) else None)

    @property
    def version(self) -> str:
        """Names this very wording of the rule, so that a case can say which one it was counted by."""
        # That somebody compared it with its source again makes no new rule.
        words = self.model_dump_json(exclude={"checked_on", "source"})
        digest = hashlib.sha256(words.encode()).hexdigest()
        return f"{self.effective_from}-{digest[:8]}"

    @model_validator(mode="after")
    def _ends_somewhere(self) -> Self:
        if self.as_promised == (self.length is not None):
            raise ValueError("a rule has either a length (answer, or a period under acknowledge) or as_promised")
        if any(period.unit == "hour" for period in self._periods()):
            raise ValueError("the law's periods are counted in days; hours are for promises")
        return self

    def _periods(self) -> tuple[Period, ...]:
        extension = (self.extension.total, self.extension.notice) if self.extension else ()
        return tuple(p for p in (self.answer, self.acknowledge, *extension) if isinstance(p, Period))


def load_rules(path: Path) -> Mapping[str, Rule]:
    """Read a rules file. Raises PolicyError with everything that is wrong in it."""
    try:
        return TypeAdapter(dict[str, Rule]).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError([Problem("", "no TOML", str(error), file=path.name)]) from error
    except ValidationError as error:
        raise PolicyError(
            Problem(".".join(map(str, one["loc"])), repr(one["input"]), one["msg"], file=path.name)
            for one in error.errors()
        ) from error


RULES: Mapping[str, Rule] = load_rules(Path(__file__).with_name("rules.toml"))
