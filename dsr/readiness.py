"""What this process needs to do its work, asked for cheaply and not too often: only names come out, no details.

Details go to the log once, when something that was there is missing: a probe every few seconds must not fill it.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from dsr import keys

log = logging.getLogger(__name__)

BROKER_SECONDS = 3
ASK_AGAIN_SECONDS = 2


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady
    cache.get("readiness")  # its table is made beside the migrations


def _broker() -> None:
    with current_app.connection_for_write() as broker:
        # (no word about each failed try: there is only one)
        broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS, errback=lambda _error, _interval: None)


def _storage() -> None:
    storage = storages["bundles"]
    name = storage.save(f"ready/{secrets.token_hex(8)}", ContentFile(b"ready"))
    try:
        with storage.open(name) as found:
            if found.read() != b"ready":
                raise NotReady
    finally:
        storage.delete(name)


def _keys() -> None:
    # The file must still be there: without it the next start would fail.
    if not settings.DSR_KEYS.is_file() or keys.open_field(keys.seal_field(b"ready", b"ready"), b"ready") != b"ready":
        raise NotReady


class NotReady(Exception):
    """It answers, and not with what is needed."""


# The check of each, and for how many seconds its yes is good. A no is asked again soon.
CHECKS: dict[str, tuple[Callable[[], None], float]] = {
    "database": (_database, 2),
    "migrations": (_migrations, 300),
    "broker": (_broker, 5),
    "storage": (_storage, 30),
    "keys": (_keys, 5),
}
_answers: dict[str, tuple[float, bool]] = {}
_asking = threading.Lock()


def lacking(names: Iterable[str] = tuple(CHECKS)) -> list[str]:
    """The names of what is not ready. However often it is asked, each check runs once within its seconds."""
    with _asking:
        return [name for name in names if not _is_ready(name)]


def _is_ready(name: str) -> bool:
    check, seconds = CHECKS[name]
    at, answer = _answers.get(name, (0.0, True))
    if at and time.monotonic() - at < (seconds if answer else ASK_AGAIN_SECONDS):
        return answer
    try:
        check()
        is_ready = True
    except Exception as error:  # whatever it is: not ready
        is_ready = False
        if answer:
            log.warning("not ready: %s (%s)", name, type(error).__name__)
    if is_ready and not answer:
        log.warning("ready again: %s", name)
    _answers[name] = (time.monotonic(), is_ready)
    return is_ready
