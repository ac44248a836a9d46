"""What a company's portal stands on: a file and a folder on one machine, or PostgreSQL and Redis."""

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, Protocol

import psycopg

from tests import servers


class Look(Protocol):
    """A connection to the portal's database, whichever it is; marks for values are question marks."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Any:
        """Run one statement; what it found has fetchone() and fetchall()."""


class Stage:
    """Where rows and messages are."""

    # Takes away everybody's chance to write, until ROLLBACK.
    hold = ""
    a_minute_earlier = ""
    workers = 1
    has_web = False

    def environment(self) -> dict[str, str]:
        """DSR_DATABASE and DSR_BROKER_URL."""
        raise NotImplementedError

    def look(self) -> AbstractContextManager[Look]:
        """A connection in which each statement is its own transaction."""
        raise NotImplementedError

    def lose_messages(self) -> int:
        """Empty the broker. How many messages were in it."""
        raise NotImplementedError


class OneMachine(Stage):
    """SQLite and a folder of messages."""

    hold = "BEGIN IMMEDIATE"
    a_minute_earlier = "UPDATE dsr_job SET sent_at = datetime(sent_at, '-61 seconds') WHERE state = 'waiting'"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def environment(self) -> dict[str, str]:
        return {"DSR_DATABASE": str(self.folder / "portal.sqlite3"), "DSR_BROKER_URL": "filesystem://localhost"}

    def look(self) -> AbstractContextManager[Look]:
        path = self.folder / "portal.sqlite3"
        return closing(sqlite3.connect(path, isolation_level=None, timeout=30))

    def lose_messages(self) -> int:
        messages = list((self.folder / "broker" / "queue").iterdir())
        for message in messages:
            message.unlink()
        return len(messages)


class Postgres(psycopg.Connection[Any]):
    """Takes statements as the other stage does."""

    def execute(self, statement: Any, values: Any = (), **options: Any) -> Any:
        return super().execute(statement.replace("%", "%%").replace("?", "%s"), values, **options)


class ManyMachines(Stage):
    """PostgreSQL, which keeps what it confirmed, and Redis, which keeps nothing; two workers, and the web too."""

    hold = "BEGIN; LOCK TABLE dsr_job IN EXCLUSIVE MODE"
    a_minute_earlier = "UPDATE dsr_job SET sent_at = sent_at - interval '61 seconds' WHERE state = 'waiting'"
    workers = 2
    has_web = True

    def __init__(self, postgres: servers.Postgres, redis: servers.Redis) -> None:
        self.postgres, self.redis = postgres, redis

    def environment(self) -> dict[str, str]:
        database = self.postgres.url("postgres", driver="postgresql")
        return {"DSR_DATABASE": database, "DSR_BROKER_URL": self.redis.url()}

    def look(self) -> AbstractContextManager[Look]:
        return Postgres.connect(host=str(self.postgres.folder), user="postgres", dbname="postgres", autocommit=True)

    def lose_messages(self) -> int:
        queues = ("interactive", "bulk", "clock")
        with self.redis.client() as client:
            waiting = sum(client.llen(name) for name in queues)
            client.flushall()
        return int(waiting)
