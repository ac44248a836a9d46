"""What a connection and each of its transactions are told: change nothing, think in UTC, wait no longer than you must.

All of it is said again for each transaction where the database allows that, so that it also holds behind a pool that
hands the same session to others (PgBouncer).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import DataError, adapters
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.json import JsonLoader
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, Engine, event

from dsr.connectors.sql.identifiers import fold

CONNECT_SECONDS = 10
BUSY_SECONDS = 5
LOCK_SECONDS = 30
# For one answer to a look-up; an export is one statement too, and lifts it.
STATEMENT_SECONDS = 600
# How long either side of a connection waits for the other's next packet.
SILENT_SECONDS = 600


def sqlite_arguments() -> dict[str, Any]:
    """What the driver is told."""
    return {"timeout": BUSY_SECONDS, "check_same_thread": False}


def postgresql_arguments() -> dict[str, Any]:
    """What the driver is told. Statements are not kept prepared: behind a pool the next one runs elsewhere."""
    return {
        "connect_timeout": CONNECT_SECONDS,
        "prepare_threshold": None,
        "client_encoding": "utf8",
        "keepalives_idle": 60,
        "keepalives_interval": 10,
        "keepalives_count": 6,
        "tcp_user_timeout": SILENT_SECONDS * 1000,
    }


def mysql_arguments() -> dict[str, Any]:
    """What the driver is told. It puts values into the statement itself, which is sound in UTF-8 alone."""
    return {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": SILENT_SECONDS,
        "write_timeout": SILENT_SECONDS,
        "charset": "utf8mb4",
        "local_infile": False,
    }


ARGUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "sqlite": sqlite_arguments,
    "postgresql": postgresql_arguments,
    "mysql": mysql_arguments,
}


def prepare(engine: Engine, *, may_change: bool = False) -> None:
    """Have every connection of this engine told."""
    backend = engine.dialect.name
    if backend == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite if not may_change else _teach_sqlite)
    elif backend == "postgresql":
        event.listen(engine, "connect", _prepare_postgresql(may_change))
        event.listen(engine, "begin", _begin_postgresql)
    elif backend == "mysql":
        # First of all listeners: SQLAlchemy looks at the mode when it meets the first connection.
        event.listen(engine, "connect", _prepare_mysql(may_change), insert=True)
        event.listen(engine, "begin", _begin_mysql)


def unhurried(connection: Connection) -> None:
    """Let the statements of this transaction take as long as they do: an export may stream for hours.

    What stalls is noticed all the same: a lock is not waited for, and a silent connection is given up.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT set_config('statement_timeout', '0', true)")
    elif connection.dialect.name == "mysql":
        connection.exec_driver_sql(_mysql_limit(connection.connection.dbapi_connection, 0))


@contextmanager
def parsed_json(connection: Connection) -> Iterator[None]:
    """Have JSON parsed by the driver, as SQLAlchemy wants what it reads of the catalogue."""
    if connection.dialect.name != "postgresql":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    driver.adapters.register_loader("json", JsonLoader)
    try:
        yield
    finally:
        driver.adapters.register_loader("json", TextLoader)


@contextmanager
def may_be_left(connection: Connection) -> Iterator[None]:
    """Let go of a MariaDB connection in the middle of an answer, where closing it would read all that is left."""
    driver: Any = connection.connection.dbapi_connection
    try:
        yield
    except BaseException:
        if connection.dialect.name == "mysql":
            connection.invalidate()
            if driver._result is not None:
                # A cursor would look for the rest behind the closed connection, once nobody holds it any more.
                driver._result.unbuffered_active = False
        raise


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")
    # Views and triggers of a hostile file may not call functions with side effects.
    connection.execute("PRAGMA trusted_schema = OFF")
    _teach_sqlite(connection, _record)


def _teach_sqlite(connection: Any, _record: object) -> None:
    connection.create_function("dsr_fold", 1, _fold_value, deterministic=True)


def _fold_value(value: object) -> object:
    return fold(value) if isinstance(value, str) else value


# ---- PostgreSQL ------------------------------------------------------------------------------------------------


def _prepare_postgresql(may_change: bool) -> Callable[[Any, object], None]:
    def prepare_one(connection: Any, _record: object) -> None:
        connection.read_only = None if may_change else True  # as BEGIN READ ONLY, before each first statement
        for kind in WRITTEN_BY_THE_DATABASE:
            connection.adapters.register_loader(kind, TextLoader)
        for kind, loader in BEYOND_PYTHON.items():
            connection.adapters.register_loader(kind, loader)

    return prepare_one


def _begin_postgresql(connection: Connection) -> None:
    said = {
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{SILENT_SECONDS}s",
        "timezone": "UTC",
        "datestyle": "ISO",
        "intervalstyle": "iso_8601",
        "bytea_output": "hex",
        "extra_float_digits": "3",
        # Without it a cursor is planned for its first tenth, and an export reads all of it.
        "cursor_tuple_fraction": "1.0",
    }
    connection.exec_driver_sql(
        "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in said.items())
    )


# Types that Python's own would lose something of, or cannot write: taken as the text that the database gives.
WRITTEN_BY_THE_DATABASE = (
    "json", "jsonb", "interval",
    "int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange",
    "int4multirange", "int8multirange", "nummultirange", "datemultirange", "tsmultirange", "tstzmultirange",
)  # fmt: skip


def _loader_or_text(kind: str) -> type[Loader]:
    """A loader that gives the text for what Python cannot hold: infinity, years before 1 and after 9999, 24:00."""
    known: Any = adapters.get_loader(adapters.types[kind].oid, Loader.format)

    class OrText(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._usual = known(oid, context)

        def load(self, data: Buffer) -> Any:
            try:
                return self._usual.load(data)
            except DataError:
                return bytes(data).decode()

    return OrText


BEYOND_PYTHON = {kind: _loader_or_text(kind) for kind in ("timestamp", "timestamptz", "date", "time", "timetz")}


# ---- MariaDB and MySQL -----------------------------------------------------------------------------------------


def _prepare_mysql(may_change: bool) -> Callable[[Any, object], None]:
    # Without a mode what we say means the same everywhere: no ANSI quotes, no || that joins, backslashes escape.
    mode = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE" if may_change else ""

    def prepare_one(connection: Any, _record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SET SESSION sql_mode = '{mode}', time_zone = '+00:00', lock_wait_timeout = {LOCK_SECONDS},"
                f" innodb_lock_wait_timeout = {LOCK_SECONDS}, net_write_timeout = {SILENT_SECONDS}"
            )
            cursor.execute(f"SET SESSION TRANSACTION {'READ WRITE' if may_change else 'READ ONLY'}")

    return prepare_one


def _begin_mysql(connection: Connection) -> None:
    connection.exec_driver_sql(_mysql_limit(connection.connection.dbapi_connection, STATEMENT_SECONDS))


def _mysql_limit(connection: Any, seconds: float) -> str:
    if "MariaDB" in connection.get_server_info():
        return f"SET SESSION max_statement_time = {seconds}"
    return f"SET SESSION max_execution_time = {int(seconds * 1000)}"
