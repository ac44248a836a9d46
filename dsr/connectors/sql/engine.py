"""From a system to a database engine: one that only reads, one that may change. URLs are never repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from sqlalchemy import URL, Engine, create_engine, event, exc, make_url

from dsr.connectors import SystemRefused, SystemUnreachable
from dsr.connectors._given import given
from dsr.connectors.sql import replicas, sessions
from dsr.connectors.sql.failures import told_apart
from dsr.policy.systems import System

# However a URL names the database, these are the drivers that come with the portal.
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}


def reading(system: System) -> Engine:
    """An engine for reading this system. Raises SystemRefused or SystemUnreachable, with a hint."""
    return _engine(system, system.url_env, may_change=False)


def changing(system: System) -> Engine:
    """An engine for changing this system, with credentials of their own, on the database that takes changes.

    Raises SystemRefused or SystemUnreachable, with a hint. Each connection refuses a replica by SystemRefused.
    """
    if not system.change_url_env:
        raise SystemRefused(
            _("The systems file names no credentials for changing “%(system)s”.") % {"system": system.name},
            _("Add change_url_env with the name of the variable that holds the URL for changing."),
            system=system.name,
        )
    engine = _engine(system, system.change_url_env, may_change=True)

    def refuse_replica(connection: Any, _record: object) -> None:
        if replicas.takes_no_changes(connection, engine.dialect.name):
            raise SystemRefused(
                _("%(name)s leads to a replica, which takes no changes.") % {"name": system.change_url_env},
                _("Let it lead to the primary; with PostgreSQL, target_session_attrs=read-write finds it by itself."),
                system=system.name,
            )

    event.listen(engine, "connect", refuse_replica)
    return engine


def _engine(system: System, name: str, *, may_change: bool) -> Engine:
    url = _url(system, name)
    backend = url.get_backend_name()
    options: dict[str, Any] = {"connect_args": sessions.ARGUMENTS.get(backend, dict)()}
    if backend == "sqlite":
        url = _existing(url, system, name, "rw" if may_change else "ro")
    else:
        options["pool_pre_ping"] = True
    if backend == "postgresql":
        options["use_native_hstore"] = False
    with told_apart(system.name):
        # hide_parameters: an error's text would otherwise carry the person's identifiers into logs.
        engine = create_engine(url, hide_parameters=True, pool_size=1, max_overflow=4, **options)
    sessions.prepare(engine, may_change=may_change)
    return engine


def _url(system: System, name: str) -> URL:
    address = given(name, system=system.name).strip()
    if not address:
        raise SystemRefused(
            _("The environment variable %(name)s is not set.") % {"name": name},
            _("Set it to the database's URL, for example %(name)s=sqlite:////srv/app.sqlite3.") % {"name": name},
            system=system.name,
        )
    try:
        url = make_url(address)
    except (exc.ArgumentError, ValueError):
        raise SystemRefused(
            _("%(name)s does not hold a database URL.") % {"name": name},
            _("A URL looks like postgresql://user:password@host/database or sqlite:////srv/app.sqlite3."),
            system=system.name,
        ) from None
    return url.set(drivername=DRIVERS.get(url.drivername.partition("+")[0], url.drivername))


def _existing(url: URL, system: System, name: str, mode: str) -> URL:
    """The URL of the same SQLite file, opened so that no file comes into being and, to read, nothing is written."""
    file = url.database or ""
    if file in ("", ":memory:") or file.startswith("file:"):
        raise SystemRefused(
            _("%(name)s does not name an SQLite file.") % {"name": name},
            _("Four slashes lead to a full path: sqlite:////srv/app.sqlite3."),
            system=system.name,
        )
    path = Path(file)
    if not path.is_file():
        raise SystemUnreachable(
            _("The database file that %(name)s names is not there.") % {"name": name},
            _("Check the path in %(name)s, and that its disk is mounted.") % {"name": name},
            system=system.name,
        )
    return url.set(database=f"file:{quote(str(path.resolve()))}", query={"mode": mode, "uri": "true"})
