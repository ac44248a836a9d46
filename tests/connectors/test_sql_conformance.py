"""The conformance suite over SQLite: plain names, names chosen to break SQL, text keys, composite keys, no key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from tests.connectors.conformance import Conformance, World
from tests.connectors.databases import Source

LONG = "This is Ada's own text, and there is much of it. " * 20
MANY = 5_000

PLAIN: dict[str, str] = {}
# What a table or column may be called by someone who wants to see what happens.
HOSTILE = {
    "people": 'people"; DROP TABLE "requests"; --',
    "requests": "select",
    "chats": "chats where 1=1 %s :x ?",
    "messages": "Messages [x] `y` 'z'",
    "notes": "ñotes 🙂 {0}",
    "email": "e'mail",
    "user_id": 'user"id',
    "id": "order",
    "chat_id": "chat.id",
    "text": "%(text)s",
    "at": ":at",
}


@pytest.mark.parametrize("world", [PLAIN, HOSTILE], ids=["plain names", "hostile names"], indirect=True)
class TestSqlite(Conformance):
    @pytest.fixture
    def world(self, source: Source, request: pytest.FixtureRequest) -> World:
        names: dict[str, str] = request.param

        def n(name: str) -> str:
            return names.get(name, name)

        fill(source, n)
        return World(
            connector=source.open(*collections(n)),
            identifiers={"email": frozenset({"ada@example.com"})},
            known={"email": frozenset({"ada@example.com"}), "user_id": frozenset({"7"})},
            mine={"people": 1, "requests": MANY, "chats": 2, "messages": 4, "notes": 3},
            others=("eve", "Eve", "secret of another", '"07"', '"70"'),
            secrets=("pbkdf2$ada", "sk-ada"),
            large="requests",
            large_bytes=MANY * len(LONG),
            split={"messages": date(2026, 3, 1)},
        )


def fill(source: Source, n: Callable[[str], str]) -> None:
    people = [
        (7, "Ada@Example.com", "Ada", "pbkdf2$ada", "2024-01-01 10:00:00"),
        (70, "ada@example.com.eve.example", "Eve", "pbkdf2$eve", "2024-01-01 10:00:00"),
        (8, "adaa@example.com", "Eve", "pbkdf2$eve", None),
        (9, "", "Eve", "", None),
        (10, None, "Eve", None, None),
        (11, "n/a", "Eve", None, None),
        (12, "ada_example.com", "Eve", None, None),
    ]
    source.table(
        n("people"),
        {
            n("id"): "INTEGER PRIMARY KEY",
            n("email"): "VARCHAR",
            "name": "TEXT",
            "password": "TEXT",
            n("at"): "DATETIME",
        },
        people,
    )
    source.table(
        n("requests"),
        {n("id"): "INTEGER PRIMARY KEY", n("user_id"): "INTEGER", n("text"): "TEXT", "api_key": "TEXT"},
        [(i, 7 if i % 2 else 70, LONG if i % 2 else "secret of another", "sk-ada") for i in range(1, 2 * MANY + 1)],
    )
    source.table(
        n("chats"),
        {n("id"): "TEXT NOT NULL PRIMARY KEY COLLATE NOCASE", n("user_id"): "TEXT"},
        [("Ç", "7"), ("a", "07"), ("B", "7"), ("c", "70"), ("d", None), ("e", " 7")],
    )
    source.table(
        n("messages"),
        {n("chat_id"): "TEXT NOT NULL", "position": "INTEGER NOT NULL", n("text"): "TEXT", n("at"): "TIMESTAMP"},
        [
            ("B", 1, "=cmd()", "2026-02-01 12:00:00"),
            ("B", 10, "<script>", "2026-03-01T23:59:59.5Z"),
            ("B", 2, "\0\x1b[2J\u202e", "2026-03-02T01:00:00+03:00"),
            ("Ç", 1, "", None),
            ("b", 1, "secret of another", "2026-02-01 12:00:00"),
            ("c", 1, "secret of another", "2026-02-01 12:00:00"),
        ],
        more=f'PRIMARY KEY ("{n("chat_id")}", "position")',
    )
    source.table(
        n("notes"),
        {n("user_id"): "", n("text"): "TEXT"},
        [(7, "one"), ("7", "two"), (7, "one"), ("07", "secret of another"), (70, "secret of another")],
    )


def collections(n: Callable[[str], str]) -> list[dict[str, object]]:
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
    ]
