"""Database errors told apart: those that pass, and those that stay until someone acts. Neither repeats a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.utils.translation import gettext as _
from sqlalchemy import exc

from dsr.connectors import SystemRefused, SystemUnreachable

# SQLite's names, SQLSTATE and its classes (PostgreSQL), MariaDB's and MySQL's numbers.
PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_INTERRUPT", "SQLITE_FULL",
           "SQLITE_NOMEM", "SQLITE_PROTOCOL", "SQLITE_SCHEMA",
           "08", "25P03", "25P04", "40", "53", "55P03", "57", "58", "72000",
           "1021", "1037", "1038", "1040", "1041", "1053", "1129", "1203", "1205", "1213", "1226", "1317", "1412",
           "1927", "1969", "2002", "2003", "2006", "2013", "2055", "3024")  # fmt: skip
FORBIDDEN = ("SQLITE_AUTH", "SQLITE_PERM", "42501", "28", "1044", "1045", "1130", "1142", "1143", "1227", "1356",
             "1698", "1820", "1862", "3D000")  # fmt: skip
GONE = ("42P01", "42703", "3F000", "1146", "1054", "1049")
BROKEN = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
UNREADABLE_TEXT = "Could not decode to UTF-8"


@contextmanager
def told_apart(system: str, collection: str = "") -> Iterator[None]:
    """Turn what the database driver raises into SystemUnreachable or SystemRefused."""
    try:
        yield
    except (SystemRefused, SystemUnreachable) as error:
        error.system = error.system or system
        raise
    except exc.DBAPIError as error:
        # "from None": the driver's words quote values, and a log would keep them.
        raise _told(error, system, collection) from None
    except exc.TimeoutError:
        raise SystemUnreachable(_("All connections to the database are in use."), system=system) from None
    except (exc.NoSuchModuleError, ImportError):
        raise SystemRefused(
            _("Nothing installed here can talk to this kind of database."),
            _("Install the database's driver, for example psycopg for PostgreSQL."),
            system=system,
        ) from None


def unreadable_text(error: exc.DBAPIError) -> bool:
    """Whether SQLite gave up because text is not UTF-8."""
    return str(error.orig).startswith(UNREADABLE_TEXT)


def _told(error: exc.DBAPIError, system: str, collection: str) -> SystemUnreachable | SystemRefused:
    code = code_of(error)
    place = _("“%(collection)s”") % {"collection": collection} if collection else _("the database")
    words = {"place": place, "code": code}
    if _among(code, PASSING) or error.connection_invalidated:
        return SystemUnreachable(
            _("The database cannot be read just now (%(code)s).") % words,
            _("It is busy, locked, out of room or down. It will be tried again."),
            system=system,
        )
    if _among(code, FORBIDDEN):
        return SystemRefused(
            _("The database does not let us read %(place)s (%(code)s).") % words,
            _("Check the account in the system's URL; it needs the right to read (SELECT) the mapped tables."),
            system=system,
        )
    if _among(code, GONE) or "no such " in str(error.orig):
        return SystemRefused(
            _("A table or column of %(place)s is gone (%(code)s).") % words,
            _("Bring the systems file in line with the database; “manage.py systems” names what is missing."),
            system=system,
        )
    if _among(code, BROKEN):
        return SystemRefused(
            _("The database file is damaged, or is not a database (%(code)s).") % words,
            _("Check the path in the system's URL, and the file itself."),
            system=system,
        )
    if isinstance(error, exc.OperationalError | exc.InterfaceError) and not code.startswith("SQLITE"):
        return SystemUnreachable(
            _("The database did not answer (%(code)s).") % words,
            _("Check that it runs and can be reached from here."),
            system=system,
        )
    return SystemRefused(
        _("The database refused to read %(place)s (%(code)s).") % words,
        _("The code is the database's own; its manual says what it means."),
        system=system,
    )


def _among(code: str, known: tuple[str, ...]) -> bool:
    """Whether this is one of the codes: SQLite's extend theirs, the first two signs of an SQLSTATE are its class."""
    return (
        code in known
        or (len(code) == 5 and code[:2] in known)
        or code.startswith(tuple(name for name in known if name.startswith("SQLITE")))
    )


# PostgreSQL gives no code with which a connection was turned down, only words, in the server's language.
TURNED_DOWN = {
    r"password authentication failed|no password supplied": "28P01",
    r"no pg_hba\.conf entry|pg_hba\.conf rejects|authentication failed for user": "28000",
    r"is not permitted to log in|role \".*\" does not exist": "28000",
    r"database \".*\" does not exist": "3D000",
    r"permission denied for database": "42501",
}


def code_of(error: exc.DBAPIError) -> str:
    """The database's own code for what went wrong. A code, never words: these may hold a person's data."""
    original = error.orig
    first = original.args[0] if original is not None and original.args else None
    if isinstance(first, int):
        return str(first)  # MariaDB's number, beside which stands an SQLSTATE that tells less
    for name in ("sqlite_errorname", "sqlstate", "pgcode"):
        if code := getattr(original, name, None):
            return str(code)
    if isinstance(original, psycopg.OperationalError):
        words = str(original)
        return next((code for told, code in TURNED_DOWN.items() if re.search(told, words)), type(original).__name__)
    return type(original).__name__
