"""Identifiers and the values of a column, brought to one form so that both sides of a match are exactly alike."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from dsr.connectors import SystemRefused
from dsr.connectors._given import given
from dsr.policy.systems import Named, System

# Words that stand for "nobody": a row that carries one is not anybody's.
NOBODY = frozenset({"", "-", "--", "n/a", "na", "none", "null", "nil", "nan", "undefined", "unknown", "anonymous"})
INTEGER_RANGE = range(-(2**63), 2**63)
UNSIGNED_RANGE = range(-(2**63), 2**64)


def fold(text: str) -> str:
    """Lower case, without making two different addresses one.

    A letter outside ASCII never becomes one inside it: the Kelvin sign is not a k. Otherwise whoever owns a mailbox
    with such a letter would be given the data of the one spelt without it.
    """
    if text.isascii():
        return text.lower()
    return "".join(_fold_letter(letter) for letter in text)


def _fold_letter(letter: str) -> str:
    lower = letter.lower()
    return lower if letter.isascii() or not any(sign.isascii() for sign in lower) else letter


def usable(value: str) -> bool:
    """Whether this can be somebody's identifier: not blank, not a word for nobody, and text a database can hold."""
    if "\0" in value or value.strip().casefold() in NOBODY:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in value) if not value.isascii() else True


def nobodies(system: System) -> frozenset[str]:
    """The words for nobody in this system, in lower case: those everybody uses, and its own."""
    return NOBODY | {word.casefold() for word in system.nobody}


def transformed(find: Named, values: frozenset[str]) -> frozenset[str]:
    """The identifiers as this column would hold them. Raises SystemRefused when the key for it is missing."""
    values = frozenset(value for value in values if usable(value))
    if find.transform == "casefold":
        return frozenset(map(fold, values))
    if find.transform == "sha256":
        return frozenset(hashlib.sha256(value.encode()).hexdigest() for value in values)
    if find.transform == "hmac-sha256":
        key = hash_key(find)
        return frozenset(hmac.digest(key, value.encode(), "sha256").hex() for value in values)
    return values


def hash_key(find: Named) -> bytes:
    """The key of a keyed hash, from the environment. Raises SystemRefused when it is not set."""
    key = given(find.key_env)
    if not key:
        raise SystemRefused(
            _("The environment variable %(name)s is not set; “%(column)s” cannot be searched without it.")
            % {"name": find.key_env, "column": find.column},
            _("Set it to the key with which the system makes these hashes."),
        )
    return key.encode()


def reader(find: Named) -> Callable[[Any], str]:
    """What turns a value read from the column into the form `transformed` gives."""
    if find.transform == "casefold":
        return lambda value: fold(as_text(value))
    return as_text


def unfilled(read: Callable[[Any], str]) -> Callable[[Any], str]:
    """The same for char(n), which is filled up with spaces that mean nothing."""
    return lambda value: read(value).rstrip(" ")


def as_text(value: Any) -> str:
    """A value that names somebody, as text. Nothing is "", which is never an owner."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if (isinstance(value, float) and value.is_integer()) or (isinstance(value, Decimal) and _is_integral(value)):
        return str(int(value))
    if isinstance(value, int | float | Decimal | UUID | IPv4Address | IPv4Interface | IPv6Address | IPv6Interface):
        return str(value)
    raise SystemRefused(
        _("A column that should name a person holds values of type %(type)s.") % {"type": type(value).__name__},
        _("Map a column of text, numbers or UUIDs instead."),
    )


def _is_integral(value: Decimal) -> bool:
    return value.is_finite() and value == value.to_integral_value()


def alike(family: str, values: frozenset[str]) -> dict[str, list[Any]]:
    """For each identifier that a column of this family can hold, as it reads back, the values to bind for it."""
    found: dict[str, list[Any]] = {}
    for value in values:
        for text, bound in _as_bound(family, value):
            found.setdefault(text, []).append(bound)
    return found


def _as_bound(family: str, value: str) -> list[tuple[str, Any]]:
    return AS_BOUND.get(family, _as_it_is)(value)


def _as_it_is(value: str) -> list[tuple[str, Any]]:
    return [(value, value)]


def as_integer(value: str, *, unsigned: bool = False) -> list[tuple[str, Any]]:
    """The whole number that this spells in the one usual way, as it reads back and as it is bound; or nothing."""
    number = _whole(value)
    return [] if number is None or number not in (UNSIGNED_RANGE if unsigned else INTEGER_RANGE) else [(value, number)]


def _as_number(value: str) -> list[tuple[str, Any]]:
    # SQLite would read "07" or "1e3" as the number 7 or 1000: somebody else's.
    return as_integer(value) or ([] if _reads_as_number(value) else [(value, value)])


def _as_either(value: str) -> list[tuple[str, Any]]:
    return [(value, value), *as_integer(value)]


def as_bytes(value: str) -> list[tuple[str, Any]]:
    """The bytes that this spells in hexadecimal digits, as they read back and as they are bound; or nothing."""
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        return []
    return [(raw.hex(), raw)]


def _as_uuid(value: str) -> list[tuple[str, Any]]:
    try:
        return [(str(UUID(value)), UUID(value))]
    except ValueError:
        return []


AS_BOUND: dict[str, Callable[[str], list[tuple[str, Any]]]] = {
    "integer": as_integer,
    "float": _as_number,
    "decimal": _as_number,
    "numeric": _as_number,
    "binary": as_bytes,
    "uuid": _as_uuid,
    "unknown": _as_either,
}


def _whole(value: str) -> int | None:
    """The whole number that this spells in the one usual way, or nothing."""
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or (digits[0] == "0" and value != "0") or len(digits) > 20:
        return None
    return int(value)


def _reads_as_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
