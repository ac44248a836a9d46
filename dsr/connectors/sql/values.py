"""Values as the driver gives them, turned into what JSON can say without losing any of it."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from json import loads as loads_exactly
from typing import Any
from uuid import UUID

import orjson
from django.utils.translation import gettext as _

from dsr.connectors import SystemRefused
from dsr.connectors.sql.timespan import moment

# Values of these types go out as they came in. Nearly all rows hold nothing else, so that is asked first.
PLAIN = frozenset({int, str, bool, type(None)})
JSON_INTEGERS = range(-(2**63), 2**64)
# orjson stops at 254 levels; a row and its line are around the value.
DEEPEST = 200
# More digits than a float or a 64-bit integer surely keeps.
LONG_NUMBER = re.compile(r"[0-9]{16}|[0-9.]{17}|[0-9][eE]")

TYPES: Mapping[str, str] = {
    "boolean": "boolean",
    "flag": "boolean",
    "integer": "integer",
    "float": "number",
    "decimal": "number",
    "datetime": "datetime",
    "date": "date",
    "json": "object",
    "array": "array",
    "binary": "binary",
}
WRITTEN_AS_TEXT: tuple[type, ...] = (
    Decimal,
    UUID, IPv4Address, IPv6Address, IPv4Network, IPv6Network, IPv4Interface, IPv6Interface,
)  # fmt: skip

Converter = Callable[[Any], Any]


class UnknownType(Exception):
    """A value's type is none that we can write without losing something. Holds the type's name, never the value."""


def type_of(family: str) -> str:
    """The type of a column of this family, as the person is told it."""
    return TYPES.get(family, "string")


def converter(family: str) -> Converter | None:
    """What turns a value of such a column into JSON's; None where plain values need nothing done."""
    return CONVERTERS.get(family)


def any_value(value: Any) -> Any:
    """Any value as JSON can say it. Raises UnknownType."""
    write = WRITERS.get(type(value)) or next((w for kinds, w in WRITERS_BY_BASE if isinstance(value, kinds)), None)
    if write is None:
        raise UnknownType(type(value).__name__)
    return write(value)


def _integer(value: int) -> int | str:
    return int(value) if value in JSON_INTEGERS else str(int(value))


def _base64(value: Any) -> str:
    return base64.b64encode(bytes(value)).decode()


def _isoformat(value: date | time) -> str:
    return value.isoformat()


