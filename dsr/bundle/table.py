"""Columns with their types, and CSV in which no spreadsheet finds a formula.

JSON Lines stays exact. CSV (RFC 4180, UTF-8 with a byte order mark, without which Excel reads it as Latin) is for
spreadsheets: what a cell would do is taken out, what it says stays.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

import orjson

BOM = b"\xef\xbb\xbf"
_END = "\r\n"

# What may stand before a formula sign without a spreadsheet minding: space of any kind, quotes, marks without width.
_IGNORED = r"[\s\"'`\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff\u2400-\u2421\ufffd]"
_FORMULA = re.compile(rf"{_IGNORED}*+[=+\-@＝＋－＠]|[\t\r]")
# A spreadsheet set to another delimiter takes a cell apart at it. Lists ("- one") keep their dash.
_INNER_FORMULA = re.compile(rf"([;|\t\n])(?={_IGNORED}{{0,20}}+(?:[=+@＝＋＠]|[-－]\S))")
_NUMBER = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,4})?")
_INTEGER = re.compile(r"-?[0-9]{1,60}")
# Control characters become the pictures Unicode has of them: ␀ for NUL.
_NEUTRAL = (
    {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"}
    | {0x7F: 0x2421}
    | dict.fromkeys([*range(0x80, 0xA0), 0xFFFE, 0xFFFF], 0xFFFD)
)
# What needs no look at all.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,:/_()+-]*")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")

_BOOLEAN, _WHOLE, _FLOAT, _TEXT, _OBJECT, _ARRAY, _FITTING = (1 << n for n in range(7))
_BY_CLASS = {bool: _BOOLEAN, int: _WHOLE, float: _FLOAT, str: _TEXT, dict: _OBJECT, list: _ARRAY, type(None): 0}
_BY_WORD = {
    "boolean": _BOOLEAN, "integer": _WHOLE, "number": _FLOAT, "string": _TEXT, "object": _OBJECT, "array": _ARRAY,
}  # fmt: skip
# A declared type, and what the values may be for it to be true. Text that reads as the type is _FITTING.
_ALLOWED = {
    "integer": _WHOLE | _FITTING,
    "number": _WHOLE | _FLOAT | _FITTING,
    "boolean": _BOOLEAN,
    "date": _FITTING,
    "datetime": _FITTING,
    "object": _OBJECT,
    "array": _ARRAY,
    "string": _TEXT,
}
_FOUND = {
    _BOOLEAN: "boolean",
    _WHOLE: "integer",
    _FLOAT: "number",
    _WHOLE | _FLOAT: "number",
    _OBJECT: "object",
    _ARRAY: "array",
}


class ColumnLike(Protocol):
    """What a table needs of a connector's column."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def description(self) -> str: ...


