"""The sql connector where SQLite is at its strangest, and what it says when something is not so."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from dsr.connectors import (
    Channel,
    Connector,
    Record,
    Scope,
    SystemRefused,
    SystemUnreachable,
    find_out,
)
from dsr.connectors.sql import sessions
from dsr.connectors.sql.values import any_value
from tests.connectors.databases import ENV, Source, run

ALL = Scope()
ADA = {"user_id": frozenset({"7"})}
MINE = [{"column": "user_id", "identifier": "user_id"}]


def read(connector: Connector, collection: str = "rows", identifiers: Any = ADA, scope: Scope = ALL) -> list[Record]:
    return list(connector.export(identifiers, collection, scope))


def one_value(source: Source, kind: str, value: Any) -> Any:
    source.table("rows", {"user_id": "INTEGER", "v": kind}, [(7, value)])
    (record,) = read(source.open({"table": "rows", "find": MINE}))
    assert orjson.loads(orjson.dumps(record.data)) == record.data
    return record.data["v"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("BOOLEAN", 1, True),
        ("BOOLEAN", 0, False),
        ("BOOLEAN", 2, 2),
        ("BOOLEAN", "yes", "yes"),
        ("INTEGER", -(2**63), -(2**63)),
        ("INTEGER", "not a number", "not a number"),
        ("INTEGER", 1.5, 1.5),
        ("INTEGER", float("inf"), "INF"),
        ("REAL", float("-inf"), "-INF"),
        ("REAL", 0.1, 0.1),
        ("REAL", "text", "text"),
        ("DECIMAL(10,2)", 9.99, "9.99"),
        ("DECIMAL(10,2)", 10, "10"),
        ("DECIMAL(10,2)", "n/a", "n/a"),
        ("UUID", "123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
        ("DATETIME", "2026-01-02 03:04:05", "2026-01-02T03:04:05+00:00"),
        ("DATETIME", "2026-01-02T03:04:05.678+02:00", "2026-01-02T01:04:05.678000+00:00"),
        ("DATETIME", "2026-01-02", "2026-01-02T00:00:00+00:00"),
        ("DATETIME", 1767225600, "2026-01-01T00:00:00+00:00"),
        ("DATETIME", 1767225600000, "2026-01-01T00:00:00+00:00"),
        ("DATETIME", "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00"),
        ("DATETIME", "yesterday", "yesterday"),
        ("DATETIME", 1e300, 1e300),
        ("DATE", "2026-01-02", "2026-01-02"),
        ("TIME", "03:04", "03:04"),
        ("BLOB", b"\x00\xff", "AP8="),
        ("TEXT", b"\x00\xff", "AP8="),
        ("TEXT", "\x00\x1b]0;\u202e🙂", "\x00\x1b]0;\u202e🙂"),
        ("JSON", '{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("JSON", "[1]", [1]),
        ("JSON", '{"id": 123456789012345678901234567890}', {"id": "123456789012345678901234567890"}),
        ("JSON", "[0.1000000000000000055]", ["0.1000000000000000055"]),
        ("JSON", "[1e400]", ["1e400"]),
        ("JSON", "[NaN]", "[NaN]"),
        ("JSON", '["\\ud800"]', '["\\ud800"]'),
        ("JSON", "{not json", "{not json"),
        ("JSON", None, None),
        ("JSON", "[" * 300 + "]" * 300, "[" * 300 + "]" * 300),
        ("JSON", "[" * 100_000, "[" * 100_000),
        ("", 7, "7"),
        ("", "7", "7"),
        ("", 1.5, "1.5"),
        ("geometry", b"\x01", "AQ=="),
        ("TEXT", None, None),
    ],
)
def test_every_value_comes_out_as_json_and_whole(source: Source, kind: str, value: Any, expected: Any) -> None:
    found = one_value(source, kind, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("key", ["id INTEGER PRIMARY KEY", ""])
def test_text_that_is_not_utf8_is_shown_with_its_bytes(source: Source, key: str) -> None:
    columns = {"id": "INTEGER PRIMARY KEY" if key else "INTEGER", "user_id": "INTEGER", "v": "TEXT", "at": "DATETIME"}
    source.table("rows", columns, [(1, 7, "before", None), (2, 7, "x", None), (3, 7, "çiçek", None)])
    run(source.path, "UPDATE rows SET v = CAST(X'636166E9' AS TEXT), at = CAST(X'FF' AS TEXT) WHERE id = 2")
    found = read(source.open({"table": "rows", "find": MINE, "time": "at"}))
    assert [record.data["v"] for record in found] == ["before", "caf\\xe9", "çiçek"]
    assert found[1].data["at"] == "\\xff"


def test_keys_of_mixed_types_empty_and_not_utf8_are_gone_on_from(source: Source) -> None:
    source.table("rows", {"k": "", "user_id": "INTEGER"}, [(v, 7) for v in (None, 3, 1.5, "b", "a", "", b"\x01", "1")])
    run(source.path, "INSERT INTO rows VALUES (CAST(X'61E9' AS TEXT), 7), (CAST(X'61EA' AS TEXT), 7)")
    connector = source.open({"table": "rows", "find": MINE, "key": ["k"]})
    found = read(connector)
    assert len(found) == 10
    for place, record in enumerate(found):
        rest = list(connector.export(ADA, "rows", ALL, after=tuple(json.loads(json.dumps(record.key)))))
        assert [r.key for r in rest] == [r.key for r in found[place + 1 :]]


def test_a_key_that_two_rows_share_is_refused(source: Source) -> None:
    source.table("rows", {"k": "TEXT", "user_id": "INTEGER"}, [("a", 7), ("a", 7), ("a", 8)])
    with pytest.raises(SystemRefused, match="share one key"):
        read(source.open({"table": "rows", "find": MINE, "key": ["k"]}))


def test_rows_of_others_may_share_a_key(source: Source) -> None:
    source.table("rows", {"k": "TEXT", "user_id": "INTEGER"}, [("a", 7), ("b", 8), ("b", 8)])
    assert len(read(source.open({"table": "rows", "find": MINE, "key": ["k"]}))) == 1


def test_empty_parts_of_a_primary_key_are_counted_as_doubled(source: Source) -> None:
    source.table("rows", {"k": "TEXT PRIMARY KEY", "user_id": "INTEGER"}, [(None, 7), (None, 7), ("a", 7)])
    with pytest.raises(SystemRefused, match="share one key"):
        read(source.open({"table": "rows", "find": MINE}))


def test_a_key_that_no_longer_fits_is_refused(source: Source) -> None:
    source.table("rows", {"id": "INTEGER PRIMARY KEY", "user_id": "INTEGER"}, [(1, 7)])
    connector = source.open({"table": "rows", "find": MINE})
    with pytest.raises(SystemRefused, match="go on from"):
        list(connector.export(ADA, "rows", ALL, after=(1, 2)))


def test_a_table_without_a_key_is_named(source: Source) -> None:
    source.table("rows", {"user_id": "INTEGER"}, [(7,)])
    connector = source.open({"table": "rows", "find": MINE})
    assert not connector.resumable("rows")
    health = connector.check()
    assert health.ok
    assert "“rows” has no key" in health.detail


def test_rows_in_key_order_need_no_sorting(source: Source) -> None:
    source.table("rows", {"id": "INTEGER PRIMARY KEY", "user_id": "TEXT"}, [(1, "7")])
    run(source.path, "CREATE INDEX by_user ON rows (user_id)")
    connector: Any = source.open({"table": "rows", "find": MINE})
    reading = connector._statement(ADA, "rows", ALL)
    with connector._engine.connect() as connection:
        compiled = reading.statement((0,)).compile(connection, compile_kwargs={"literal_binds": True})
        plan = " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}"))
    assert "USING INDEX by_user" in plan or "USING COVERING INDEX by_user" in plan
    assert "TEMP B-TREE" not in plan


# ---- whose rows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "held", "asked", "found"),
    [
        ("INTEGER", 7, "7", True),
        ("INTEGER", 7, "07", False),
        ("INTEGER", 7, "7.0", False),
        ("INTEGER", 7, " 7", False),
        ("INTEGER", 7, "+7", False),
        ("INTEGER", 7, "٧", False),
        ("INTEGER", 1000, "1e3", False),
        ("NUMERIC", 7, "07", False),
        ("NUMERIC", 7, "7", True),
        ("UUID", "123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000", True),
        ("TEXT", "7", "7", True),
        ("TEXT", "07", "7", False),
        ("TEXT", "Ada", "ada", False),
        ("TEXT COLLATE NOCASE", "Ada", "ada", False),
        ("TEXT COLLATE RTRIM", "ada  ", "ada", False),
        ("", 7, "7", True),
        ("", "7", "7", True),
        ("BLOB", bytes.fromhex("00ff"), "00ff", True),
        ("INTEGER", 7, "99999999999999999999", False),
    ],
)
def test_an_identifier_matches_exactly(source: Source, kind: str, held: Any, asked: str, found: bool) -> None:
    source.table("rows", {"user_id": kind}, [(held,)])
    connector = source.open({"table": "rows", "find": MINE})
    identifiers = {"user_id": frozenset({asked})}
    records = read(connector, identifiers=identifiers)
    assert len(records) == connector.count(identifiers, "rows", ALL) == int(found)
    assert all(record.owner in connector.owners(identifiers, "rows") for record in records)


@pytest.mark.parametrize(
    ("held", "asked", "found"),
    [
        ("Ada@Example.COM", "ada@example.com", True),
        ("ada@example.com", "ADA@EXAMPLE.COM", True),
        ("ÖZGÜR@example.com", "özgür@example.com", True),
        # Whoever owns the one mailbox must not be given the data of the other.
        ("mike@example.com", "mi\u212ae@example.com", False),
        ("mi\u212ae@example.com", "mike@example.com", False),
        ("strasse@example.com", "straße@example.com", False),
        ("ali@example.com", "alı@example.com", False),
        ("ali@example.com", "alİ@example.com", False),
        ("ﬁn@example.com", "fin@example.com", False),
        ("ada@example.com ", "ada@example.com", False),
    ],
)
def test_addresses_match_in_any_case_and_no_further(source: Source, held: str, asked: str, found: bool) -> None:
    source.table("rows", {"email": "TEXT"}, [(held,)])
    connector = source.open({"table": "rows", "find": [{"column": "email", "identifier": "email"}]})
    records = read(connector, identifiers={"email": frozenset({asked})})
    assert len(records) == int(found)
    assert {record.owner for record in records} <= connector.owners({"email": frozenset({asked})}, "rows")


@pytest.mark.parametrize("kind", ["TEXT", "BLOB"])
def test_a_receipt_is_found_by_its_keyed_hash(source: Source, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("RECEIPT_KEY", "k")
    digest = hmac.digest(b"k", b"receipt-1", "sha256")
    other = hmac.digest(b"k", b"receipt-2", "sha256")
    rows = [(d if kind == "BLOB" else d.hex(), text) for d, text in ((digest, "mine"), (other, "theirs"))]
    source.table("rows", {"receipt_hash": kind, "text": "TEXT"}, rows)
    find = {"column": "receipt_hash", "identifier": "receipt", "transform": "hmac-sha256", "key_env": "RECEIPT_KEY"}
    connector = source.open({"table": "rows", "find": [find]})
    identifiers = {"receipt": frozenset({"receipt-1"})}
    (record,) = read(connector, identifiers=identifiers)
    assert record.data == {"receipt_hash": None, "text": "mine"}
    assert connector.owners(identifiers, "rows") == {digest.hex()} == {record.owner}


def test_a_key_is_found_by_its_plain_hash(source: Source) -> None:
    digest = hashlib.sha256(b"sk-1").hexdigest()
    source.table("rows", {"key": "TEXT"}, [(digest,), ("sk-1",)])
    find = {"column": "key", "identifier": "api_key", "transform": "sha256"}
    connector = source.open({"table": "rows", "find": [find]})
    (record,) = read(connector, identifiers={"api_key": frozenset({"sk-1"})})
    assert record.owner == digest


def test_a_missing_hash_key_is_said_and_no_row_is_given(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECEIPT_KEY", raising=False)
    source.table("rows", {"h": "TEXT"}, [(hmac.digest(b"", b"r", "sha256").hex(),)])
    find = {"column": "h", "identifier": "receipt", "transform": "hmac-sha256", "key_env": "RECEIPT_KEY"}
    connector = source.open({"table": "rows", "find": [find]})
    with pytest.raises(SystemRefused, match="RECEIPT_KEY"):
        read(connector, identifiers={"receipt": frozenset({"r"})})
    assert "RECEIPT_KEY" in connector.check().detail


def paths(source: Source) -> Connector:
    """users <- chats <- messages <- votes, with a member table through which chats are shared."""
    source.table("users", {"id": "INTEGER PRIMARY KEY", "email": "TEXT"}, [(7, "ada@x"), (8, "eve@x")])
    source.table("members", {"chat_id": "TEXT", "user_id": "INTEGER"}, [("1", 7), ("1", 8), ("2", 8), ("1", 7)])
    source.table("messages", {"id": "INTEGER PRIMARY KEY", "chat": "INTEGER"}, [(10, 1), (11, 2), (12, None)])
    source.table("votes", {"id": "INTEGER PRIMARY KEY", "message": "INTEGER", "voter": "INTEGER"},
                 [(100, 10, 8), (101, 11, 8), (102, 11, 7), (103, 12, 8)])  # fmt: skip
    return source.open(
        {"table": "users", "find": [{"column": "email", "identifier": "email"}]},
        {"table": "members", "find": MINE},
        {"table": "messages", "find": [{"column": "chat", "collection": "members", "key": "chat_id"}]},
        {
            "table": "votes",
            "find": [
                {"column": "message", "collection": "messages", "key": "id"},
                {"column": "voter", "identifier": "user_id"},
            ],
        },
    )


def test_a_path_leads_through_collections_without_doubling_rows(source: Source) -> None:
    connector = paths(source)
    assert [record.key for record in read(connector, "messages")] == [(10,)]
    assert [record.key for record in read(connector, "votes")] == [(100,), (102,)]
    assert connector.count(ADA, "votes", ALL) == 2


def test_a_path_compares_numbers_with_text_exactly(source: Source) -> None:
    source.table("chats", {"id": "TEXT", "user_id": "INTEGER"}, [("07", 7), ("8", 7)])
    source.table("rows", {"id": "INTEGER PRIMARY KEY", "chat": "INTEGER"}, [(1, 7), (2, 8)])
    connector = source.open(
        {"table": "chats", "find": MINE},
        {"table": "rows", "find": [{"column": "chat", "collection": "chats", "key": "id"}]},
    )
    assert [record.key for record in read(connector)] == [(2,)]


def test_each_row_on_a_path_carries_the_persons_own_key(source: Source) -> None:
    connector = paths(source)
    for collection in ("messages", "votes"):
        assert connector.owners(ADA, collection) == {"7"}
        assert {record.owner for record in read(connector, collection)} == {"7"}


def test_an_owner_stands_only_for_its_own_column(source: Source) -> None:
    """A row found by nothing, as if the condition were broken, never carries an owner the caller would take."""
    source.table("rows", {"user_id": "INTEGER", "team": "INTEGER"}, [(7, 1), (9, 7)])
    connector: Any = source.open({"table": "rows", "find": [*MINE, {"column": "team", "identifier": "team"}]})
    found = connector._statement(ADA | {"team": frozenset({"1"})}, "rows", ALL).found
    assert found.whose((7, 1)) == "7"
    assert found.whose((None, 1)) == "1"
    for broken in ((9, 7), (1, 7), (None, None), (None, 2)):
        assert found.whose(broken) not in connector.owners(ADA | {"team": frozenset({"1"})}, "rows")


def test_a_broken_condition_shows_in_the_owner(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.table("rows", {"user_id": "INTEGER"}, [(7,), (8,)])
    connector = source.open({"table": "rows", "find": MINE})
    monkeypatch.setattr("dsr.connectors.sql.finding.Reach.select", _everyone)
    assert {record.owner for record in read(connector)} - connector.owners(ADA, "rows") == {"8"}


def _everyone(self: Any, *elements: Any) -> Any:
    return select(*elements).select_from(self.source)


# ---- what else the person is known by ---------------------------------------------------------------------------


def test_a_value_on_other_peoples_rows_is_not_learned(source: Source) -> None:
    source.table("rows", {"email": "TEXT", "stripe": "TEXT"}, [("ada@x", "cus_1"), ("eve@x", "cus_1")])
    connector = source.open(
        {
            "table": "rows",
            "find": [{"column": "email", "identifier": "email"}],
            "teaches": [{"column": "stripe", "identifier": "stripe_customer"}],
        }
    )
    with pytest.raises(SystemRefused, match="other people's rows") as refused:
        connector.identify({"email": frozenset({"ada@x"})})
    assert "cus_1" not in str(refused.value) + refused.value.hint


def test_a_value_on_a_nameless_row_is_learned(source: Source) -> None:
    source.table("rows", {"email": "TEXT", "stripe": "TEXT"}, [("Ada@x", "cus_1"), (None, "cus_1"), ("", "cus_1")])
    connector = source.open(
        {
            "table": "rows",
            "find": [{"column": "email", "identifier": "email"}],
            "teaches": [{"column": "stripe", "identifier": "stripe_customer"}],
        }
    )
    found = connector.identify({"email": frozenset({"ada@x"})})
    assert found.identifiers == {"stripe_customer": frozenset({"cus_1"})}


def test_a_shared_value_through_a_path_is_not_learned(source: Source) -> None:
    source.table("users", {"id": "INTEGER PRIMARY KEY", "email": "TEXT"}, [(7, "ada@x"), (8, "eve@x")])
    source.table("plans", {"user": "INTEGER", "customer": "TEXT"}, [(7, "shared"), (8, "shared")])
    connector = source.open(
        {"table": "users", "find": [{"column": "email", "identifier": "email"}]},
        {
            "table": "plans",
            "find": [{"column": "user", "collection": "users", "key": "id"}],
            "teaches": [{"column": "customer", "identifier": "customer"}],
        },
    )
    with pytest.raises(SystemRefused, match="other people's rows"):
        connector.identify({"email": frozenset({"ada@x"})})


@pytest.mark.parametrize("word", ["", " ", "N/A", "null", "-", "unknown"])
def test_a_word_for_nobody_is_not_learned(source: Source, word: str) -> None:
    source.table("rows", {"email": "TEXT", "stripe": "TEXT"}, [("ada@x", word)])
    connector = source.open(
        {
            "table": "rows",
            "find": [{"column": "email", "identifier": "email"}],
            "teaches": [{"column": "stripe", "identifier": "stripe_customer"}],
        }
    )
    assert connector.identify({"email": frozenset({"ada@x"})}).identifiers == {}


def test_too_many_values_are_an_error_that_names_the_system(source: Source) -> None:
    source.table("rows", {"email": "TEXT", "ip": "TEXT"}, [("ada@x", str(n)) for n in range(2_100)])
    connector = source.open(
        {
            "table": "rows",
            "find": [{"column": "email", "identifier": "email"}],
            "teaches": [{"column": "ip", "identifier": "ip"}],
        }
    )
    with pytest.raises(SystemRefused, match=r"^app: .*“ip” in “rows”"):
        find_out([connector], {"email": frozenset({"ada@x"})})


def test_channels_tell_since_when_they_are_known(source: Source) -> None:
    rows = [
        (7, "ada@x", "2026-03-01 00:00:00"),
        (7, "ada@x", "2024-02-01 00:00:00"),
        (7, "new@x", None),
        (8, "e@x", None),
    ]
    source.table("rows", {"user_id": "INTEGER", "email": "TEXT", "since": "DATETIME"}, rows)
    connector = source.open({"table": "rows", "find": MINE, "channel": {"column": "email", "since": "since"}})
    channels = set(connector.identify(ADA).channels)
    assert channels == {Channel("email", "ada@x", date(2024, 2, 1)), Channel("email", "new@x", None)}


# ---- what stays back --------------------------------------------------------------------------------------------


def test_secrets_are_told_apart_by_name_and_never_read(source: Source) -> None:
    columns = [
        "user_id",
        "password_hash",
        "api_key",
        "resetToken",
        "totp_secret",
        "token",
        "total_tokens",
        "content_hash",
    ]
    source.table("rows", dict.fromkeys(columns, "TEXT"), [("7", *("leak" for _ in columns[1:]))])
    connector = source.open({"table": "rows", "find": MINE, "columns": {"token": "Not a secret here."}})
    (record,) = read(connector)
    shown = {name for name, value in record.data.items() if value is not None}
    assert shown == {"user_id", "token", "total_tokens", "content_hash"}
    assert connector.withheld("rows").keys() == {"password_hash", "api_key", "resetToken", "totp_secret"}
    described = {column.name: column.description for column in connector.columns("rows")}
    assert described["api_key"] == connector.withheld("rows")["api_key"]


def test_secret_wins_over_columns_and_omit_leaves_out(source: Source) -> None:
    source.table("rows", {"user_id": "TEXT", "pin": "TEXT", "score": "TEXT"}, [("7", "leak", "leak")])
    connector = source.open(
        {"table": "rows", "find": MINE, "secret": ["pin"], "columns": {"pin": "Pin."}, "omit": {"score": "Not yours."}}
    )
    (record,) = read(connector)
    assert record.data == {"user_id": "7", "pin": None}
    assert connector.withheld("rows")["score"] == "Not yours."
    assert [column.name for column in connector.columns("rows")] == ["user_id", "pin"]


def test_a_secret_key_reaches_no_checkpoint(source: Source) -> None:
    source.table("rows", {"token": "TEXT PRIMARY KEY", "user_id": "INTEGER"}, [("leak", 7)])
    connector = source.open({"table": "rows", "find": MINE})
    (record,) = read(connector)
    assert record.key == ()
    assert not connector.resumable("rows")


def test_files_leave_the_row(source: Source) -> None:
    columns = {"id": "INTEGER PRIMARY KEY", "user_id": "INTEGER", "content": "BLOB", "name": "TEXT", "mime": "TEXT"}
    source.table(
        "rows",
        columns,
        [(1, 7, b"\x89PNG", "../../a.png", "image/png"), (2, 7, None, "b", None), (3, 7, "text", None, None)],
    )
    connector = source.open(
        {"table": "rows", "find": MINE, "files": [{"column": "content", "name": "name", "media_type": "mime"}]}
    )
    first, second, third = read(connector)
    assert [(f.name, f.media_type, f.content) for f in first.files] == [("../../a.png", "image/png", b"\x89PNG")]
    assert first.data["content"] == "../../a.png"
    assert (second.files, second.data["content"]) == ((), None)
    assert [(f.name, f.media_type, f.content) for f in third.files] == [
        ("content", "application/octet-stream", b"text")
    ]


# ---- days -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["DATETIME", "TEXT", "INTEGER", ""])
def test_days_are_utc_in_whatever_form_times_are_kept(source: Source, kind: str) -> None:
    inside = ["2026-03-01", "2026-03-01 00:00:00", "2026-03-02T23:59:59.999Z", "2026-03-03T01:00:00+03:00",
              1772323200, 1772323200000, 1772323200.5]  # fmt: skip
    outside = ["2026-02-28 23:59:59", "2026-03-03 00:00:00", "2026-03-01T01:00:00+03:00", 1772323199, 1772496000]
    timeless = [None, "soon", ""]
    if kind == "TEXT":  # which would make the numbers text: a text of digits is no time
        inside, outside = ([v for v in values if isinstance(v, str)] for values in (inside, outside))
    rows = [(7, value, "in") for value in inside] + [(7, value, "out") for value in outside]
    source.table("rows", {"user_id": "INTEGER", "at": kind, "side": "TEXT"}, rows + [(7, v, "none") for v in timeless])
    connector = source.open({"table": "rows", "find": MINE, "time": "at"})
    scope = Scope(since=date(2026, 3, 1), until=date(2026, 3, 2))
    found = read(connector, scope=scope)
    sides = [record.data["side"] for record in found]
    assert sorted(sides) == ["in"] * len(inside) + ["none"] * len(timeless)
    assert connector.count(ADA, "rows", scope) == len(found)
    for record in read(connector):
        first, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
        side = "none" if record.at is None else "in" if first <= record.at < end else "out"
        assert side == record.data["side"]


@pytest.mark.parametrize("scope", [Scope(until=date.max), Scope(since=date.min), Scope(date.min, date.max)])
def test_the_ends_of_the_calendar_are_days_too(source: Source, scope: Scope) -> None:
    source.table("rows", {"user_id": "INTEGER", "at": "DATETIME"}, [(7, "2026-01-01 00:00:00"), (7, None)])
    assert len(read(source.open({"table": "rows", "find": MINE, "time": "at"}), scope=scope)) == 2


# ---- what is wrong, and who can mend it --------------------------------------------------------------------------


@pytest.fixture
def connector(source: Source) -> Connector:
    source.table("rows", {"id": "INTEGER PRIMARY KEY", "user_id": "INTEGER"}, [(1, 7)])
    return source.open({"table": "rows", "find": MINE})


def test_a_locked_database_is_a_passing_failure(
    source: Source, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "BUSY_SECONDS", 0.05)
    writer = sqlite3.connect(source.path)
    writer.execute("BEGIN EXCLUSIVE")
    for call in (lambda: read(connector), lambda: connector.identify(ADA), lambda: connector.count(ADA, "rows", ALL)):
        with pytest.raises(SystemUnreachable) as unreachable:
            call()
        assert unreachable.value.system == "app"
    assert not connector.check().ok
    writer.close()
    assert len(read(connector)) == 1


def test_a_missing_file_is_a_passing_failure_and_is_not_made(source: Source) -> None:
    connector = source.open({"table": "rows", "find": MINE})
    with pytest.raises(SystemUnreachable):
        read(connector)
    health = connector.check()
    assert ENV in health.detail
    assert "disk" in health.hint
    assert not source.path.exists()


@pytest.mark.parametrize("address", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "no-such-database://host/x"])
def test_a_wrong_address_is_said_and_not_repeated(
    source: Source, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(ENV, address)
    connector = source.open({"table": "rows", "find": MINE})
    health = connector.check()
    assert not health.ok
    assert health.hint
    with pytest.raises(SystemRefused):
        read(connector)


def test_a_file_that_is_no_database_is_refused(source: Source) -> None:
    source.path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(SystemRefused, match="not a database"):
        read(source.open({"table": "rows", "find": MINE}))


def test_everything_missing_is_named_at_once_with_what_was_meant(source: Source) -> None:
    source.table("accounts", {"user_id": "INTEGER", "created_at": "DATETIME"})
    source.table("events", {"user_id": "INTEGER"})
    health = source.open(
        {"table": "acounts", "find": MINE},
        {"table": "events", "find": [{"column": "userid", "identifier": "user_id"}], "time": "created"},
    ).check()
    assert not health.ok
    for words in ("“acounts”", "“userid”", "“created”"):
        assert words in health.detail
    assert "'accounts'" in health.hint
    assert "'user_id'" in health.hint


@pytest.mark.parametrize("statement", ["ALTER TABLE rows DROP COLUMN user_id", "DROP TABLE rows"])
def test_what_goes_away_while_open_is_a_permanent_failure(source: Source, connector: Connector, statement: str) -> None:
    assert len(read(connector)) == 1
    run(source.path, statement)
    with pytest.raises(SystemRefused, match="gone") as refused:
        read(connector)
    assert refused.value.hint


def test_a_type_nobody_foresaw_is_named(connector: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    class Shape:
        pass

    monkeypatch.setattr("dsr.connectors.sql.rows.converter", lambda family: lambda value: any_value(Shape()))

    with pytest.raises(SystemRefused, match=r"“id” of “rows” holds a value of type Shape"):
        read(connector)


def test_it_cannot_write(connector: Any) -> None:
    read(connector)
    for allowed in ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"):  # the file itself is opened for reading
        with connector._engine.connect() as connection:
            connection.exec_driver_sql(allowed)
            with pytest.raises(DBAPIError, match="readonly"):
                connection.exec_driver_sql("DELETE FROM rows")


def test_no_failure_repeats_a_value(source: Source, connector: Any) -> None:
    """Errors go to logs and to the admin, and an identifier must not go there with them."""
    address = "ada-who-asks"
    source.table("views", {"x": "TEXT"})
    run(source.path, "CREATE VIEW broken AS SELECT 7 AS user_id, abs(-9223372036854775808) AS x")
    connector = source.open({"table": "broken", "find": [{"column": "x", "identifier": "user_id"}]})
    with pytest.raises(SystemRefused) as refused:
        read(connector, "broken", {"user_id": frozenset({address})})
    seen = refused.value
    assert address not in f"{seen!r} {seen} {seen.hint}"
    assert seen.__cause__ is None
    assert seen.__suppress_context__
    with connector._engine.connect() as connection, pytest.raises(DBAPIError) as raised:  # type: ignore[attr-defined]
        connection.execute(text("SELECT abs(-9223372036854775808), :a"), {"a": address}).all()
    assert address not in str(raised.value)


def test_what_nobody_mapped_is_told_by_how_much_it_matters(source: Source) -> None:
    source.table("rows", {"user_id": "INTEGER", "note": "TEXT", "password": "TEXT"})
    source.table("newsletter", {"id": "INTEGER", "email": "TEXT", "clientIp": "TEXT"})
    source.table("django_migrations", {"name": "TEXT"})
    connector = source.open(
        {"table": "rows", "find": MINE, "columns": {"user_id": "Your number."}}, ignore=["django_*"]
    )
    found = {(each.kind, each.table, each.column) for each in connector.unmapped()}
    assert found == {
        ("table", "newsletter", ""),
        ("personal", "newsletter", "email"),
        ("personal", "newsletter", "clientIp"),
        ("undescribed", "rows", "note"),
    }
