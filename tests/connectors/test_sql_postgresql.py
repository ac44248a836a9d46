"""The sql connector where PostgreSQL is at its strangest."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import orjson
import pytest
from sqlalchemy.exc import DBAPIError

from dsr.connectors import Scope, SystemRefused, SystemUnreachable
from dsr.connectors.sql import sessions
from tests.connectors.databases import PostgresSource
from tests.connectors.reading import ADA, ALL, MINE, read

pytestmark = [pytest.mark.enable_socket]

UUID = "123e4567-e89b-12d3-a456-426614174000"
OTHER = "123e4567-e89b-12d3-a456-426614174001"

# Type, what is put in, what comes out.
VALUES: list[tuple[str, str, Any]] = [
    ("boolean", "true", True),
    ("smallint", "-32768", -32768),
    ("bigint", "9223372036854775807", 2**63 - 1),
    ("numeric", "'NaN'", "NaN"),
    ("numeric", "'-Infinity'", "-Infinity"),
    ("numeric(40,20)", "1.00000000000000000001", "1.00000000000000000001"),
    ("double precision", "'NaN'", "NaN"),
    ("double precision", "'infinity'", "INF"),
    ("double precision", "0.1", 0.1),
    ("real", "0.1", 0.1),
    ("uuid", f"'{UUID}'", UUID),
    ("inet", "'192.168.0.1'", "192.168.0.1"),
    ("inet", "'192.168.0.1/24'", "192.168.0.1/24"),
    ("inet", "'2001:db8::1'", "2001:db8::1"),
    ("cidr", "'10.0.0.0/8'", "10.0.0.0/8"),
    ("macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
    ("timestamptz", "'2026-01-02 03:04:05.678+02'", "2026-01-02T01:04:05.678+00:00"),
    ("timestamptz", "'infinity'", "infinity"),
    ("timestamptz", "'0044-03-15 00:00:00+00 BC'", "0044-03-15T00:00:00+00:00 BC"),
    ("timestamptz", "'20000-01-01 00:00:00+00'", "20000-01-01T00:00:00+00:00"),
    ("timestamp", "'2026-01-02 03:04:05'", "2026-01-02T03:04:05+00:00"),
    ("timestamp", "'-infinity'", "-infinity"),
    ("date", "'2026-01-02'", "2026-01-02"),
    ("date", "'infinity'", "infinity"),
    ("time", "'24:00'", "24:00:00"),
    ("timetz", "'03:04:05+02'", "03:04:05+02"),
    ("interval", "'1 year 2 months 3 days 04:05:06.7'", "P1Y2M3DT4H5M6.7S"),
    ("interval", "'-1 month'", "P-1M"),
    ("json", """'{"a": [1, 0.1000000000000000055]}'""", {"a": [1, "0.1000000000000000055"]}),
    ("jsonb", """'{"n": 123456789012345678901234567890}'""", {"n": "123456789012345678901234567890"}),
    ("jsonb", "'null'", None),
    ("jsonb", "'\"text\"'", "text"),
    ("text[]", "ARRAY['a', NULL, 'x,\"y']", ["a", None, 'x,"y']),
    ("integer[]", "'{{1,2},{3,4}}'", [[1, 2], [3, 4]]),
    ("timestamptz[]", "ARRAY['infinity'::timestamptz]", ["infinity"]),
    ("bytea", "'\\x00ff'", "AP8="),
    ("mood", "'so-so'", "so-so"),
    ("address", "'a@b'", "a@b"),
    ("citext", "'Ada'", "Ada"),
    ("char(5)", "'ab'", "ab   "),
    ("money", "1.5", "$1.50"),
    ("bit(4)", "B'0101'", "0101"),
    ("int4range", "'[1,5)'", "[1,5)"),
    ("tstzrange", "'[2026-01-01 00:00+00,)'", '["2026-01-01 00:00:00+00",)'),
    ("point", "'(1,2)'", "(1,2)"),
    ("xml", "'<a/>'", "<a/>"),
    ("tsvector", "'a b'", "'a' 'b'"),
    ("pair", "ROW(1, 'x')", "(1,x)"),
]


@pytest.fixture
def typed(pg: PostgresSource) -> PostgresSource:
    pg.run(
        "CREATE EXTENSION citext",
        "CREATE TYPE mood AS ENUM ('happy', 'so-so')",
        "CREATE DOMAIN address AS text CHECK (value LIKE '%@%')",
        "CREATE TYPE pair AS (n integer, t text)",
        "CREATE COLLATION anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    )
    return pg


def test_every_value_comes_out_as_json_and_whole(typed: PostgresSource) -> None:
    typed.table("rows", {"user_id": "int"} | {f"v{n}": kind for n, (kind, _v, _e) in enumerate(VALUES)})
    typed.run(f"INSERT INTO rows VALUES (7, {', '.join(value for _k, value, _e in VALUES)})")
    (record,) = read(typed.open({"table": "rows", "find": MINE}))
    assert orjson.loads(orjson.dumps(record.data)) == record.data
    found = {(kind, value): record.data[f"v{n}"] for n, (kind, value, _e) in enumerate(VALUES)}
    assert found == {(kind, value): expected for kind, value, expected in VALUES}


@pytest.mark.parametrize(
    ("kind", "held", "asked", "found"),
    [
        ("integer", "7", "7", True),
        ("integer", "7", "07", False),
        ("integer", "7", "7.0", False),
        ("integer", "7", "99999999999999999999", False),
        ("integer", "7", "3000000000", False),
        ("bigint", "9223372036854775807", "9223372036854775807", True),
        ("numeric(20)", "7", "7", True),
        ("numeric(20)", "7", "7abc", False),
        ("text", "Ada", "ada", False),
        ("text", "ada ", "ada", False),
        ("varchar(9)", "Ada", "Ada", True),
        ("citext", "Ada", "Ada", True),
        ("citext", "Ada", "ada", False),
        ("text COLLATE anycase", "Ada", "Ada", True),
        ("text COLLATE anycase", "Ada", "ada", False),
        ('text COLLATE "C"', "Ada", "Ada", True),
        ("char(5)", "ada", "ada", True),
        ("char(5)", "ada", "ada ", False),
        ("mood", "happy", "happy", True),
        ("mood", "happy", "sad", False),
        ("address", "a@b", "a@b", True),
        ("uuid", UUID, UUID, True),
        ("uuid", UUID, UUID.upper(), True),
        ("uuid", UUID, OTHER, False),
        ("uuid", UUID, "7", False),
        ("inet", "192.168.0.1", "192.168.0.1", True),
        ("inet", "192.168.0.1", "192.168.0.2", False),
        ("inet", "192.168.0.1", "192.168.0.1/24", False),
        ("bytea", "\\x00ff", "00ff", True),
        ("macaddr", "08:00:2b:01:02:03", "08:00:2b:01:02:03", True),
        ("timestamptz", "2026-01-01 00:00+00", "7", False),
        ("jsonb", "7", "07", False),
    ],
)
def test_an_identifier_matches_exactly(typed: PostgresSource, kind: str, held: str, asked: str, found: bool) -> None:
    typed.table("rows", {"user_id": kind})
    typed.run(f"INSERT INTO rows VALUES ('{held}')")
    connector = typed.open({"table": "rows", "find": MINE})
    identifiers = {"user_id": frozenset({asked})}
    records = read(connector, identifiers=identifiers)
    assert len(records) == connector.count(identifiers, "rows", ALL) == int(found)
    assert all(record.owner in connector.owners(identifiers, "rows") for record in records)


ADDRESSES = [
    ("Ada@Example.COM", "ada@example.com", True),
    ("ada@example.com", "ADA@EXAMPLE.COM", True),
    ("ÖZGÜR@example.com", "özgür@example.com", True),
    ("ΣΑΣ@example.com", "σασ@example.com", True),
    # Whoever owns the one mailbox must not be given the data of the other.
    ("mike@example.com", "mi\u212ae@example.com", False),
    ("mi\u212ae@example.com", "mike@example.com", False),
    ("strasse@example.com", "straße@example.com", False),
    ("ALI@example.com", "alı@example.com", False),
    ("ali@example.com", "alİ@example.com", False),
    ("ﬁn@example.com", "fin@example.com", False),
    ("áda@example.com", "ada@example.com", False),
    ("ada@example.com ", "ada@example.com", False),
    ("ad_@example.com", "ada@example.com", False),
]
TEXTS = ["text", "citext", "text COLLATE anycase", 'varchar(60) COLLATE "C"']


@pytest.mark.parametrize("kind", [*TEXTS, 'text COLLATE "tr-x-icu"'])
def test_addresses_match_in_any_case_and_no_further(typed: PostgresSource, kind: str) -> None:
    typed.table("rows", {"n": "int PRIMARY KEY", "email": kind}, [(n, a[0]) for n, a in enumerate(ADDRESSES)])
    connector = typed.open({"table": "rows", "find": [{"column": "email", "identifier": "email"}]})
    for n, (_held, asked, found) in enumerate(ADDRESSES):
        identifiers = {"email": frozenset({asked})}
        records = read(connector, identifiers=identifiers)
        assert ((n,) in [record.key for record in records]) == found, ADDRESSES[n]
        assert {record.owner for record in records} <= connector.owners(identifiers, "rows")


def plan(source: PostgresSource, connector: Any, identifiers: Any, collection: str = "rows") -> str:
    """How PostgreSQL would go about it, were sequential scans dear."""
    statement = connector._statement(identifiers, collection, ALL).statement(None)
    with connector._engine.connect() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        compiled = statement.compile(connection, compile_kwargs={"literal_binds": True})
        return " ".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {compiled}"))


@pytest.mark.parametrize("kind", ["integer", "text", "varchar(9)", "citext", "char(3)", "text COLLATE anycase"])
def test_an_index_still_finds_the_rows(typed: PostgresSource, kind: str) -> None:
    typed.table("rows", {"user_id": kind}, [("7",)])
    typed.run("CREATE INDEX by_user ON rows (user_id)")
    assert "by_user" in plan(typed, typed.open({"table": "rows", "find": MINE}), ADA)


def test_an_index_over_lower_still_finds_the_address(pg: PostgresSource) -> None:
    pg.table("rows", {"email": "text"}, [("ada@x",)])
    pg.run("CREATE INDEX by_email ON rows (lower(email))")
    connector = pg.open({"table": "rows", "find": [{"column": "email", "identifier": "email"}]})
    assert "by_email" in plan(pg, connector, {"email": frozenset({"ada@x"})})


@pytest.mark.parametrize("kind", ["uuid", "bytea", "inet", "mood", "char(8)", *TEXTS])
def test_a_path_leads_over_keys_of_any_type(typed: PostgresSource, kind: str) -> None:
    mine, others = {
        "uuid": (UUID, OTHER), "bytea": ("\\x01", "\\x02"), "inet": ("10.0.0.1", "10.0.0.2"),
        "mood": ("happy", "so-so"),
    }.get(kind, ("Key", "kEY"))  # fmt: skip
    typed.table("users", {"id": kind, "email": "text"})
    typed.table("rows", {"n": "int PRIMARY KEY", "user_id": kind})
    typed.run(
        f"INSERT INTO users VALUES ('{mine}', 'ada@x'), ('{others}', 'eve@x')",
        f"INSERT INTO rows VALUES (1, '{mine}'), (2, '{others}'), (3, NULL)",
    )
    connector = typed.open(
        {"table": "users", "find": [{"column": "email", "identifier": "email"}],
         "teaches": [{"column": "id", "identifier": "user_id"}]},
        {"table": "rows", "find": [{"column": "user_id", "collection": "users", "key": "id"}]},
        {"table": "rows", "name": "by-id", "find": MINE},
        {"table": "rows", "name": "over-id",
         "find": [{"column": "user_id", "collection": "by-id", "key": "user_id"}]},
    )  # fmt: skip
    known = {"email": frozenset({"ada@x"})} | connector.identify({"email": frozenset({"ada@x"})}).identifiers
    for collection in ("rows", "by-id", "over-id"):
        records = read(connector, collection, known)
        assert [record.key for record in records] == [(1,)]
        assert {record.owner for record in records} <= connector.owners(known, collection)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["a", "A", "ä", "Z", "", "_", "-"]),
        ('text COLLATE "en-x-icu"', ["a", "A", "ä", "Z", "", "_", "-"]),
        ("text COLLATE anycase", ["a", "b", "Z", "Ä"]),
        ("timestamptz", ["infinity", "-infinity", "2026-01-01 00:00+00", "2026-01-01 00:00:00.000001+00"]),
        ("date", ["infinity", "2026-01-01", "0044-03-15 BC"]),
        ("uuid", [UUID, OTHER]),
        ("numeric", ["1", "1.5", "-2", "NaN"]),
        ("bytea", ["\\x00", "\\xff", "\\x"]),
        ("mood", ["so-so", "happy"]),
        ("boolean", ["true", "false"]),
    ],
)
def test_every_key_is_a_place_to_go_on_from(typed: PostgresSource, kind: str, values: list[str]) -> None:
    typed.table("rows", {"k": kind, "n": "bigint NOT NULL", "user_id": "int"}, more="UNIQUE (k, n)")
    typed.insert("rows", [(value, n, 7) for value in [*values, None] for n in (1, 2**40)])
    connector = typed.open({"table": "rows", "find": MINE, "key": ["k", "n"]})
    keys = [json.loads(json.dumps(record.key)) for record in read(connector)]
    assert len(keys) == 2 * len(values) + 2
    for place, key in enumerate(keys):
        rest = connector.export(ADA, "rows", ALL, after=tuple(key))
        assert [json.loads(json.dumps(record.key)) for record in rest] == keys[place + 1 :]


def test_a_key_that_only_the_parent_keeps_unique_is_looked_at(pg: PostgresSource) -> None:
    pg.table("rows", {"id": "int PRIMARY KEY", "user_id": "int"}, [(1, 7)])
    pg.run("CREATE TABLE old_rows () INHERITS (rows)", "INSERT INTO old_rows VALUES (1, 7)")
    with pytest.raises(SystemRefused, match="share one key"):
        read(pg.open({"table": "rows", "find": MINE}))


def test_an_index_that_was_never_finished_proves_nothing(pg: PostgresSource) -> None:
    pg.table("rows", {"id": "int NOT NULL", "user_id": "int"}, [(1, 7), (1, 7)])
    with pytest.raises(Exception, match="could not create unique index"):
        pg.run("CREATE UNIQUE INDEX CONCURRENTLY broken ON rows (id)")
    with pytest.raises(SystemRefused, match="share one key"):
        read(pg.open({"table": "rows", "find": MINE, "key": ["id"]}))


def test_no_row_without_a_day_is_left_out(pg: PostgresSource) -> None:
    rows = [("2026-03-01 12:00+00", "in"), ("2026-02-28 23:59:59+00", "out"), (None, "none"), ("infinity", "none")]
    pg.table("rows", {"at": "timestamptz", "side": "text", "user_id": "int"}, [(*row, 7) for row in rows])
    pg.table("texts", {"at": "text", "side": "text", "user_id": "int"}, [
        ("2026-03-01T12:00Z", "in", 7), ("2026-03-02", "out", 7), ("yesterday", "none", 7), ("", "none", 7)
    ])  # fmt: skip
    connector = pg.open(*({"table": name, "find": MINE, "time": "at"} for name in ("rows", "texts")))
    scope = Scope(since=date(2026, 3, 1), until=date(2026, 3, 1))
    for collection in ("rows", "texts"):
        sides = sorted(record.data["side"] for record in read(connector, collection, scope=scope))
        assert sides == ["in", *["none"] * (len(sides) - 1)]
        assert len(sides) == 3
        assert connector.count(ADA, collection, scope) == 3


def test_tables_of_every_sort_are_seen(pg: PostgresSource) -> None:
    pg.run(
        "CREATE TABLE events (id int, email text) PARTITION BY HASH (id)",
        "CREATE TABLE events_0 PARTITION OF events FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "CREATE TABLE rows (user_id int)",
        "CREATE MATERIALIZED VIEW report AS SELECT 7 AS user_id, 'ada@x'::text AS email",
        "CREATE VIEW seen AS SELECT 'ada@x'::text AS email",
        'CREATE TABLE "ROWS" (user_id int)',
        "CREATE SCHEMA hidden CREATE TABLE rows (user_id int)",
    )
    connector = pg.open({"table": "rows", "find": MINE})
    assert {each.table for each in connector.unmapped() if each.kind == "table"} == {"events", "report", "seen", "ROWS"}
    materialised = pg.open({"table": "report", "find": MINE}, {"table": "events_0", "find": [
        {"column": "id", "identifier": "user_id"}]})  # fmt: skip
    assert [record.data["email"] for record in read(materialised, "report")] == ["ada@x"]
    assert materialised.check().ok


def test_names_mean_the_schema_that_was_looked_at(pg: PostgresSource) -> None:
    """A table called like one of the database's own is not shadowed by it."""
    pg.run("CREATE TABLE public.pg_class AS SELECT 7 AS user_id, 'mine' AS note")
    pg.run("CREATE SCHEMA other", "CREATE TABLE other.rows (user_id int)", "INSERT INTO other.rows VALUES (7)")
    (record,) = read(pg.open({"table": "pg_class", "find": MINE}), "pg_class")
    assert record.data["note"] == "mine"
    assert len(read(pg.open({"table": "rows", "find": MINE}, schema="other"))) == 1


