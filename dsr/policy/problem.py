"""What is wrong with a file, said so that the person who wrote it can mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what stands there, what may stand there, and what to do."""

    place: str
    found: str
    allowed: str
    hint: str = ""
    file: str = ""
    line: int | None = None
    path: Path = ()

    @classmethod
    def at(cls, path: Path, found: str, allowed: str, hint: str = "") -> Problem:
        """A problem at a path of keys and positions, which is also how its line is found."""
        return cls(place(path), found, allowed, hint, path=path)

    def __str__(self) -> str:
        at = ", ".join(part for part in (self.file, f"line {self.line}" if self.line else "", self.place) if part)
        said = [f"{at or 'the file'}: found {self.found}", f"allowed: {self.allowed}", self.hint]
        return "; ".join(part for part in said if part)

    def in_file(self, name: str, line: int | None = None) -> Problem:
        """The same problem, with the name of its file and its line."""
        return replace(self, file=name, line=self.line or line)


class PolicyError(Exception):
    """The policy or the systems file is not right; `problems` holds every reason, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        return "\n".join([f"{head} in the configuration:", *(f"  {problem}" for problem in self.problems)])


def place(path: Path) -> str:
    """A path in words: ("recipient", 1, "country") is recipient[2].country, since people count from one."""
    words = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path)
    return words.removeprefix(".")


def did_you_mean(found: str, known: Sequence[str]) -> str:
    """A hint naming what was probably meant, or nothing."""
    close = get_close_matches(found.lower(), known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""


def one_of(known: Iterable[str]) -> str:
    """The allowed values as words."""
    return "one of " + ", ".join(known)
