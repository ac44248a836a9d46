"""Where the portal's own database and its broker are: one address each, read strictly."""

from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import psycopg
from psycopg.conninfo import make_conninfo

from dsr.environment import WrongSetting

Settings = dict[str, Any]

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
POSTGRES_QUERY = ("host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "options")
POSTGRES_EXAMPLE = "postgresql://user:password@host:5432/name?sslmode=verify-full"
REDIS_QUERY = ("virtual_host", "ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
REDIS_EXAMPLE = "redis://:password@host:6379/0"

# No statement of the portal takes minutes; one that does holds locks that others wait for.
STATEMENT_SECONDS = 120
# Whoever holds a row is done in milliseconds, or hangs.
LOCK_SECONDS = 20
# A process that froze within a transaction loses it, and its locks.
IDLE_IN_TRANSACTION_SECONDS = 60
CONNECT_SECONDS = 10
# A database or broker that vanished without a word is noticed after a minute, not after two hours.
VANISHED_SECONDS = 60


def database(address: str) -> Settings:
    """Django's settings for DSR_DATABASE: the path of a SQLite file, or the URL of a PostgreSQL database."""
    if "://" in address:
        return _postgresql(_split(address, "DSR_DATABASE", ("postgresql", "postgres"), POSTGRES_EXAMPLE))
    if not address or address.startswith(("postgres:", "postgresql:")):
        raise WrongSetting(f"DSR_DATABASE is neither a path nor a URL. Allowed are a path, or {POSTGRES_EXAMPLE}.")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(address),
        # Several processes write: take the write lock when a transaction begins, and wait for it.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        },
        "CONN_MAX_AGE": 600,
    }


def holds_data(database: Settings) -> bool:
    """Whether the portal's tables are there already, and with them, perhaps, what only its keys open.

    Raises WrongSetting when a PostgreSQL server does not say.
    """
    if "sqlite3" in database["ENGINE"]:
        path = Path(database["NAME"])
        return path.exists() and path.stat().st_size > 0
    given = {"user": database["USER"], "password": database["PASSWORD"], "host": database["HOST"]}
    given |= {"port": database["PORT"], "dbname": database["NAME"]} | database["OPTIONS"]
    wanted = make_conninfo("", **{name: value for name, value in given.items() if value != ""})
    try:
        with psycopg.connect(wanted) as connection:
            row = connection.execute("SELECT to_regclass('dsr_case') IS NOT NULL").fetchone()
    except psycopg.OperationalError as error:
        raise WrongSetting(
            "The key file is missing, and the database does not answer whether it holds data that only those keys "
            f"open ({_first_line(error)}). Put the key file in its place, or start the database."
        ) from error
    return row == (True,)


def broker(address: str, folder: Path) -> tuple[str, Settings]:
    """DSR_BROKER_URL as Celery wants it, and its transport options.

    With filesystem:// messages lie in `folder`; with rediss:// the server has to prove who it is.
    """
    if address.startswith("filesystem:"):
        return address, {
            # One folder in and out: each process both sends and receives.
            "data_folder_in": str(folder / "queue"),
            "data_folder_out": str(folder / "queue"),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,
        }
    if address == "memory://":  # within one process: tests
        return address, {}
    query = _redis(address)
    if address.startswith("rediss:") and "ssl_cert_reqs" not in query:
        # kombu would believe any certificate.
        address += ("&" if "?" in address else "?") + "ssl_cert_reqs=required"
    return address, {
        "visibility_timeout": 3600,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 5,
        "socket_timeout": VANISHED_SECONDS,
        "socket_keepalive": True,
    }


def _postgresql(split: SplitResult) -> Settings:
    query = _query(split, "DSR_DATABASE", POSTGRES_QUERY)
    name = unquote(split.path.removeprefix("/"))
    host, port = unquote(split.hostname or ""), _port(split, "DSR_DATABASE")
    if not name or "/" in name:
        raise WrongSetting(f"DSR_DATABASE names no database behind its host. Allowed is {POSTGRES_EXAMPLE}.")
    if ("host" in query and host) or ("port" in query and port):
        raise WrongSetting("DSR_DATABASE names its host or port twice, before and behind the question mark. Keep one.")
    if not query.get("port", "1").isdecimal():
        raise WrongSetting(f"DSR_DATABASE says port={query['port']!r}. Allowed is a number such as 5432.")
    if query.get("sslmode", "prefer") not in SSL_MODES:
        raise WrongSetting(f"DSR_DATABASE says sslmode={query['sslmode']!r}. Allowed are: {', '.join(SSL_MODES)}.")
    given = {"options": query["options"]} if query.get("options") else {"options": _timeouts()}
    given |= {name: query[name] for name in ("sslmode", "sslrootcert", "sslcert", "sslkey") if query.get(name)}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(split.username or ""),
        "PASSWORD": unquote(split.password or ""),
        "HOST": query.get("host") or host,
        "PORT": query.get("port") or port,
        "OPTIONS": {
            "connect_timeout": CONNECT_SECONDS,
            "keepalives_idle": VANISHED_SECONDS // 2,
            "keepalives_interval": VANISHED_SECONDS // 6,
            "keepalives_count": 3,
            "tcp_user_timeout": VANISHED_SECONDS * 1000,
            "application_name": query.get("application_name") or "dsr",
            **given,
        },
        # Every thread of the web server and every worker process keeps one connection: there are as many as are needed
        # and no more; a pool beside them would only add threads. One that a restart cut is noticed before it is used.
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def _timeouts() -> str:
    limits = {
        "statement_timeout": STATEMENT_SECONDS,
        "lock_timeout": LOCK_SECONDS,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_SECONDS,
    }
    return " ".join(f"-c {name}={seconds}s" for name, seconds in limits.items())


def _redis(address: str) -> dict[str, str]:
    schemes, example = ("redis", "rediss", "redis+socket"), f"filesystem://localhost, {REDIS_EXAMPLE}"
    split = _split(address, "DSR_BROKER_URL", schemes, example)
    query = _query(split, "DSR_BROKER_URL", REDIS_QUERY)
    is_socket = split.scheme == "redis+socket"
    if is_socket and (split.hostname or len(split.path) < len("/s")):
        raise WrongSetting("DSR_BROKER_URL names no socket. Allowed is redis+socket:///run/redis/redis.sock.")
    _port(split, "DSR_BROKER_URL")
    place = query.get("virtual_host", "0") if is_socket else split.path.strip("/") or "0"
    if not is_socket and not split.hostname:
        raise WrongSetting(f"DSR_BROKER_URL names no host. Allowed is {REDIS_EXAMPLE}.")
    if not place.isdecimal():
        raise WrongSetting(f"DSR_BROKER_URL names the Redis database {place!r}. Allowed is a number such as 0.")
    if split.scheme != "rediss" and any(name.startswith("ssl_") for name in query):
        raise WrongSetting("DSR_BROKER_URL says how to encrypt, but redis:// does not. Write rediss://.")
    if split.scheme == "rediss" and query.get("ssl_cert_reqs", "required") not in ("required", "none"):
        raise WrongSetting("DSR_BROKER_URL says another ssl_cert_reqs than is allowed: required, or none.")
    return query


def _split(address: str, variable: str, schemes: Collection[str], example: str) -> SplitResult:
    """The parts of an address. What it said is never repeated: it may hold a password."""
    try:
        split = urlsplit(address)
    except ValueError as error:
        raise WrongSetting(f"{variable} is no URL. Allowed are: {example}.") from error
    if split.scheme not in schemes:
        raise WrongSetting(f"{variable} begins with {split.scheme}://. Allowed are: {example}.")
    if split.fragment or "#" in address:
        raise WrongSetting(f"{variable} holds a #. Within a password, write %23 for it, %2F for /, %40 for @.")
    return split


def _port(split: SplitResult, variable: str) -> str:
    try:
        return str(split.port or "")
    except ValueError as error:
        raise WrongSetting(
            f"{variable} has no number as its port. A / or : within a password is written %2F or %3A."
        ) from error


def _query(split: SplitResult, variable: str, allowed: Collection[str]) -> dict[str, str]:
    try:
        pairs = parse_qsl(split.query, keep_blank_values=True, strict_parsing=bool(split.query))
    except ValueError as error:
        raise WrongSetting(f"{variable} has something behind its question mark that is no name=value.") from error
    found = dict(pairs)
    if len(found) < len(pairs):
        raise WrongSetting(f"{variable} says something twice behind its question mark. Keep one.")
    if unknown := sorted(found.keys() - set(allowed)):
        raise WrongSetting(
            f"{variable} says {unknown[0]!r} behind its question mark. Allowed are: {', '.join(allowed)}."
        )
    return found


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
