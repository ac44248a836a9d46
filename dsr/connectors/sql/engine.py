"""From a system to a database engine that only reads. The URL comes from the environment and is never repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from sqlalchemy import URL, Engine, create_engine, event, exc, make_url

from dsr.connectors import SystemRefused, SystemUnreachable
from dsr.connectors._given import given
from dsr.connectors.sql.failures import told_apart
from dsr.connectors.sql.identifiers import fold
from dsr.policy.systems import System

CONNECT_SECONDS = 10
BUSY_SECONDS = 5
STATEMENT_SECONDS = 600

# How each database is told to wait no longer than it must, and to change nothing.
OPTIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "sqlite": lambda: {"timeout": BUSY_SECONDS, "check_same_thread": False},
    "postgresql": lambda: {
        "connect_timeout": CONNECT_SECONDS,
        "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c default_transaction_read_only=on -c timezone=UTC",
    },
    "mysql": lambda: {"connect_timeout": CONNECT_SECONDS, "read_timeout": STATEMENT_SECONDS},
}
OPTIONS["mariadb"] = OPTIONS["mysql"]


def reading(system: System) -> Engine:
    """An engine for reading this system. Raises SystemRefused or SystemUnreachable, with a hint."""
    url = _url(system)
    backend = url.get_backend_name()
    options: dict[str, Any] = {"connect_args": OPTIONS.get(backend, dict)()}
    if backend == "sqlite":
        url = _read_only(url, system)
    else:
        options["pool_pre_ping"] = True
    with told_apart(system.name):
        # hide_parameters: an error's text would otherwise carry the person's identifiers into logs.
        engine = create_engine(url, hide_parameters=True, pool_size=1, max_overflow=4, **options)
    if backend == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _url(system: System) -> URL:
    address = given(system.url_env, system=system.name).strip()
    if not address:
        raise SystemRefused(
            _("The environment variable %(name)s is not set.") % {"name": system.url_env},
            _("Set it to the database's URL, for example %(name)s=sqlite:////srv/app.sqlite3.")
            % {"name": system.url_env},
            system=system.name,
        )
    try:
        return make_url(address)
    except (exc.ArgumentError, ValueError):
        raise SystemRefused(
            _("%(name)s does not hold a database URL.") % {"name": system.url_env},
            _("A URL looks like postgresql+psycopg://user:password@host/database or sqlite:////srv/app.sqlite3."),
            system=system.name,
        ) from None


def _read_only(url: URL, system: System) -> URL:
    """The URL of the same SQLite file, opened so that nothing can be written and no file comes into being."""
    file = url.database or ""
    if file in ("", ":memory:") or file.startswith("file:"):
        raise SystemRefused(
            _("%(name)s does not name an SQLite file.") % {"name": system.url_env},
            _("Four slashes lead to a full path: sqlite:////srv/app.sqlite3."),
            system=system.name,
        )
    path = Path(file)
    if not path.is_file():
        raise SystemUnreachable(
            _("The database file that %(name)s names is not there.") % {"name": system.url_env},
            _("Check the path in %(name)s, and that its disk is mounted.") % {"name": system.url_env},
            system=system.name,
        )
    return url.set(database=f"file:{quote(str(path.resolve()))}", query={"mode": "ro", "uri": "true"})


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")
    # Views and triggers of a hostile file may not call functions with side effects.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.create_function("dsr_fold", 1, _fold_value, deterministic=True)


def _fold_value(value: object) -> object:
    return fold(value) if isinstance(value, str) else value
