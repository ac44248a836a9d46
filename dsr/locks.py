"""One at a time: a lock by name, held until the transaction is over.

Rows that do not exist yet cannot be locked. SQLite's transactions take the one write lock as they begin (see
dsr.addresses), so there nothing is left to do.
"""

import hashlib

from django.db import connection


def alone(kind: str, value: str) -> None:
    """Wait until nobody else holds this name, then hold it. Raises OperationalError after the database's lock_timeout.

    Taken before any row is locked, so that two transactions take their locks in the same order.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A lock by name lasts as long as a transaction, and there is none.")
    if connection.vendor == "postgresql":
        digest = hashlib.sha256(f"{kind}\0{value}".encode()).digest()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], signed=True)])
