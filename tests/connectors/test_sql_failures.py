"""What goes wrong on real servers is told apart: what passes, and what stays until someone acts."""

from __future__ import annotations

import contextlib
import gc
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from dsr.connectors import Connector, SystemRefused, SystemUnreachable
from dsr.connectors.sql import sessions
from tests import servers
from tests.connectors.databases import ENV, MariaDbSource, PostgresSource, Source
from tests.connectors.reading import ADA, ALL, MINE, read

pytestmark = [pytest.mark.enable_socket]

ROWS = 20_000


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[servers.Postgres]:
    """A server of these tests' own, which asks `reader` for a password."""
    server = servers.Postgres(options=["password_encryption=scram-sha-256"])
    with servers.running(server):
        server.execute("CREATE ROLE reader LOGIN PASSWORD 'right' CONNECTION LIMIT 2; CREATE ROLE nologin")
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text("local all reader scram-sha-256\nlocal all rejected reject\n" + rules.read_text())
        server.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="module")
def own_mariadb() -> Iterator[servers.MariaDb]:
    with servers.running(servers.MariaDb(options=["--innodb-flush-log-at-trx-commit=1"])) as server:
        server.execute("CREATE USER reader@localhost IDENTIFIED BY 'right' WITH MAX_USER_CONNECTIONS 2")
        yield server


@pytest.fixture(params=["postgresql", "mariadb"])
def ours(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """A database whose tables `reader` may not read yet."""
    kind: Any = PostgresSource if request.param == "postgresql" else MariaDbSource
    made = kind(request.getfixturevalue(f"own_{request.param.removesuffix('ql')}"), monkeypatch)
    made.table("rows", {"id": "int PRIMARY KEY", "user_id": "int", "note": "text"},
               [(n, 7, "x" * 100) for n in range(ROWS)])  # fmt: skip
    yield made
    made.drop()


def enter(source: Source, monkeypatch: pytest.MonkeyPatch, user: str, password: str, database: str = "") -> Connector:
    url = source.url.replace("postgres@", f"{user}:{password}@").replace("root@", f"{user}:{password}@")
    monkeypatch.setenv(ENV, url.replace("source ", f"{database} ") if database else url)
    return source.open({"table": "rows", "find": MINE})


@pytest.mark.parametrize(
    ("user", "password"), [("reader", "wrong"), ("nobody", "x"), ("rejected", "x"), ("nologin", "x")]
)
def test_an_account_that_is_turned_down_is_no_passing_failure(
    ours: Source, monkeypatch: pytest.MonkeyPatch, user: str, password: str
) -> None:
    health = enter(ours, monkeypatch, user, password).check()
    assert not health.ok
    assert "does not let us read" in health.detail
    assert "account" in health.hint
    assert password not in health.detail + health.hint or password == "x"


def test_a_database_that_is_not_there_is_no_passing_failure(ours: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    grant(ours)
    connector = enter(ours, monkeypatch, "reader", "right", "no-such")
    with pytest.raises(SystemRefused):
        read(connector)


def test_a_missing_right_is_said_and_gone_once_it_is_granted(ours: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    if ours.dialect == "mariadb":  # there a table without any right is not even seen
        ours.run(f"GRANT INSERT ON {ours.q(ours.name)}.* TO reader@localhost")  # type: ignore[attr-defined]
    connector = enter(ours, monkeypatch, "reader", "right")
    health = connector.check()
    assert (health.ok, "does not let us read “rows”" in health.detail, "SELECT" in health.hint) == (False, True, True)
    grant(ours)
    connector.close()  # MariaDB looks at rights anew for each session
    assert connector.check().ok
    assert len(read(connector)) == ROWS


def grant(source: Source) -> None:
    if source.dialect == "postgresql":
        source.run("GRANT USAGE ON SCHEMA public TO reader", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    else:
        source.run(f"GRANT SELECT, SHOW VIEW ON {source.q(source.name)}.* TO reader@localhost")  # type: ignore[attr-defined]


@pytest.mark.parametrize("statement", ["ALTER TABLE {rows} DROP COLUMN user_id", "DROP TABLE {rows}"])
def test_what_goes_away_while_open_is_no_passing_failure(ours: Source, statement: str) -> None:
    connector = ours.open({"table": "rows", "find": MINE})
    assert connector.count(ADA, "rows", ALL) == ROWS
    ours.run(statement.format(rows=ours.q("rows")))
    with pytest.raises(SystemRefused, match="gone"):
        read(connector)


def test_too_many_connections_pass(ours: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    grant(ours)
    held = enter(ours, monkeypatch, "reader", "right")
    assert len(read(held)) == ROWS
    exports = [held.export(ADA, "rows", ALL) for _each in range(2)]
    for export in exports:
        next(export)
    other = enter(ours, monkeypatch, "reader", "right")
    with pytest.raises(SystemUnreachable):
        read(other)
    for export in exports:
        export.close()  # type: ignore[attr-defined]
    held.close()
    assert len(read(other)) == ROWS


def test_a_lock_is_not_waited_for(ours: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = ours.open({"table": "rows", "find": MINE})
    assert connector.check().ok
    connector.close()
    monkeypatch.setattr(sessions, "LOCK_SECONDS", 1)
    server: Any = ours.server  # type: ignore[attr-defined]
    with contextlib.closing(server.connect(ours.name)) as other:  # type: ignore[attr-defined]
        if ours.dialect == "postgresql":
            other.autocommit = False
            other.execute("LOCK TABLE rows")
        else:
            with other.cursor() as cursor:
                cursor.execute("LOCK TABLES `rows` WRITE")
        with pytest.raises(SystemUnreachable, match=r"55P03|1205"):
            read(connector)
    assert len(read(connector)) == ROWS


# PyMySQL leaves the socket open whose connection is refused, until it is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_killed_in_the_middle_passes_and_the_export_goes_on(ours: Source) -> None:
    server: Any = ours.server  # type: ignore[attr-defined]
    connector = ours.open({"table": "rows", "find": MINE})
    server.execute("CHECKPOINT" if ours.dialect == "postgresql" else "FLUSH ENGINE LOGS")
    export = connector.export(ADA, "rows", ALL)
    found = [next(export).key for _each in range(300)]
    server.stop(signal.SIGKILL)
    with pytest.raises(SystemUnreachable):
        found += [record.key for record in export]
    with pytest.raises(SystemUnreachable):
        read(connector)
    assert not connector.check().ok
    server.start()
    assert connector.check().ok
    found = found[:300]
    found += [record.key for record in connector.export(ADA, "rows", ALL, after=found[-1])]
    assert found == [(n,) for n in range(ROWS)]
    gc.collect()


def test_a_session_that_the_administrator_ends_passes(ours: Source) -> None:
    connector = ours.open({"table": "rows", "find": MINE})
    export = connector.export(ADA, "rows", ALL)
    next(export)
    end_sessions(ours)
    with pytest.raises(SystemUnreachable):
        list(export)
    assert len(read(connector)) == ROWS


def end_sessions(source: Any) -> None:
    if source.dialect == "postgresql":
        source.server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source.name}'")
        return
    with contextlib.closing(source.server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (source.name,))
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")
