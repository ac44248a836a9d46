"""One at a time: a lock by name, held until the transaction is over.

Rows that do not exist yet cannot be locked. SQLite's transactions take the one write lock as they begin (see
dsr.addresses), so there nothing is left to do.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


def alone(kind: str, value: str) -> None:
    """Wait until nobody else holds this name, then hold it. Raises OperationalError after the database's lock_timeout.

    Taken before any row is locked, so that two transactions take their locks in the same order.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A lock by name lasts as long as a transaction, and there is none.")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number(kind, value)])


@contextmanager
def in_one_process(name: str) -> Iterator[None]:
    """Outside of a transaction: wait, however long it takes, until no other process is here."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        # Nor may what is done here, a migration of a large table, be cut off in the middle.
        cursor.execute("SET lock_timeout = 0; SET statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [_number("process", name)])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_number("process", name)])
            cursor.execute("RESET lock_timeout; RESET statement_timeout")


def _number(kind: str, value: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{kind}\0{value}".encode()).digest()[:8], "big", signed=True)
