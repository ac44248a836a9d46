"""The conformance suite over SQLite, PostgreSQL and MariaDB: names and keys of all kinds, views, partitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from dsr.connectors import Connector
from tests.connectors.conformance import Conformance, World
from tests.connectors.databases import DIALECTS, Source, make_source

pytestmark = [pytest.mark.enable_socket]

LONG = "This is Ada's own text, and there is much of it. " * 20
MANY = 2_000

PLAIN: dict[str, str] = {}
# As object mappers make them: each must be quoted, and some mean another table once it is not.
MIXED = {
    "people": "App_UserTable",
    "requests": "SpendLogs",
    "chats": "Chats",
    "user_id": "userId",
    "chat_id": "chatId",
    "at": "startTime",
    "id": "ID",
    "text": "user",
}
# What a table or column may be called by someone who wants to see what happens.
HOSTILE = {
    "people": 'people"; DROP TABLE "requests"; --',
    "requests": "select",
    "chats": "chats where 1=1 %s :x ?",
    "messages": "Messages [x] `y` 'z'",
    "notes": "ñotes ☂ {0}",
    "visits": "visits`; DROP TABLE `select`; -- %(x)s",
    "letters": "../../letters\\",
    "email": "e'mail",
    "user_id": 'user"id',
    "id": "order",
    "chat_id": "chat.id",
    "text": "%(text)s",
    "at": ":at",
}
NAMES = {"plain": PLAIN, "mixed case": MIXED, "hostile": HOSTILE}

# What each database calls the types that the suite fills in.
KINDS: dict[str, dict[str, str]] = {
    "sqlite": {
        "text": "TEXT",
        "any": "",
        "name": "VARCHAR",
        "key": "TEXT NOT NULL",
        "loose key": "TEXT NOT NULL COLLATE NOCASE",
        "time": "TIMESTAMP",
        "odd": "\0\x1b[2J\u202e",
        "parts": "",
    },
    "postgresql": {
        "text": "TEXT",
        "any": "TEXT",
        "name": "VARCHAR",
        "key": "TEXT NOT NULL",
        "loose key": "VARCHAR(20) NOT NULL",
        "time": "TIMESTAMPTZ",
        "odd": "\x01\x1b[2J\u202e",
        "parts": "PARTITION BY RANGE (day)",
    },
    "mariadb": {
        "text": "TEXT",
        "any": "TEXT",
        "name": "VARCHAR(200)",
        "key": "VARCHAR(20) COLLATE utf8mb4_bin NOT NULL",
        "loose key": "VARCHAR(20) COLLATE utf8mb4_bin NOT NULL",
        "time": "DATETIME(6)",
        "odd": "\0\x1b[2J\u202e",
        "parts": "PARTITION BY RANGE (TO_DAYS(day)) (PARTITION a VALUES LESS THAN (TO_DAYS('2026-02-01')),"
        " PARTITION b VALUES LESS THAN MAXVALUE)",
    },
}

Namer = Callable[[str], str]


def namer(names: str) -> Namer:
    return lambda name: NAMES[names].get(name, name)


@pytest.fixture(scope="session")
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], tuple[Source, Connector]]]:
    """Fills each database once with each kind of names, and opens it once."""
    made: dict[tuple[str, str], tuple[Source, Connector]] = {}

    def fill_once(dialect: str, names: str) -> tuple[Source, Connector]:
        if (dialect, names) not in made:
            source = make_source(dialect, tmp_path_factory.mktemp("source"), request)
            fill(source, namer(names))
            made[dialect, names] = (source, source.open(*collections(namer(names))))
        return made[dialect, names]

    yield fill_once
    for source, _connector in made.values():
        source.close()


@pytest.fixture(params=[(dialect, names) for dialect in DIALECTS for names in NAMES], ids=" ".join)
def world(
    request: pytest.FixtureRequest,
    filled: Callable[[str, str], tuple[Source, Connector]],
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    source, connector = filled(*request.param)
    source.enter(monkeypatch)
    return World(
        connector=connector,
        identifiers={"email": frozenset({"ada@example.com"})},
        known={"email": frozenset({"ada@example.com"}), "user_id": frozenset({"7"})},
        mine={"people": 1, "requests": MANY, "chats": 2, "messages": 4, "notes": 3, "visits": 3, "letters": 4},
        others=("eve", "Eve", "secret of another", '"07"', '"70"'),
        secrets=("pbkdf2$ada", "sk-ada"),
        large="requests",
        large_bytes=MANY * len(LONG),
        split={"messages": date(2026, 3, 1)},
    )


class TestSql(Conformance):
    @pytest.fixture
    def world(self, world: World) -> World:
        return world

    def test_nothing_is_left_unmapped(self, world: World) -> None:
        """Nor are the parts of a table of parts told as tables that nobody thought of."""
        assert [found.table for found in world.connector.unmapped() if found.kind == "table"] == []

    def test_rows_are_counted_where_that_is_cheap(self, world: World) -> None:
        sizes = {collection: world.connector.rows(collection) for collection in ("people", "requests", "visits")}
        assert {name: size and (size.rows, size.is_estimate) for name, size in sizes.items()} == {
            "people": (9, False), "requests": (2 * MANY, False), "visits": (5, False),
        }  # fmt: skip


def fill(source: Source, n: Namer) -> None:
    kinds = KINDS[source.dialect]
    fill_people(source, n, kinds)
    source.table(
        n("requests"),
        {n("id"): "INTEGER PRIMARY KEY", n("user_id"): "INTEGER", n("text"): kinds["text"], "api_key": kinds["text"]},
        [(i, 7 if i % 2 else 70, LONG if i % 2 else "secret of another", "sk-ada") for i in range(1, 2 * MANY + 1)],
    )
    source.table(
        n("chats"),
        {n("id"): f"{kinds['loose key']} PRIMARY KEY", n("user_id"): kinds["text"]},
        [("Ç", "7"), ("a", "07"), ("B", "7"), ("c", "70"), ("d", None), ("e", " 7"), ("f", "7 "), ("g", "7abc")],
    )
    rows: list[tuple[Any, ...]] = [
        ("B", 1, "=cmd()", "2026-02-01 12:00:00"),
        ("B", 10, "<script>", "2026-03-01 23:59:59.5"),
        ("B", 2, kinds["odd"], "2026-03-02 00:00:00"),
        ("Ç", 1, "", None),
        ("b", 1, "secret of another", "2026-02-01 12:00:00"),
        ("c", 1, "secret of another", "2026-02-01 12:00:00"),
    ]
    source.table(
        n("messages"),
        {n("chat_id"): kinds["key"], "position": "INTEGER NOT NULL", n("text"): kinds["text"], n("at"): kinds["time"]},
        rows,
        more=f"PRIMARY KEY ({source.q(n('chat_id'))}, position)",
    )
    source.table(
        n("notes"),
        {n("user_id"): kinds["any"], n("text"): kinds["text"]},
        [(7, "one"), ("7", "two"), (7, "one"), ("07", "secret of another"), (70, "secret of another")],
    )
    fill_parts_and_view(source, n, kinds)


def fill_people(source: Source, n: Namer, kinds: dict[str, str]) -> None:
    people = [
        (7, "Ada@Example.com", "Ada", "pbkdf2$ada", "2024-01-01 10:00:00"),
        (70, "ada@example.com.eve.example", "Eve", "pbkdf2$eve", "2024-01-01 10:00:00"),
        (8, "adaa@example.com", "Eve", "pbkdf2$eve", None),
        (9, "", "Eve", "", None),
        (10, None, "Eve", None, None),
        (11, "n/a", "Eve", None, None),
        (12, "ada_example.com", "Eve", None, None),
        (13, "Ádà@example.com", "Eve", None, None),
        (14, "ada@example.com ", "Eve", None, None),
    ]
    columns = {n("id"): "INTEGER PRIMARY KEY", n("email"): kinds["name"], "name": kinds["text"]}
    source.table(n("people"), columns | {"password": kinds["text"], n("at"): kinds["time"]}, people)


def fill_parts_and_view(source: Source, n: Namer, kinds: dict[str, str]) -> None:
    """A table made of parts, with a composite key, and a view over two tables."""
    source.table(
        n("visits"),
        {"day": "DATE NOT NULL", n("id"): "INTEGER NOT NULL", n("user_id"): "INTEGER"},
        more=f"PRIMARY KEY (day, {source.q(n('id'))})",
        after=kinds["parts"],
    )
    if source.dialect == "postgresql":
        for part, bounds in {
            "Visits_a": "MINVALUE) TO ('2026-02-01'",
            "visits_b": "'2026-02-01') TO (MAXVALUE",
        }.items():
            source.run(f"CREATE TABLE {source.q(part)} PARTITION OF {source.q(n('visits'))} FOR VALUES FROM ({bounds})")
    days = ("2026-01-01", "2026-01-31", "2026-02-01")
    source.insert(n("visits"), [*((day, 1, 7) for day in days), *((day, 2, 70) for day in days[1:])])
    q = source.q
    source.run(
        f"CREATE VIEW {q(n('letters'))} AS SELECT m.*, c.{q(n('user_id'))} FROM {q(n('messages'))} m"
        f" JOIN {q(n('chats'))} c ON c.{q(n('id'))} = m.{q(n('chat_id'))}"
        + (" COLLATE BINARY" if source.dialect == "sqlite" else "")
    )


def collections(n: Namer) -> list[dict[str, object]]:
    mine = [{"column": n("user_id"), "identifier": "user_id"}]
    return [
        {
            "name": "people",
            "table": n("people"),
            "find": [{"column": n("email"), "identifier": "email"}, {"column": n("id"), "identifier": "user_id"}],
            "teaches": [{"column": n("id"), "identifier": "user_id"}],
            "time": n("at"),
        },
        {"name": "requests", "table": n("requests"), "find": mine},
        {"name": "chats", "table": n("chats"), "find": mine},
        {
            "name": "messages",
            "table": n("messages"),
            "find": [{"column": n("chat_id"), "collection": "chats", "key": n("id")}],
            "time": n("at"),
        },
        {"name": "notes", "table": n("notes"), "find": mine},
        {"name": "visits", "table": n("visits"), "find": mine},
        {"name": "letters", "table": n("letters"), "find": mine, "key": [n("chat_id"), "position"]},
    ]
