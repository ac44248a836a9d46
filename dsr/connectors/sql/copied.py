"""The texts of a COPY, column by column, made into JSON.

COPY escapes in a text what JSON escapes too, alike but for quotes and a few control characters (PostgreSQL manual,
COPY, "Text Format"; RFC 8259 section 7), so most columns go out as they came. Each function takes the texts of one
column of a block and gives its `Slot`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from dsr.connectors.sql.keyset import no_key
from dsr.connectors.sql.timespan import moment
from dsr.connectors.sql.values import json_value

NULL = b"\\N"
# What COPY leaves raw and JSON must not have. A tab parts the columns and a line break the rows: neither is among them.
RAW_CONTROLS = bytes([*range(1, 9), 11, 12, *range(14, 32)])
ODD_NUMBERS = {b"NaN": b'"NaN"', b"Infinity": b'"INF"', b"-Infinity": b'"-INF"'}
BOOLEANS = {b"t": b"true", b"f": b"false"}
JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
STRING = frozenset({"string"})

_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_MEANT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_FIFTH, _LAST_TWO, _DAY = itemgetter(slice(5, 6)), itemgetter(slice(-2, None)), itemgetter(slice(1, 11))

Column = list[bytes]


class Slot(NamedTuple):
    """One column as JSON. Bare values want quotes around them.

    `unlike` are the JSON types found, where one of them may not be what is declared.
    """

    is_bare: bool
    values: Column
    unlike: frozenset[str] = frozenset()


def unescaped(text: bytes) -> bytes:
    """A text as it stands in the database."""
    return _ESCAPE.sub(lambda match: _MEANT.get(match[1], match[1]), text) if b"\\" in text else text


def numbers(texts: Column, has_null: bool) -> Slot:
    """Whole numbers: they go out as they came."""
    return Slot(False, _with_nulls(texts) if has_null else texts)


def floats(texts: Column, has_null: bool) -> Slot:
    """Floats; those that JSON lacks as Data Package writes them: NaN, INF, -INF."""
    is_odd = not ODD_NUMBERS.keys().isdisjoint(texts)
    values = [ODD_NUMBERS.get(text, text) for text in texts] if is_odd else texts
    return Slot(False, _with_nulls(values) if has_null else values, STRING | {"number"} if is_odd else frozenset())


def decimals(texts: Column, has_null: bool) -> Slot:
    """Decimals as text, which keeps all their digits."""
    is_odd = not ODD_NUMBERS.keys().isdisjoint(texts)
    return _quoted(texts, has_null)._replace(unlike=STRING if is_odd else frozenset())


def booleans(texts: Column, has_null: bool) -> Slot:
    """PostgreSQL's t and f."""
    return numbers([BOOLEANS.get(text, text) for text in texts], has_null)


def strings(texts: Column, has_null: bool) -> Slot:
    """Column. Nearly all are JSON already; a block with a quote or a control character in it is looked through."""
    joined = b"\t".join(texts)
    if b'"' in joined or b"\\v" in joined or len(joined.translate(None, RAW_CONTROLS)) != len(joined):
        texts = _each(texts, _escaped)
    return _quoted(texts, has_null)


def binaries(texts: Column, has_null: bool) -> Slot:
    """Base64, which PostgreSQL breaks into lines."""
    return _quoted([text.replace(b"\\n", b"") for text in texts], has_null)


def days(texts: Column, has_null: bool) -> Slot:
    """Dates; what is none (infinity, before Christ) stays what it is."""
    return _quoted(texts, has_null)._replace(unlike=frozenset() if _are_days(texts, has_null) else STRING)


def times(texts: Column, has_null: bool) -> Slot:
    """Instants that to_json wrote, quotes and all."""
    values = _with_nulls(texts) if has_null else texts
    return Slot(False, values, frozenset() if _are_times(texts, has_null) else STRING)


def documents(texts: Column, has_null: bool) -> Slot:
    """JSON as what it says, where nothing is lost on the way; otherwise its text (see values.json_value)."""
    found: set[type] = set()

    def written(text: bytes) -> bytes:
        if text == NULL:
            return b"null"
        value = json_value(unescaped(text).decode())
        found.add(type(value))
        return orjson.dumps(value)

    values = _each(texts, written)
    return Slot(False, values, _types(found))


def _types(found: set[type]) -> frozenset[str]:
    return frozenset(JSON_TYPES[kind] for kind in found if kind in JSON_TYPES)


