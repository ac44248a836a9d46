"""The servers that other tests lean on answer, and come back after a kill with what they held."""

import signal

import pytest

from tests import servers

pytestmark = [pytest.mark.enable_socket]


def test_postgres_keeps_its_data_over_a_kill() -> None:
    with servers.running(servers.Postgres()) as server, server.database("kept") as url:
        server.execute("CREATE TABLE t AS SELECT 7 AS n", "kept")
        server.execute("CHECKPOINT")
        server.stop(signal.SIGKILL)
        server.start()
        with server.connect("kept") as connection:
            assert connection.execute("SELECT n FROM t").fetchall() == [(7,)]
        assert url.startswith("postgresql+psycopg://")


def test_mariadb_answers(mariadb: servers.MariaDb) -> None:
    with mariadb.database("kept"):
        mariadb.execute("CREATE TABLE t AS SELECT 7 AS n", "kept")


def test_redis_answers(redis_server: servers.Redis) -> None:
    with redis_server.client() as client:
        client.set("a", "1")
        assert client.get("a") == b"1"


def test_what_is_not_there_is_skipped_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "program", lambda name: None)
    monkeypatch.delenv("DSR_REQUIRE_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="mariadb-server"):
        servers.MariaDb()
    monkeypatch.setenv("DSR_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="DSR_REQUIRE_SERVERS"):
        servers.MariaDb()