def _object(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {_sound(str(key)): any_value(each) for key, each in value.items()}


def _array(value: Iterable[Any]) -> list[Any]:
    return [any_value(each) for each in value]


def _unordered(value: Iterable[Any]) -> list[Any]:
    return sorted(_array(value), key=str)


def _sound_text(value: str) -> str:
    return str(value) if value.isascii() else _sound(str(value))


def _sound(text: str) -> str:
    """Text whose bytes were not UTF-8 with those bytes written out (\\xe9), so that they are still there to see."""
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
        except UnicodeEncodeError:
            return text.encode(errors="backslashreplace").decode()
    return text


def float_value(value: Any) -> Any:
    """A number; those that JSON lacks as Data Package writes them: NaN, INF, -INF."""
    if not isinstance(value, float):
        return any_value(value)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "INF" if value > 0 else "-INF"


def decimal_value(value: Any) -> Any:
    """A decimal as text, which keeps all its digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return any_value(value)
    return str(value) if not isinstance(value, float) or math.isfinite(value) else float_value(value)


def boolean_value(value: Any) -> Any:
    """SQLite has 0 and 1; any other value stays what it is."""
    return bool(value) if isinstance(value, int) and value in (0, 1) else any_value(value)


def bits_value(value: Any) -> Any:
    """Bits as digits, the first one first, in whole bytes as the driver gives them."""
    return "".join(f"{byte:08b}" for byte in value) if isinstance(value, bytes) else any_value(value)


def flag_value(value: Any) -> Any:
    """A column of one bit."""
    return value != b"\0" if isinstance(value, bytes) else any_value(value)


def _hours(value: timedelta) -> str:
    """A time of MariaDB, which runs from -838 to 838 hours."""
    seconds, micros = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
    hours, rest = divmod(seconds, 3600)
    sign = "-" if value < timedelta() else ""
    return f"{sign}{hours:02}:{rest // 60:02}:{rest % 60:02}" + (f".{micros:06}" if micros else "")


def datetime_value(value: Any) -> Any:
    """An instant in UTC, ISO 8601; what is no time stays what it is."""
    at = moment(value)
    return at.isoformat() if at is not None else _timeless(value)


def _timeless(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else any_value(value)


def text_value(value: Any) -> Any:
    """A value of a column without a known type: its numbers as text, so that the column has one type."""
    return str(value) if type(value) is int else str(float_value(value)) if type(value) is float else any_value(value)


def json_value(value: Any) -> Any:
    """JSON text as what it says, where nothing is lost on the way; otherwise the text itself."""
    if not isinstance(value, str):
        return None if value is None else _shallow(value)
    try:
        if LONG_NUMBER.search(value) is None and value.count("[") + value.count("{") < DEEPEST:
            return orjson.loads(value)
        return _exactly(value)
    except (ValueError, TypeError, RecursionError):
        return any_value(value)


def _exactly(text: str) -> Any:
    """What the JSON says, numbers too long for a float or 64 bits as text. Raises TypeError if it cannot be written."""
    parsed = loads_exactly(text, parse_int=_long_integer, parse_float=_long_float, parse_constant=_no_constant)
    orjson.dumps(_under(parsed))
    return parsed


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _long_integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 20 and int(digits) in JSON_INTEGERS else digits


def _long_float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) and Decimal(repr(number)) == Decimal(digits) else digits


def _shallow(value: Any) -> Any:
    """JSON that the driver has read already, as text where it is nested too deep to be written."""
    try:
        written = any_value(value)
        orjson.dumps(_under(written))
    except RecursionError:
        raise UnknownType("deeply nested JSON") from None
    except TypeError:
        return repr(value)
    return written


def _under(value: Any) -> Any:
    """The value under as many levels as may stand above it."""
    for _level in range(254 - DEEPEST):
        value = [value]
    return value


def _as_is(value: Any) -> Any:
    return value


WRITERS: dict[type, Converter] = {str: _sound_text, bool: _as_is, type(None): _as_is, int: _integer}
# In this order: a bool is an int, a datetime is a date.
WRITERS_BY_BASE: tuple[tuple[type | tuple[type, ...], Converter], ...] = (
    (int, _integer),
    (float, float_value),
    (str, _sound_text),
    ((bytes, bytearray, memoryview), _base64),
    (datetime, datetime_value),
    ((date, time), _isoformat),
    (timedelta, _hours),
    (WRITTEN_AS_TEXT, str),
    (Mapping, _object),
    ((list, tuple), _array),
    ((set, frozenset), _unordered),
)

CONVERTERS: dict[str, Converter] = {
    "boolean": boolean_value,
    "bits": bits_value,
    "flag": flag_value,
    "float": float_value,
    "decimal": decimal_value,
    "numeric": text_value,
    "datetime": datetime_value,
    "json": json_value,
    "array": any_value,
    "binary": any_value,
    "uuid": any_value,
    "address": any_value,
    "unknown": text_value,
}


def refused(kind: str, collection: str, column: str, system: str) -> SystemRefused:
    """The refusal of a type that nobody foresaw, naming where it stands."""
    return SystemRefused(
        _("Column “%(column)s” of “%(collection)s” holds a value of type %(type)s, which cannot be written yet.")
        % {"column": column, "collection": collection, "type": kind},
        _("Leave the column out by “omit” with a reason, or read it through a view that turns it into text."),
        system=system,
    )
