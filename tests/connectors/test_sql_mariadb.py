"""The sql connector where MariaDB is at its strangest: it compares loosely, in letters and in numbers."""

from __future__ import annotations

import json
import time
from datetime import date
from typing import Any

import orjson
import pytest
from sqlalchemy.exc import DBAPIError

from dsr.connectors import Scope, SystemRefused, SystemUnreachable
from dsr.connectors.sql import sessions
from tests.connectors.databases import ENV, MariaDbSource
from tests.connectors.reading import ADA, ALL, MINE, read
from tests.connectors.test_sql_postgresql import ADDRESSES

pytestmark = [pytest.mark.enable_socket]

UUID = "123e4567-e89b-12d3-a456-426614174000"

# Type, what is put in, what comes out.
VALUES: list[tuple[str, str, Any]] = [
    ("boolean", "true", True),
    ("tinyint(1)", "0", False),
    ("tinyint(1)", "2", 2),
    ("tinyint(4)", "1", 1),
    ("bit(1)", "b'1'", True),
    ("bit(1)", "b'0'", False),
    ("bit(12)", "b'101'", "0000000000000101"),
    ("bigint unsigned", "18446744073709551615", 2**64 - 1),
    ("bigint", "-9223372036854775808", -(2**63)),
    ("decimal(40,20)", "1.00000000000000000001", "1.00000000000000000001"),
    ("double", "0.1", 0.1),
    ("year", "2026", "2026"),
    ("datetime", "'2026-01-02 03:04:05'", "2026-01-02T03:04:05+00:00"),
    ("datetime(6)", "'2026-01-02 03:04:05.678'", "2026-01-02T03:04:05.678000+00:00"),
    ("datetime", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"),
    ("datetime", "'2026-00-00 00:00:00'", "2026-00-00 00:00:00"),
    ("date", "'0000-00-00'", "0000-00-00"),
    ("date", "'2026-01-02'", "2026-01-02"),
    ("timestamp NULL", "FROM_UNIXTIME(1767225600)", "2026-01-01T00:00:00+00:00"),
    ("time", "'-838:59:59'", "-838:59:59"),
    ("time(3)", "'03:04:05.678'", "03:04:05.678000"),
    ("json", """'{"a": [1, 0.1000000000000000055]}'""", {"a": [1, "0.1000000000000000055"]}),
    ("longtext", """'{"a": 1}'""", '{"a": 1}'),
    ("enum('a','b')", "'b'", "b"),
    ("set('a','b')", "'a,b'", "a,b"),
    ("blob", "x'00ff'", "AP8="),
    ("binary(4)", "x'00ff'", "AP8AAA=="),
    ("uuid", f"'{UUID}'", UUID),
    ("inet6", "'2001:db8::1'", "2001:db8::1"),
    ("char(5)", "'ab'", "ab"),
    ("varchar(9) CHARACTER SET latin1", "'çé'", "çé"),
    ("varchar(9) CHARACTER SET utf8mb3", "'☂'", "☂"),
    ("text", "'🙂'", "🙂"),
    ("int AS (user_id * 2) VIRTUAL", "DEFAULT", 14),
    ("text AS (concat('n', user_id)) PERSISTENT", "DEFAULT", "n7"),
    ("int INVISIBLE", "1", 1),
]


def test_every_value_comes_out_as_json_and_whole(maria: MariaDbSource) -> None:
    columns = {"user_id": "int"} | {f"v{n}": kind for n, (kind, _v, _e) in enumerate(VALUES)}
    maria.table("rows", columns)
    names, values = ", ".join(columns), ", ".join(value for _k, value, _e in VALUES)
    maria.server.execute("SET GLOBAL sql_mode = ''")
    try:
        maria.run(f"INSERT INTO `rows` ({names}) VALUES (7, {values})")
    finally:
        maria.server.execute("SET GLOBAL sql_mode = DEFAULT")
    (record,) = read(maria.open({"table": "rows", "find": MINE}))
    assert orjson.loads(orjson.dumps(record.data)) == record.data
    found = {(kind, value): record.data[f"v{n}"] for n, (kind, value, _e) in enumerate(VALUES)}
    assert found == {(kind, value): expected for kind, value, expected in VALUES}


@pytest.mark.parametrize(
    ("kind", "held", "asked", "found"),
    [
        ("int", 7, "7", True),
        ("int", 7, "07", False),
        ("int", 7, "7abc", False),
        ("int", 0, "abc", False),
        ("bigint unsigned", 2**64 - 1, str(2**64 - 1), True),
        ("decimal(20)", 7, "7", True),
        ("decimal(20)", 0, "abc", False),
        ("double", 0, "abc", False),
        ("varchar(9)", "7", "7", True),
        ("varchar(9)", "7abc", "7", False),
        ("varchar(9)", "07", "7", False),
        ("varchar(9)", "Ada", "ada", False),
        ("varchar(9)", "ada", "áda", False),
        ("varchar(9)", "ada ", "ada", False),
        ("varchar(9)", "ada", "ada ", False),
        ("varchar(9)", "ada", "ada", True),
        ("varchar(9) COLLATE utf8mb4_bin", "ada ", "ada", False),
        ("varchar(9) COLLATE utf8mb4_bin", "ada", "ada", True),
        ("varchar(9) CHARACTER SET latin1", "çé", "çé", True),
        ("varchar(9) CHARACTER SET latin1", "ce", "çé", False),
        ("varchar(9) CHARACTER SET latin1", "a", "ş🙂", False),
        ("varchar(9) CHARACTER SET utf8mb3", "a", "🙂", False),
        ("varchar(9) CHARACTER SET utf16", "ada", "ada", True),
        ("char(9)", "ada", "ada", True),
        ("enum('ada','7')", "ada", "ada", True),
        ("enum('ada','7')", "ada", "1", False),
        ("enum('ada','7')", "ada", "Ada", False),
        ("varbinary(9)", b"\0\xff", "00ff", True),
        ("uuid", UUID, UUID, True),
        ("inet6", "2001:db8::1", "2001:db8::1", True),
        ("year", 2026, "2026", True),
        ("year", 2026, "2026abc", False),
        ("boolean", 1, "true", False),
        ("boolean", 0, "abc", False),
        ("bit(8)", b"\x07", "7", False),
    ],
)
def test_an_identifier_matches_exactly(maria: MariaDbSource, kind: str, held: Any, asked: str, found: bool) -> None:
    maria.table("rows", {"user_id": kind}, [(held,)])
    connector = maria.open({"table": "rows", "find": MINE})
    identifiers = {"user_id": frozenset({asked})}
    records = read(connector, identifiers=identifiers)
    assert len(records) == connector.count(identifiers, "rows", ALL) == int(found)
    assert all(record.owner in connector.owners(identifiers, "rows") for record in records)


COLLATIONS = [
    "utf8mb4 COLLATE utf8mb4_general_ci", "utf8mb4 COLLATE utf8mb4_unicode_ci", "utf8mb4 COLLATE utf8mb4_bin",
    "utf8mb4 COLLATE utf8mb4_turkish_ci", "utf8mb4 COLLATE utf8mb4_uca1400_ai_ci",
]  # fmt: skip


@pytest.mark.parametrize("charset", COLLATIONS)
def test_addresses_match_in_any_case_and_no_further(maria: MariaDbSource, charset: str) -> None:
    maria.table("rows", {"n": "int PRIMARY KEY", "email": f"varchar(60) CHARACTER SET {charset}"},
                [(n, a[0]) for n, a in enumerate(ADDRESSES)])  # fmt: skip
    connector = maria.open({"table": "rows", "find": [{"column": "email", "identifier": "email"}]})
    for n, (_held, asked, found) in enumerate(ADDRESSES):
        identifiers = {"email": frozenset({asked})}
        records = read(connector, identifiers=identifiers)
        assert ((n,) in [record.key for record in records]) == found, ADDRESSES[n]
        assert {record.owner for record in records} <= connector.owners(identifiers, "rows")


def plan(connector: Any, identifiers: Any, collection: str = "rows") -> str:
    statement = connector._statement(identifiers, collection, ALL).statement(None)
    with connector._engine.connect() as connection:
        compiled = statement.compile(connection, compile_kwargs={"literal_binds": True})
        return str(connection.exec_driver_sql(f"EXPLAIN FORMAT=JSON {compiled}").scalar_one())


def test_an_index_still_finds_the_rows(maria: MariaDbSource) -> None:
    maria.table("rows", {"email": "varchar(60)", "user_id": "varchar(60)"},
                [(f"ada{n}@x", str(n)) for n in range(500)],
                more="KEY by_email (email), KEY by_user (user_id)")  # fmt: skip
    maria.table("notes", {"user": "varchar(60)", "note": "text"},
                [(str(n), "") for n in range(500)], more="KEY by_pointer (user)")  # fmt: skip
    email = [{"column": "email", "identifier": "email"}]
    maria.run("ANALYZE TABLE `rows`, notes")
    connector = maria.open(
        {"table": "rows", "name": "rows", "find": MINE},
        {"table": "rows", "name": "accounts", "find": email},
        {"table": "notes", "find": [{"column": "user", "collection": "rows", "key": "user_id"}]},
    )
    assert '"key": "by_user"' in plan(connector, ADA)
    assert '"key": "by_email"' in plan(connector, {"email": frozenset({"ada7@x"})}, "accounts")
    assert '"key": "by_pointer"' in plan(connector, ADA, "notes")
    assert len(read(connector, "notes")) == 1


@pytest.mark.parametrize("kind", ["varchar(9)", "varchar(9) COLLATE utf8mb4_bin", "varchar(9) CHARACTER SET latin1"])
@pytest.mark.parametrize("pointer", ["varchar(9)", "varchar(9) CHARACTER SET latin1", "char(9)"])
def test_a_path_leads_to_the_persons_own_rows(maria: MariaDbSource, kind: str, pointer: str) -> None:
    maria.table("chats", {"id": kind, "user_id": "int"}, [("Key", 7), ("kEY", 8), ("Kéy", 8), ("7", 7), ("7x", 8)])
    rows = [(1, "Key"), (2, "kEY"), (3, "Kéy"), (4, "7"), (5, "7x"), (6, "key"), (7, None), (8, "Key ")]
    if not pointer.startswith("char"):
        rows = [*rows, (9, "7 ")]
    maria.table("rows", {"n": "int PRIMARY KEY", "chat": pointer}, [row for row in rows if row[0] != 8])
    maria.table("numbers", {"n": "int PRIMARY KEY", "chat": "int"}, [(1, 7), (2, 0), (3, 8)])
    connector = maria.open(
        {"table": "chats", "find": MINE},
        {"table": "rows", "find": [{"column": "chat", "collection": "chats", "key": "id"}]},
        {"table": "numbers", "find": [{"column": "chat", "collection": "chats", "key": "id"}]},
    )
    assert [record.key for record in read(connector)] == [(1,), (4,)]
    assert [record.key for record in read(connector, "numbers")] == [(1,)]


@pytest.mark.parametrize("unique", ["", "UNIQUE (k, n)"])
def test_every_key_is_a_place_to_go_on_from(maria: MariaDbSource, unique: str) -> None:
    values = ["a", "b", "", "_", "Z", "é"] if unique else ["a", "A", "á", "b", "", " ", "_", "Z", "z", "é"]
    maria.table("rows", {"k": "varchar(9)", "n": "datetime(6) NOT NULL", "user_id": "int"}, more=unique)
    moments = ("2026-01-01 00:00:00", "2026-01-01 00:00:00.000001")
    maria.insert("rows", [(value, moment, 7) for value in [*values, None] for moment in moments])
    connector = maria.open({"table": "rows", "find": MINE, "key": ["k", "n"]})
    keys = [json.loads(json.dumps(record.key)) for record in read(connector)]
    assert len(keys) == 2 * len(values) + 2
    for place, key in enumerate(keys):
        rest = connector.export(ADA, "rows", ALL, after=tuple(key))
        assert [json.loads(json.dumps(record.key)) for record in rest] == keys[place + 1 :]


def test_keys_that_differ_in_case_are_two_and_the_same_twice_is_refused(maria: MariaDbSource) -> None:
    maria.table("rows", {"k": "varchar(9)", "user_id": "int"}, [("a", 7), ("A", 7), ("a ", 7)])
    connector = maria.open({"table": "rows", "find": MINE, "key": ["k"]})
    assert len(read(connector)) == 3
    maria.insert("rows", [("A", 7)])
    with pytest.raises(SystemRefused, match="share one key"):
        read(connector)


def test_what_differs_in_case_is_learned_as_two_and_shared_with_nobody(maria: MariaDbSource) -> None:
    rows = [("ada@x", "cus_a"), ("ada@x", "cus_A"), ("eve@x", "CUS_A"), ("eve@x", "cus_á")]
    maria.table("rows", {"email": "varchar(60)", "customer": "varchar(60)"}, rows)
    teaches = [{"column": "customer", "identifier": "customer"}]
    connector = maria.open({"table": "rows", "find": [{"column": "email", "identifier": "email"}], "teaches": teaches})
    found = connector.identify({"email": frozenset({"ada@x"})}).identifiers
    assert found == {"customer": frozenset({"cus_a", "cus_A"})}
    maria.insert("rows", [("eve@x", "cus_a")])
    with pytest.raises(SystemRefused, match="other people's rows"):
        connector.identify({"email": frozenset({"ada@x"})})


def test_no_row_without_a_day_is_left_out(maria: MariaDbSource) -> None:
    maria.table("rows", {"at": "datetime", "side": "text", "user_id": "int"})
    rows = {"'2026-03-01 12:00'": "in", "'2026-02-28 23:59:59'": "out", "NULL": "none", "'0000-00-00'": "none",
            "'2026-00-01'": "none"}  # fmt: skip
    for at, side in rows.items():
        maria.run(f"SET STATEMENT sql_mode = '' FOR INSERT INTO `rows` VALUES ({at}, '{side}', 7)")
    connector = maria.open({"table": "rows", "find": MINE, "time": "at"})
    scope = Scope(since=date(2026, 3, 1), until=date(2026, 3, 1))
    found = read(connector, scope=scope)
    assert sorted(record.data["side"] for record in found) == ["in", "none", "none", "none"]
    assert connector.count(ADA, "rows", scope) == 4


def test_tables_of_every_sort_are_seen(maria: MariaDbSource) -> None:
    maria.run(
        "CREATE TABLE `rows` (user_id int)",
        "CREATE TABLE `ROWS` (user_id int)",
        "CREATE TABLE kept (email text, user_id int) WITH SYSTEM VERSIONING",
        "CREATE VIEW seen AS SELECT 'ada@x' AS email",
        "CREATE SEQUENCE s",
        "CREATE TABLE parts (id int, email text) PARTITION BY HASH (id) PARTITIONS 4",
    )
    connector = maria.open({"table": "rows", "find": MINE})
    assert {each.table for each in connector.unmapped() if each.kind == "table"} == {"ROWS", "kept", "seen", "parts"}
    maria.run("INSERT INTO kept VALUES ('ada@x', 7)")
    assert len(read(maria.open({"table": "kept", "find": MINE}), "kept")) == 1


def test_a_large_tables_rows_are_estimated(maria: MariaDbSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsr.connectors.sql.catalogue.COUNTED_BYTES", 0)
    maria.table("rows", {"user_id": "int"}, [(n,) for n in range(1000)])
    maria.run("ANALYZE TABLE `rows`", "CREATE VIEW seen AS SELECT * FROM `rows`")
    connector = maria.open({"table": "rows", "find": MINE}, {"table": "seen", "find": MINE})
    size = connector.rows("rows")
    assert size is not None
    assert size.is_estimate
    assert size.rows == pytest.approx(1000, rel=0.2)
    assert connector.rows("seen") is None


def test_it_cannot_write(maria: MariaDbSource) -> None:
    maria.table("rows", {"user_id": "int"}, [(7,)])
    connector: Any = maria.open({"table": "rows", "find": MINE})
    for change in ("DELETE FROM `rows`", "DROP TABLE `rows`", "CREATE TABLE x (n int)", "TRUNCATE `rows`"):
        with connector._engine.connect() as connection, pytest.raises(DBAPIError, match="READ ONLY"):
            connection.exec_driver_sql(change)
    assert len(read(connector)) == 1


@pytest.mark.parametrize("mode", ["ANSI", "NO_BACKSLASH_ESCAPES", "PAD_CHAR_TO_FULL_LENGTH", "ORACLE"])
@pytest.mark.parametrize("charset", ["gbk", "sjis", "latin1"])
def test_no_mode_of_the_server_changes_what_a_value_means(
    maria: MariaDbSource, monkeypatch: pytest.MonkeyPatch, mode: str, charset: str
) -> None:
    maria.table('ro"ws', {"user_id": "char(20)", "s`x": "text"}, [("7", "mine"), ("\\", "other"), ("' OR 1=1 --", "")])
    maria.server.execute(f"SET GLOBAL sql_mode = '{mode}'")
    try:
        monkeypatch.setenv(ENV, maria.url.replace("utf8mb4", charset))
        connector = maria.open({"table": 'ro"ws', "name": "rows", "find": MINE})
        for asked, found in {"7": 1, "\\": 1, "' OR 1=1 --": 1, "\\' OR 1=1 -- ": 0, "\ubf27 OR 1=1 -- ": 0,
                             "縗' OR 1=1 -- ": 0, "\\\\": 0}.items():  # fmt: skip
            assert len(read(connector, identifiers={"user_id": frozenset({asked})})) == found, asked
    finally:
        maria.server.execute("SET GLOBAL sql_mode = DEFAULT")


def test_a_broken_off_export_does_not_read_the_rest(maria: MariaDbSource) -> None:
    maria.table("one", {"n": "int"}, [(n,) for n in range(400)])
    maria.run("CREATE TABLE `rows` AS SELECT 7 AS user_id, repeat('x', 2000) AS text FROM one a JOIN one b")
    connector = maria.open({"table": "rows", "find": MINE})
    export = connector.export(ADA, "rows", ALL)
    next(export)
    started = time.perf_counter()
    export.close()  # type: ignore[attr-defined]
    broken_off = time.perf_counter() - started
    started = time.perf_counter()
    assert sum(1 for _record in connector.export(ADA, "rows", ALL)) == 160_000
    assert broken_off < (time.perf_counter() - started) / 5


def test_a_look_up_is_cut_off_and_a_long_export_is_not(maria: MariaDbSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "STATEMENT_SECONDS", 1)
    maria.table("slow", {"user_id": "int"}, [(7,)] * 4)
    maria.run("CREATE VIEW `rows` AS SELECT user_id, sleep(0.4 + user_id * 0) AS nap FROM slow")
    connector = maria.open({"table": "rows", "find": [*MINE], "time": "nap"})
    with pytest.raises(SystemUnreachable, match="1969"):
        connector.count(ADA, "rows", Scope(since=date(2020, 1, 1)))
    assert len(read(connector)) == 4
    with pytest.raises(SystemUnreachable, match="1969"):  # the next look-up is limited again
        connector.count(ADA, "rows", Scope(since=date(2020, 1, 1)))
