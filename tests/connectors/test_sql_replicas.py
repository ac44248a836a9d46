"""Reading from a real streaming replica, and changing on its primary."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from dsr.connectors import SystemRefused, SystemUnreachable
from dsr.connectors.sql import engine, replicas
from tests import servers
from tests.connectors.databases import ENV, PostgresSource, system_of
from tests.connectors.reading import ADA, ALL, MINE, read

pytestmark = [pytest.mark.enable_socket]

CHANGE = "TEST_CHANGE_URL"
ROWS = 20_000


@pytest.fixture
def primary(monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresSource]:
    with servers.running(servers.Postgres()) as server:
        made = PostgresSource(server, monkeypatch)
        made.run("CREATE TABLE rows (id int PRIMARY KEY, user_id int, note text)",
                 f"INSERT INTO rows SELECT n, 7, repeat('x', 100) FROM generate_series(1, {ROWS}) n")  # fmt: skip
        monkeypatch.setenv(CHANGE, made.url)
        yield made
        made.close()


@pytest.fixture
def standby(primary: PostgresSource, monkeypatch: pytest.MonkeyPatch) -> Iterator[servers.Standby]:
    with servers.running(servers.Standby(primary.server, options=["max_standby_streaming_delay=100ms"])) as server:
        monkeypatch.setenv(ENV, server.url(primary.name))
        yield server
        primary.close()


def mapped(primary: PostgresSource, **more: Any) -> Any:
    return primary.open({"table": "rows", "find": MINE}, change_url_env=CHANGE, **more)


def until(true: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 20
    while not true():
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def arrived(primary: PostgresSource, standby: servers.Standby) -> None:
    """Change something and wait until the standby has it."""
    primary.run("INSERT INTO rows VALUES (0, 7, 'new')")

    def is_there() -> bool:
        with standby.connect(primary.name) as connection:
            return connection.execute("SELECT 1 FROM rows WHERE id = 0").fetchone() is not None

    until(is_there)


def test_an_export_runs_on_a_hot_standby_and_a_change_on_its_primary(
    primary: PostgresSource, standby: servers.Standby
) -> None:
    connector = mapped(primary)
    assert len(read(connector)) == ROWS
    health = connector.check()
    assert (health.ok, health.hint) == (True, "")
    assert "a replica, " in health.detail
    changing = engine.changing(connector.system)
    with changing.begin() as connection:
        connection.execute(text("UPDATE rows SET note = 'changed' WHERE id = 1"))
    changing.dispose()
    until(lambda: next(connector.export(ADA, "rows", ALL)).data["note"] == "changed")


def test_nothing_is_changed_on_a_replica(
    primary: PostgresSource, standby: servers.Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CHANGE, standby.url(primary.name))
    connector = mapped(primary)
    health = connector.check()
    assert health.ok
    assert f"{CHANGE} leads to a replica" in health.detail
    assert "primary" in health.hint
    with pytest.raises(SystemRefused, match="takes no changes"):
        engine.changing(connector.system).connect()


def test_changing_needs_credentials_of_its_own() -> None:
    with pytest.raises(SystemRefused, match="no credentials for changing"):
        engine.changing(system_of({"table": "rows", "find": MINE}))


def test_a_replica_far_behind_is_not_read(
    primary: PostgresSource, standby: servers.Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "MOST_SECONDS_BEHIND", 1)
    connector = mapped(primary)
    arrived(primary, standby)
    until(lambda: bool(connector.check().ok))
    standby.execute("SELECT pg_wal_replay_pause()")
    primary.run("INSERT INTO rows VALUES (-1, 7, 'newest')")
    until(lambda: not connector.check().ok)
    assert " behind" in connector.check().detail
    for call in (lambda: read(connector), lambda: connector.identify(ADA)):
        with pytest.raises(SystemUnreachable, match="behind") as unreachable:
            call()
        assert "replication" in unreachable.value.hint
    standby.execute("SELECT pg_wal_replay_resume()")
    until(lambda: bool(connector.check().ok))
    assert len(read(connector)) == ROWS + 2


def test_a_replica_whose_primary_is_gone_grows_stale(
    primary: PostgresSource, standby: servers.Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "MOST_SECONDS_BEHIND", 1)
    connector = primary.open({"table": "rows", "find": MINE})
    arrived(primary, standby)
    until(lambda: bool(connector.check().ok))
    primary.server.stop(signal.SIGKILL)
    until(lambda: not connector.check().ok)
    primary.server.start()


def test_a_conflict_with_recovery_passes_and_the_export_goes_on(
    primary: PostgresSource, standby: servers.Standby
) -> None:
    connector = mapped(primary)
    export = connector.export(ADA, "rows", ALL)
    found = [next(export).key for _each in range(300)]
    primary.run("DELETE FROM rows WHERE id > 19990", "VACUUM rows")
    time.sleep(1)
    with pytest.raises(SystemUnreachable, match="just now"):
        found += [record.key for record in export]
    found = found[:300]
    found += [record.key for record in connector.export(ADA, "rows", ALL, after=found[-1])]
    assert found == [(n,) for n in range(1, 19_991)]


@pytest.mark.parametrize("ending", ["promoted", "killed"])
def test_a_replica_promoted_or_killed_in_the_middle_is_gone_on_with(
    primary: PostgresSource, standby: servers.Standby, ending: str
) -> None:
    connector = mapped(primary)
    export = connector.export(ADA, "rows", ALL)
    found = [next(export).key for _each in range(300)]
    if ending == "promoted":
        standby.execute("SELECT pg_promote()")
        found += [record.key for record in export]
        assert "replica" not in connector.check().detail
    else:
        standby.stop(signal.SIGKILL)
        with pytest.raises(SystemUnreachable):
            list(export)
        standby.start()
        found += [record.key for record in connector.export(ADA, "rows", ALL, after=found[-1])]
    assert found == [(n,) for n in range(1, ROWS + 1)]
