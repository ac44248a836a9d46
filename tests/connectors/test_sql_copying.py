"""COPY gives what the rows themselves would: every type, every sign, every key; blocks are the same rows again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.files.storage import FileSystemStorage
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dsr.bundle import parts
from dsr.bundle.table import Table
from dsr.connectors import Block, Connector, Record, Scope
from dsr.connectors.sql import SqlConnector
from tests.connectors.databases import PostgresSource

pytestmark = [pytest.mark.enable_socket]

ADA = {"user_id": frozenset({"7"})}
MINE = [{"column": "user_id", "identifier": "user_id"}]
ALL = Scope()
KEY = "sk-proj-Abc123Def456Ghi789Jkl012Mno345"

# Signs that mean something to COPY, to JSON, or to what takes lines apart.
SIGNS = st.text(
    st.sampled_from("\\\"NnvbtfrN'%{}[],:/ax0\t\n\r\b\f\v\x01\x1f\x7f\x85\u2028\u2029é🙂\ufeff"), max_size=12
)
TEXTS = st.none() | SIGNS | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | SIGNS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SIGNS, inner, max_size=3),
    max_leaves=6,
)

EVERY_TYPE = {
    "id": "bigint PRIMARY KEY", "user_id": "integer", "small": "smallint", "big": "bigint", "exact": "numeric",
    "price": "numeric(10,2)", "single": "real", "double": "double precision", "yes": "boolean", "plain": "text",
    "short": "varchar(40)", "fixed": "char(5)", "raw": "bytea", "day": "date", "at": "timestamptz",
    "local": "timestamp",
    "clock": "time", "span": "interval", "token_id": "uuid", "ip": "inet", "net": "cidr", "doc": "json",
    "docb": "jsonb",
    "words": "text[]", "sums": "numeric[]", "grid": "integer[][]", "period": "tstzrange", "found": "tsvector",
    "mood": "mood", "coins": "money", "bits": "bit(4)", "mac": "macaddr", "spot": "point",
}  # fmt: skip
FULL = (
    1, 7, -3, 9_223_372_036_854_775_807, "123456789012345678901234567890.123456789", "7.00", 1.5, 1e300, True,
    'a "b" \\ c \\N \t\n', "é", "ab", b"\x00\xff" * 60, "2026-02-28", "2026-03-01 12:00:00.5+02", "2026-03-01 12:00",
    "23:59:59.25", "1 day 02:03:04", "6b1f0c9e-3c39-4a3f-9d3c-0f1d9f6f5b2a", "10.0.0.1", "10.0.0.0/8",
    '{"a":  [1,\n 2.50, 12345678901234567890123],\t"b": "x\\u0041\\n"}', '{"k": "v", "n": 1.10}', ["a", None, 'q"\\'],
    ["1.10", "NaN"], [[1, 2], [3, 4]], "[2026-01-01 00:00+00,2026-02-01 00:00+00)", "ada wrote", "glad",
    "12.50", "1010",
    "08:00:2b:01:02:03", "(1,2)",
)  # fmt: skip
ODD = (
    2, 7, None, None, "NaN", None, float("nan"), float("-inf"), False, "\\N", "", "", b"", "infinity", "infinity",
    "-infinity", None, None, None, "::1", None, "null", '"text"', [], [], [], "empty", "", None, None, None, None, None,
)  # fmt: skip
EARLY = (3, 7, *[None] * 11, "0044-03-15 BC", "0044-03-15 12:00+00 BC", "12026-01-01 00:00", *[None] * 17)


def rows_of(connector: Connector, after: tuple[Any, ...] | None = None) -> list[Record]:
    return list(connector.export(ADA, "rows", ALL, after=after))


def by_rows(
    monkeypatch: pytest.MonkeyPatch, connector: Connector, after: tuple[Any, ...] | None = None
) -> list[Record]:
    """The same through a cursor, as any other database is read."""
    with monkeypatch.context() as patch:
        patch.setattr(SqlConnector, "_copies", lambda self, collection: False)
        return rows_of(connector, after)


def told(record: Record) -> Any:
    """What a record says. Two ways to write the same instant, or the same span, are one."""
    data = {name: _same(name, value) for name, value in record.data.items()}
    return record.owner, json.loads(json.dumps(record.key)), record.at, data


def _same(name: str, value: Any) -> Any:
    if name == "sums" and value:
        return [str(float(each)) for each in value]  # as numbers or as text, none is another number
    if name == "clock" and value is not None:
        return value.rstrip("0")
    if name in ("at", "local", "made") and isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value.replace("T", " ").replace("+00:00", "+00").replace("+00", "")
    return value


@pytest.fixture
def every_type(pg: PostgresSource) -> PostgresSource:
    pg.run("CREATE TYPE mood AS ENUM ('glad', 'sad')")
    pg.table("rows", EVERY_TYPE)
    pg.insert("rows", [FULL, ODD, EARLY, (4, 8, *[None] * 31)])
    return pg


def test_every_type_goes_out_as_it_does_row_by_row(every_type: PostgresSource, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = every_type.open({"name": "rows", "table": "rows", "find": MINE, "time": "at"})
    copied, read = rows_of(connector), by_rows(monkeypatch, connector)
    assert len(copied) == 3
    for one, other in zip(copied, read, strict=True):
        for name in EVERY_TYPE:
            assert _same(name, one.data[name]) == _same(name, other.data[name]), (one.data["id"], name)
        assert told(one)[:3] == told(other)[:3]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["", "\\N", 'a"', "\t", "é", "z"]),
        ("uuid", ["00000000-0000-0000-0000-00000000000a", "ffffffff-0000-0000-0000-000000000000"]),
        ("timestamptz", ["-infinity", "0044-03-15 12:00+00 BC", "2026-01-01 00:00:00.000001+00", "12026-01-01",
                         "infinity"]),
        ("timestamp", ["2026-01-01 00:00:00.1", "2026-01-02 00:00:00"]),
        ("date", ["-infinity", "2026-01-01", "infinity"]),
        ("numeric", ["-1.50", "1.5", "123456789012345678901234567890"]),
        ("double precision", ["-inf", "0.1", "1e300", "nan"]),
        ("bytea", [b"", b"\x00" * 80, b"\xff"]),
        ("boolean", [False, True]),
        ("time", ["00:00:00", "12:30:00.5"]),
    ],
)  # fmt: skip
def test_keys_of_any_type_lead_on_from_every_row(pg: PostgresSource, kind: str, values: list[Any]) -> None:
    pg.table("rows", {"a": f"{kind} PRIMARY KEY", "user_id": "integer"}, [(value, 7) for value in values])
    connector = pg.open({"name": "rows", "table": "rows", "find": MINE})
    found = [record.key for record in rows_of(connector)]
    assert len(found) == len(values)
    for place, key in enumerate(found):
        after = tuple(json.loads(json.dumps(key)))
        assert [record.key for record in rows_of(connector, after)] == found[place + 1 :]


@pytest.fixture(scope="module")
def texts(postgres: Any) -> Iterator[PostgresSource]:
    """One table of texts and documents for all examples of a property."""
    with pytest.MonkeyPatch.context() as patch:
        source = PostgresSource(postgres, patch)
        source.table(
            "rows", {"id": "serial PRIMARY KEY", "user_id": "integer", "said": "text", "doc": "jsonb", "many": "text[]"}
        )
        yield source
        source.drop()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(TEXTS, st.none() | DOCUMENTS, st.none() | st.lists(TEXTS, max_size=3)), min_size=1, max_size=8)
)
@example([("\\", None, None), ("\\\\N", [], ["\\N", None]), ("\\v\v", {"\v": '"'}, []), (None, "\\v", ['"', "\\"])])
def test_no_text_is_lost_or_changed(texts: PostgresSource, said: list[tuple[Any, Any, Any]]) -> None:
    texts.run("TRUNCATE rows RESTART IDENTITY")
    kept = [
        (said_, json.dumps(doc).replace("\\u0000", "") if doc is not None else None, many) for said_, doc, many in said
    ]
    texts.insert("rows", [(n, 7, *row) for n, row in enumerate(kept, 1)])
    connector = texts.open({"name": "rows", "table": "rows", "find": MINE})
    with pytest.MonkeyPatch.context() as patch:
        copied, read = rows_of(connector), by_rows(patch, connector)
    assert [record.data["said"] for record in copied] == [row[0] for row in kept]
    assert [record.data["many"] for record in copied] == [row[2] for row in kept]
    assert list(map(told, copied)) == list(map(told, read))
    texts.close()


def test_blocks_are_the_same_rows_and_know_what_is_in_them(every_type: PostgresSource) -> None:
    connector = every_type.open({"name": "rows", "table": "rows", "find": MINE, "time": "at", "model": "short"})
    blocks = list(connector.blocks(ADA, "rows", ALL, most=2) or ())
    assert [block.rows for block in blocks] == [2, 1]
    lines = b"".join(block.lines for block in blocks).splitlines()
    assert [orjson.loads(line) for line in lines[1::2]] == [record.data for record in rows_of(connector)]
    assert [owner for block in blocks for owner in block.owners] == ["7"] * 3
    assert [block.last for block in blocks] == [(2,), (3,)]
    assert dict(blocks[0].days) == {"2026-03-01": 1}
    assert dict(blocks[0].models) == {"é": 1, "": 1}
    assert blocks[0].unlike["at"] == blocks[0].unlike["local"] == frozenset({"string"})
    assert blocks[0].unlike["docb"] == frozenset({"object", "string"})
    rest = connector.blocks(ADA, "rows", ALL, after=(2,))
    assert [block.rows for block in rest or ()] == [1]


def test_blocks_and_records_make_the_same_part(
    every_type: PostgresSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = every_type.open({"name": "rows", "table": "rows", "find": MINE, "time": "at", "model": "short"})
    storage = FileSystemStorage(location=tmp_path)

    def part(items: Any) -> tuple[list[Any], dict[str, Any]]:
        parts.write_part(items, storage, "part", b"x", columns=connector.columns("rows"), model="short")
        reader = parts.PartReader(storage, "part", b"x")
        return [orjson.loads(line) for lines in reader.lines() for line in lines], reader.tally

    rows, tally = part(connector.blocks(ADA, "rows", ALL))
    again, other = part(rows_of(connector))
    assert rows[1::2] == again[1::2]
    for fact in ("rows", "months", "days", "models", "uneven"):
        assert tally[fact] == other[fact], fact


def masked(connector: Connector, storage: FileSystemStorage) -> tuple[list[dict[str, Any]], parts.PartInfo]:
    blocks: Iterator[Block] | None = connector.blocks(ADA, "rows", ALL)
    assert blocks is not None
    info = parts.write_part(blocks, storage, "part", b"x", columns=connector.columns("rows"))
    return list(parts.read_part(storage, "part", b"x")), info


def test_secrets_in_blocks_are_masked_wherever_they_stand(pg: PostgresSource, tmp_path: Path) -> None:
    pg.table("rows", {"key": "text PRIMARY KEY", "user_id": "integer", "said": "text", "doc": "jsonb", "many": "text[]",
                      "auth_note": "text"})  # fmt: skip
    plain = [(f"row {n}", 7, "nothing here", '{"a": 1}', ["b"], "none") for n in range(200)]
    held = [
        (f"a {KEY}", 7, "in a key", None, None, None),
        ("said", 7, f'my key is "{KEY}", a token', None, None, None),
        ("doc", 7, None, json.dumps({"nested": [{"password": "correct horse"}]}), None, None),
        ("many", 7, None, None, ["x", f"Bearer {KEY}"], None),
    ]
    pg.insert("rows", plain + held)
    connector = pg.open({"name": "rows", "table": "rows", "find": MINE})
    rows, info = masked(connector, FileSystemStorage(location=tmp_path))
    written = orjson.dumps(rows)
    assert KEY.encode() not in written
    assert b"correct horse" not in written
    assert sum(info.masked.values()) == sum(sum(row.get("m", {}).values()) for row in rows) == 5  # the key stands twice
    assert [row["d"] for row in rows if str(row["d"]["key"]).startswith("row ")] == [
        {"key": key, "user_id": 7, "said": said, "doc": {"a": 1}, "many": ["b"], "auth_note": "none"}
        for key, _user, said, _doc, _many, _none in sorted(plain)
    ]


def test_a_column_named_like_a_secret_is_masked_by_its_name(pg: PostgresSource, tmp_path: Path) -> None:
    pg.table(
        "rows",
        {"id": "integer PRIMARY KEY", "user_id": "integer", "password": "text"},
        [(1, 7, "hunter"), (2, 7, None)],
    )
    connector = pg.open({"name": "rows", "table": "rows", "find": MINE, "columns": {"password": "What they typed."}})
    rows, _info = masked(connector, FileSystemStorage(location=tmp_path))
    assert [row["d"]["password"] for row in rows] == ["[masked: password]", None]


def test_a_name_tells_of_a_secret_whatever_type_its_column_has(
    pg: PostgresSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A UUID is as good a token as any."""
    token = "6b1f0c9e-3c39-4a3f-9d3c-0f1d9f6f5b2a"
    columns = {
        "id": "integer PRIMARY KEY", "user_id": "integer", "feed_token": "uuid", "security_answer": "date",
        "password": "numeric", "client_secret": "time", "secret_answer": "timestamptz",
    }  # fmt: skip
    pg.table("rows", columns, [(1, 7, token, "1990-05-17", 4711, "12:00", "1990-05-17 00:00")])
    described = dict.fromkeys(columns, "What it is.")
    connector = pg.open({"name": "rows", "table": "rows", "find": MINE, "columns": described})
    rows, _info = masked(connector, FileSystemStorage(location=tmp_path))
    parts.write_part(by_rows(monkeypatch, connector), FileSystemStorage(location=tmp_path), "row", b"x")
    (row,) = parts.read_part(FileSystemStorage(location=tmp_path), "row", b"x")
    assert rows[0]["d"] == row["d"]
    assert [name for name in columns if not str(rows[0]["d"][name]).startswith("[masked")] == ["id", "user_id"]


