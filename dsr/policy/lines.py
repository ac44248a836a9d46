"""Finds the line of a key in a TOML text: Python's parser keeps no positions, so headers and keys are read again."""

from __future__ import annotations

import re

from dsr.policy.problem import Path

LIST_HEADER = re.compile(r"\s*\[\[\s*([^\]]+?)\s*\]\]")
HEADER = re.compile(r"\s*\[\s*([^\]\[]+?)\s*\]\s*(#.*)?$")
KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


class Lines:
    """The line of each table and key. Good for pointing at, not for parsing: keys inside inline tables are not seen."""

    def __init__(self, words: str) -> None:
        self._at: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        table: Path = ()
        is_inside_text = False
        for number, line in enumerate(words.splitlines(), start=1):
            if not is_inside_text:
                table = self._note(line, number, table)
            if (line.count('"""') + line.count("'''")) % 2:
                is_inside_text = not is_inside_text

    def of(self, path: Path) -> int | None:
        """The line of this path, or of the nearest table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._at:
                return self._at[path[:length]]
        return None

    def _note(self, line: str, number: int, table: Path) -> Path:
        if found := LIST_HEADER.match(line):
            name = self._resolved(_parts(found[1]), is_new=True)
            self._at.setdefault(name[:-1], number)
            self._at[name] = number
            return name
        if found := HEADER.match(line):
            name = self._resolved(_parts(found[1]), is_new=False)
            self._at[name] = number
            return name
        if found := KEY.match(line):
            self._at.setdefault((*table, *_parts(found[1])), number)
        return table

    def _resolved(self, parts: list[str], *, is_new: bool) -> Path:
        """The path of a header, with the position of every list of tables on the way."""
        path: Path = ()
        for number, part in enumerate(parts):
            path = (*path, part)
            if is_new and number == len(parts) - 1:
                self._counts[path] = self._counts.get(path, -1) + 1
            if path in self._counts:
                path = (*path, self._counts[path])
        return path


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in PART.findall(dotted)]