def changed(slot: Slot | None, change: Callable[[Any], Any]) -> Slot | None:
    """A column with each of its values changed by a function over what JSON says."""
    if slot is None:
        return None
    found: set[type] = set()

    def written(value: bytes) -> bytes:
        told = change(orjson.loads(b'"%b"' % value if slot.is_bare else value))
        found.add(type(told))
        return orjson.dumps(told)

    values = _each(slot.values, written)
    return Slot(False, values, _types(found))


def _are_times(texts: Column, has_null: bool) -> bool:
    """Whether all are times of four-digit years after Christ: the fifth sign behind the quote ends the year."""
    if has_null:
        texts = [text for text in texts if text != NULL]
    return not texts or (set(map(_FIFTH, texts)) == {b"-"} and set(map(_LAST_TWO, texts)) == {b'0"'})


def _are_days(texts: Column, has_null: bool) -> bool:
    return set(map(len, texts)) <= {10, 2} and b"-infinity" not in texts


def moments(family: str, texts: Column) -> Column:
    """When each row was made, as JSON: its quoted time in UTC, or null where it does not say."""

    def written(text: bytes) -> bytes:
        at = None if text == NULL else moment(_of_time(family, text))
        return orjson.dumps(at.isoformat()) if at is not None else b"null"

    return _each(texts, written)


def _of_time(family: str, text: bytes) -> Any:
    plain = unescaped(text).decode().strip('"')
    if family in ("integer", "float", "decimal"):
        return float(plain)
    return plain


def day_of(moments_: Column) -> map[bytes]:
    """The days of quoted times."""
    return map(_DAY, moments_)


def as_read(family: str, text: bytes) -> Any:
    """A value as the driver would give it, as far as one that names a person needs it."""
    if text == NULL:
        return None
    if family in ("float", "decimal"):
        return Decimal(text.decode())
    if family == "binary":
        return bytes.fromhex(unescaped(text)[2:].decode())
    if family == "boolean":
        return text == b"t"
    return unescaped(text).decode()


def key_part(family: str, slot: Slot, texts: Column) -> Column:
    """One column of a key as keyset.written_key gives it, in JSON. Raises SystemRefused for what cannot be a key."""
    if family in NO_KEYS:
        raise no_key(family)
    values = [b'"%b"' % value for value in slot.values] if slot.is_bare else slot.values
    kind = KEY_KINDS.get(family)
    if kind is None:
        return values
    if family == "float":
        values = [b'"%b"' % text if text != NULL else b"null" for text in texts]
    head = b'["' + kind + b'",'
    # Infinity, or a year that Python does not have, is a key by its text.
    may_be_odd = bool(slot.unlike) and family in ("datetime", "date")
    return [value if value == b"null" or (may_be_odd and _is_odd(value)) else head + value + b"]" for value in values]


def _is_odd(value: bytes) -> bool:
    return value[1:2] not in b"0123456789" or not (value[5:6] == b"-" and value[-2:-1].isdigit())


KEY_KINDS = {
    "uuid": b"uuid", "datetime": b"datetime", "date": b"date", "time": b"time", "decimal": b"decimal",
    "float": b"float", "binary": b"bytes",
}  # fmt: skip
NO_KEYS = frozenset({"address", "interval", "json", "array"})
WRITERS: dict[str, Callable[[Column, bool], Slot]] = {
    "integer": numbers,
    "float": floats,
    "decimal": decimals,
    "boolean": booleans,
    "datetime": times,
    "date": days,
    "binary": binaries,
    "json": documents,
    "array": documents,
}
# What goes out as a number or a truth value is never masked; of these others, only the name can say what they are.
NEVER_TEXT = frozenset({"integer", "float", "boolean"})
TELLING_NOTHING = frozenset({"decimal", "datetime", "date", "time", "uuid"})


def _with_nulls(texts: Column) -> Column:
    return [b"null" if text == NULL else text for text in texts]


def _quoted(texts: Column, has_null: bool) -> Slot:
    if has_null and NULL in texts:
        return Slot(False, [b"null" if text == NULL else b'"%b"' % text for text in texts])
    return Slot(True, texts)


def _each(texts: Column, change: Callable[[bytes], bytes]) -> Column:
    """Each text changed, the same text once."""
    changed: dict[bytes, bytes] = {}
    for text in texts:
        if text not in changed:
            changed[text] = change(text)
    return list(map(changed.__getitem__, texts))


def _escaped(text: bytes) -> bytes:
    return text if text == NULL else orjson.dumps(unescaped(text).decode())[1:-1]