def test_a_large_tables_rows_are_estimated(pg: PostgresSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsr.connectors.sql.catalogue.COUNTED_BYTES", 0)
    pg.run(
        "CREATE TABLE rows (user_id int) PARTITION BY RANGE (user_id)",
        "CREATE TABLE a PARTITION OF rows FOR VALUES FROM (MINVALUE) TO (500)",
        "CREATE TABLE b PARTITION OF rows FOR VALUES FROM (500) TO (MAXVALUE)",
        "INSERT INTO rows SELECT generate_series(1, 1000)",
    )
    connector = pg.open({"table": "rows", "find": MINE})
    assert connector.rows("rows") is None  # nobody looked yet
    pg.run("ANALYZE a", "ANALYZE b", "DELETE FROM rows WHERE user_id > 990")
    size = connector.rows("rows")
    assert size is not None
    assert (size.rows, size.is_estimate) == (1000, True)


def test_it_cannot_write(pg: PostgresSource) -> None:
    pg.table("rows", {"user_id": "int"}, [(7,)])
    connector: Any = pg.open({"table": "rows", "find": MINE})
    for way in ("SELECT 1", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"):
        for change in ("DELETE FROM rows", "CREATE TABLE x (n int)", "DROP TABLE rows"):
            with connector._engine.connect() as connection:
                connection.exec_driver_sql(way)
                with pytest.raises(DBAPIError, match="read-only"):
                    connection.exec_driver_sql(change)
    with connector._engine.connect() as connection, pytest.raises(DBAPIError, match="read-write"):
        connection.exec_driver_sql("SET TRANSACTION READ WRITE")
    assert len(read(connector)) == 1


def test_a_look_up_is_cut_off_and_a_long_export_is_not(pg: PostgresSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "STATEMENT_SECONDS", 1)
    pg.table("slow", {"user_id": "int"}, [(7,)] * 4)
    pg.run("CREATE VIEW rows AS SELECT user_id, pg_sleep(0.4)::text AS nap FROM slow")
    connector = pg.open({"table": "rows", "find": [{"column": "nap", "identifier": "user_id"}, *MINE]})
    with pytest.raises(SystemUnreachable, match="57014"):
        connector.count(ADA, "rows", ALL)
    assert len(read(connector)) == 4