def test_a_statement_longer_than_a_connection_takes_at_once_is_sent_whole(
    pg: PostgresSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsr.connectors.sql.copying.PATIENCE_SECONDS", 20)
    pg.table("rows", {"id": "integer PRIMARY KEY", "user_id": "text"}, [(1, "7"), (2, "8")])
    connector = pg.open({"name": "rows", "table": "rows", "find": MINE})
    many = {"user_id": frozenset({"7"} | {f"{n}" * 1000 for n in range(1000, 3000)})}
    assert sum(block.rows for block in connector.blocks(many, "rows", ALL) or ()) == 1


def test_types_are_told_as_they_are(pg: PostgresSource, tmp_path: Path) -> None:
    """The person's own archive must pass a stranger's validator: mixed columns are not called by one of their types."""
    columns = {
        "id": "integer PRIMARY KEY", "user_id": "integer", "doc": "jsonb", "cost": "double precision",
        "plain": "jsonb", "at": "timestamptz",
    }  # fmt: skip
    one = (1, 7, '{"a": 1}', 1.5, '{"a": 1}', "infinity")
    pg.table("rows", columns, [one, (2, 7, "[1]", float("nan"), None, "2026-01-01")])
    connector = pg.open({"name": "rows", "table": "rows", "find": MINE})
    storage = FileSystemStorage(location=tmp_path)

    def types(items: Any) -> dict[str, str]:
        parts.write_part(items, storage, "part", b"x", columns=connector.columns("rows"))
        reader = parts.PartReader(storage, "part", b"x")
        list(reader.lines())
        table = Table(connector.columns("rows"))
        table.merge(reader.tally["kinds"], is_uneven=False)
        return {field["name"]: field["type"] for field in table.fields(is_csv=False)}

    copied = types(connector.blocks(ADA, "rows", ALL))
    assert copied == types(rows_of(connector))
    assert copied == {
        "id": "integer",
        "user_id": "integer",
        "doc": "any",
        "cost": "any",
        "plain": "object",
        "at": "string",
    }


def test_others_can_work_while_the_database_thinks(pg: PostgresSource) -> None:
    """The lease of the job is renewed by a thread: it must get its turn while a large sort keeps us waiting."""
    pg.run("CREATE VIEW rows AS SELECT 1 AS id, 7 AS user_id, pg_sleep(1)::text AS waited")
    connector = pg.open({"name": "rows", "table": "rows", "find": MINE, "key": ["id"]})
    turns, is_over = [0], threading.Event()

    def work() -> None:
        while not is_over.wait(0.01):
            turns[0] += 1

    thread = threading.Thread(target=work)
    blocks = connector.blocks(ADA, "rows", ALL)
    assert blocks is not None
    thread.start()
    assert sum(block.rows for block in blocks) == 1
    is_over.set()
    thread.join()
    assert turns[0] > 5


def test_a_row_that_is_cut_off_by_the_server_is_not_taken_for_the_last(pg: PostgresSource) -> None:
    """An error behind some rows must not look like their end."""
    pg.run("CREATE TABLE source AS SELECT g AS id, 7 AS user_id, g AS n FROM generate_series(1, 5000) g")
    pg.run("CREATE VIEW rows AS SELECT id, user_id, 1 / (5000 - n) AS said FROM source")
    connector = pg.open({"name": "rows", "table": "rows", "find": MINE})
    with pytest.raises(Exception, match="refused to read"):
        list(connector.blocks(ADA, "rows", ALL) or ())
    assert connector.count(ADA, "rows", ALL) == 5000
