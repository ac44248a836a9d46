"""The cache that every process shares: a table, so that limits on guesses outlive a restart and a flushed broker.

Django's own counts the whole table at each write, throws away living entries once there are too many, and keeps silent
when it could not write; a limit would be lifted by each of these. Here a write is one statement, and only what expired
goes.
"""

import base64
import pickle  # nosec B403  (as Django's does: what we wrote ourselves)
from datetime import UTC, datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import connection
from django.utils import timezone

PURGED_AT_ONCE = 10_000


class SharedCache(DatabaseCache):
    """Writes are single statements: of many at once that add the same key, one does."""

    def __init__(self, table: str, params: dict[str, Any]) -> None:
        super().__init__(table, params)
        self._table = table

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        until = self.get_backend_timeout(timeout)
        if mode == "touch" or until is None:
            raise NotImplementedError("Entries here are set or added, for a time.")
        now = timezone.now().replace(microsecond=0)
        expires = datetime.fromtimestamp(until, tz=UTC).replace(microsecond=0)
        table = connection.ops.quote_name(self._table)
        written = (
            f"INSERT INTO {table} (cache_key, value, expires) VALUES (%s, %s, %s) ON CONFLICT (cache_key) "  # noqa: S608  # nosec B608
            "DO UPDATE SET value = excluded.value, expires = excluded.expires"
        )
        values = [key, _text(value), _moment(expires)]
        if mode == "add":
            written += f" WHERE {table}.expires < %s"
            values.append(_moment(now))
        with connection.cursor() as cursor:
            cursor.execute(written, values)
            return bool(cursor.rowcount)

    def purge(self) -> int:
        """Delete what expired, leaving what somebody holds at the moment. How many."""
        table = connection.ops.quote_name(self._table)
        waiting = " FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
        found = f"SELECT cache_key FROM {table} WHERE expires < %s LIMIT {PURGED_AT_ONCE}{waiting}"  # noqa: S608  # nosec B608
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} WHERE cache_key IN ({found})", [_moment(timezone.now())])  # noqa: S608  # nosec B608
            return int(cursor.rowcount)


def _text(value: Any) -> str:
    """As Django's cache reads it back."""
    return base64.b64encode(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)).decode()


def _moment(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)