class Table:
    """The columns of one collection, and what types their values turn out to have."""

    def __init__(self, columns: Iterable[ColumnLike]) -> None:
        declared = tuple(columns)
        self._declared = {column.name: column.type for column in declared}
        self._descriptions = {column.name: column.description for column in declared}
        self._seen = {column.name: 0 for column in declared}
        self._fits = {column.name: _FITS[column.type] for column in declared if column.type in _FITS}
        self.is_uneven = False

    @property
    def names(self) -> list[str]:
        """Column names in order: the declared ones, then those that only rows had."""
        return list(self._seen)

    def see(self, data: Mapping[str, Any]) -> None:
        """Take note of one row's columns and types."""
        seen, fits = self._seen, self._fits
        for name, value in data.items():
            if value is None:
                seen.setdefault(name, 0)
                continue
            kind = _BY_CLASS[value.__class__]
            if kind == _TEXT and name in fits and fits[name](value):
                kind = _FITTING
            try:
                seen[name] |= kind
            except KeyError:
                seen[name] = kind
        if len(data) != len(seen):
            self.is_uneven = True

    @property
    def kinds(self) -> dict[str, int]:
        """What the values of each column turned out to be, for `merge`."""
        return self._seen

    def note(self, unlike: Mapping[str, Iterable[str]]) -> None:
        """Take note of JSON types that columns had beside the declared one."""
        for name, found in unlike.items():
            for word in found:
                self._seen[name] |= _BY_WORD[word]

    def merge(self, kinds: Mapping[str, int], *, is_uneven: bool) -> None:
        """Take note of what another table saw."""
        for name, found in kinds.items():
            self._seen[name] = self._seen.get(name, 0) | found
        self.is_uneven = self.is_uneven or is_uneven

    def fields(self, *, is_csv: bool) -> list[dict[str, str]]:
        """The columns as a Table Schema: the declared type where every value had it, otherwise what was found."""
        return [self._field(name, kinds, is_csv=is_csv) for name, kinds in self._seen.items()]

    def _field(self, name: str, kinds: int, *, is_csv: bool) -> dict[str, str]:
        shown = safe_text(name) if is_csv else name
        field = {"name": shown, "type": self._type(name, kinds, is_csv=is_csv)}
        if description := self._descriptions.get(name):
            field["description"] = description
        return field

    def _type(self, name: str, kinds: int, *, is_csv: bool) -> str:
        declared = self._declared.get(name, "")
        if declared in _ALLOWED and not kinds & ~_ALLOWED[declared]:
            return declared
        plain = kinds & ~_FITTING | (_TEXT if kinds & _FITTING else 0)
        if not plain or plain == _TEXT:
            return "string"
        return _FOUND.get(plain, "string" if is_csv else "any")


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _is_integer(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_datetime(text: str) -> bool:
    try:
        return len(text) >= 19 and text[10] == "T" and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


_FITS = {"integer": _is_integer, "number": _is_number, "date": _is_date, "datetime": _is_datetime}


def json_line(data: Mapping[str, Any]) -> bytes:
    """One row of JSON Lines, exact."""
    return orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE)


class Csv:
    """Rows as CSV under fixed columns."""

    def __init__(self, table: Table) -> None:
        self._names = table.names
        self._numeric = {name for name, declared in table._declared.items() if declared in ("integer", "number")}

    def head(self) -> bytes:
        """The byte order mark and the line of names."""
        return BOM + _line([_quoted(safe_text(name)) for name in self._names])

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Rows. Null is an empty cell, an empty text a quoted one; objects are JSON text."""
        columns = [self._cells(name, [row.get(name) for row in rows]) for name in self._names]
        if len(columns) == 1:
            return b"".join(map(_line, zip(*columns, strict=True)))
        return "".join([",".join(cells) + _END for cells in zip(*columns, strict=True)]).encode()

    def _cells(self, name: str, values: list[Any]) -> list[str]:
        kinds = set(map(type, values))
        if kinds == {int}:
            return list(map(repr, values))
        is_numeric = name in self._numeric
        if kinds == {str}:
            # The same text is made safe once: most columns say one of a few things.
            made = {value: _cell(value, is_numeric=is_numeric) for value in set(values)}
            return list(map(made.__getitem__, values))
        return [_cell(value, is_numeric=is_numeric) for value in values]


def _line(cells: Sequence[str]) -> bytes:
    # A table of one column whose cell is empty would be an empty line, which readers skip.
    text = ",".join(cells) or '""'
    return (text + _END).encode()


def _cell(value: Any, *, is_numeric: bool) -> str:
    if value is None:
        return ""
    if value.__class__ is str:
        return value if is_numeric and _is_number(value) else _quoted(safe_text(value))
    if value.__class__ is bool:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return _quoted(safe_text(orjson.dumps(value).decode()))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def safe_text(text: str) -> str:
    """Text that a spreadsheet shows and never runs: an apostrophe before what it would take for a formula."""
    if _PLAIN.fullmatch(text):
        return text
    is_formula = _FORMULA.match(text) is not None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text):
        text = text.translate(_NEUTRAL)
    text = _INNER_FORMULA.sub(r"\1'", text)
    return "'" + text if is_formula or _FORMULA.match(text) else text
