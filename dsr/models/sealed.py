"""A JSON value that rests encrypted, bound to the row and column that hold it."""

import secrets
from typing import Any

import orjson
from django.db import models

from dsr import keys


def new_id() -> str:
    """128 random bits as 32 hex digits: safe in a URL, not to be guessed."""
    return secrets.token_hex(16)


class Sealed:
    """`person = Sealed("person_sealed")`: reads and writes a dict through an encrypted binary column.

    The context holds table, column and primary key, so a sealed value copied to another row does not open.
    Raises keys.DoesNotOpen on reading what was tampered with.
    """

    def __init__(self, column: str) -> None:
        self.column = column

    def __get__(self, row: models.Model | None, owner: type[models.Model]) -> Any:
        if row is None:
            return self
        sealed = getattr(row, self.column)
        return orjson.loads(keys.open_field(sealed, self._context(row))) if sealed else {}

    def __set__(self, row: models.Model, value: dict[str, Any]) -> None:
        setattr(row, self.column, keys.seal_field(orjson.dumps(value), self._context(row)) if value else b"")

    def _context(self, row: models.Model) -> bytes:
        return f"{row._meta.db_table}.{self.column}:{row.pk}".encode()
