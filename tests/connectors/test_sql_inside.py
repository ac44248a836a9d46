"""Ids inside arrays and JSON, rows that name several people, and rows that two people's names stand on."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from dsr import connectors
from dsr.connectors import Connector, Record, Scope, SystemRefused
from tests import servers
from tests.connectors.databases import ENV, system_of

ADA = {"user": frozenset({"ada", "7"}), "email": frozenset({"Ada@Example.com"})}
EVERYTHING = Scope()

MEMBERS: list[tuple[int, Any, Any, Any]] = [
    # id, members, with roles, who made it
    (1, ["eve", "ada"], [{"user_id": "ada", "role": "admin"}, {"user_id": "eve", "role": "user"}], "eve"),
    (2, ["eve"], [{"user_id": "eve", "role": "user"}], "ada"),
    (3, ["Ada", "ada ", " ada", "äda", "adam"], [{"user_id": "ADA"}, {"user_id": "ada "}, {"user": "ada"}], "Ada"),
    (4, None, None, None),
    (5, [], [], ""),
    (6, ["a%", "a_a", "%", "ad\\a", '"ada"', "'ada'"], [{"user_id": {"user_id": "ada"}}, {"user_id": ["ada"]}], "%"),
    (7, ["07", "7.0", "x7"], [{"user_id": 70}, {"user_id": True}, {"user_id": 7.5}], "07"),
    (8, ["7"], [{"user_id": 7, "email": "x"}], "7"),
    (9, ["eve"], [{"user_email": "ADA@example.com", "role": "user"}, {"user_email": "eve@example.com"}], "eve"),
]
FIND = [
    {"column": "members", "identifier": "user", "path": "$[*]"},
    {"column": "roles", "identifier": "user", "path": "$[*].user_id"},
    {"column": "roles", "identifier": "email", "path": "$[*].user_email"},
]
TEAMS = {"table": "Teams", "find": FIND, "others": [{"column": "made_by", "identifier": "user"}]}


@pytest.fixture(params=["postgresql", "postgresql-json", "mariadb", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An engine that may write, over each kind of database; the systems' variable names it."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / 'inside.sqlite3'}"
        elif request.param == "mariadb":
            url = stack.enter_context(request.getfixturevalue("mariadb").database("inside"))
        else:
            url = stack.enter_context(request.getfixturevalue("postgres").database("inside"))
        monkeypatch.setenv(ENV, url)
        engine = create_engine(url)
        stack.callback(engine.dispose)
        engine.dsr_kind = request.param
        yield engine


def fill(engine: Any, rows: list[tuple[int, Any, Any, Any]] = MEMBERS) -> None:
    array, its_json = {
        "postgresql": ("text[]", "jsonb"), "postgresql-json": ("jsonb", "json"),
        "mariadb": ("json", "longtext"), "sqlite": ("text", "text"),
    }[engine.dsr_kind]  # fmt: skip
    quote = "`" if engine.dsr_kind == "mariadb" else '"'
    with engine.begin() as connection:
        table = f"{quote}Teams{quote}"
        connection.execute(
            text(f"CREATE TABLE {table} (id int PRIMARY KEY, members {array}, roles {its_json}, made_by varchar(40))")
        )
        for number, members, roles, made_by in rows:
            said: Any = members if engine.dsr_kind == "postgresql" else None if members is None else json.dumps(members)
            inside = None if roles is None else roles if isinstance(roles, str) else json.dumps(roles)
            connection.execute(
                text(f"INSERT INTO {table} VALUES (:id, :members, :roles, :made_by)"),
                {"id": number, "members": said, "roles": inside, "made_by": made_by},
            )


@pytest.fixture
def opened() -> Iterator[list[Connector]]:
    found: list[Connector] = []
    yield found
    for each in found:
        each.close()


def export(opened: list[Connector], collection: dict[str, Any], **more: Any) -> list[Record]:
    """The person's rows; each must name its person, and there are as many as are counted."""
    connector = connectors.open(system_of(collection, **more))
    opened.append(connector)
    name = connector.system.collections[0].name
    rows = list(connector.export(ADA, name, EVERYTHING))
    assert connector.count(ADA, name, EVERYTHING) == len(rows)
    assert {row.owner for row in rows} <= connector.owners(ADA, name)
    return rows


def test_ids_inside_arrays_and_json_find_exactly_their_rows(database: Any, opened: list[Connector]) -> None:
    fill(database)
    assert [row.data["id"] for row in export(opened, TEAMS | {"name": "teams"})] == [1, 8, 9]


@pytest.mark.parametrize(("number", "found"), [(0, [1, 8]), (1, [1, 8]), (2, [9])])
def test_each_way_alone_finds_its_rows(database: Any, opened: list[Connector], number: int, found: list[int]) -> None:
    fill(database)
    rows = export(opened, {"table": "Teams", "name": "teams", "find": [FIND[number]]})
    assert [row.data["id"] for row in rows] == found
    assert {row.owner for row in rows} == [{"ada", "7"}, {"ada", "7"}, {"ada@example.com"}][number]


def test_the_other_people_of_a_shared_row_are_left_out(database: Any, opened: list[Connector]) -> None:
    fill(database)
    rows = {row.data["id"]: row.data for row in export(opened, TEAMS | {"name": "teams"})}
    assert rows[1]["members"] == ["ada"]
    assert rows[1]["roles"] == [{"user_id": "ada", "role": "admin"}]
    assert rows[1]["made_by"] == "[another person]"
    assert rows[8]["members"] == ["7"]
    assert rows[8]["roles"] == [{"user_id": 7, "email": "x"}]
    assert rows[8]["made_by"] == "7"
    assert rows[9]["members"] == []
    assert rows[9]["roles"] == [{"user_email": "ADA@example.com", "role": "user"}]
    assert "eve" not in json.dumps(list(rows.values()))


def test_the_person_reads_that_others_are_left_out(database: Any, opened: list[Connector]) -> None:
    fill(database)
    export(opened, TEAMS | {"name": "teams", "columns": {"members": "Who is in it."}})
    said = {column.name: column.description for column in opened[0].columns("teams")}
    assert said["members"] == "Who is in it. Other people are left out."
    assert said["roles"] == said["made_by"] == "Other people are left out."
    assert said["id"] == ""


def test_a_place_that_is_not_as_expected_is_masked_whole(database: Any, opened: list[Connector]) -> None:
    odd = [
        (1, ["ada"], {"user_id": "eve"}, "ada"),
        (2, ["ada"], "eve" if database.dsr_kind in ("mariadb", "sqlite") else '"eve"', "ada"),
        (3, ["ada"], [["eve"], "eve", {"user_id": ["eve"]}, {"user_id": "ada", "user_email": ["eve"]}], None),
    ]
    fill(database, odd)
    rows = [row.data["roles"] for row in export(opened, TEAMS | {"name": "teams"})]
    assert rows[:2] == ["[another person]"] * 2
    assert rows[2] == [{"user_id": "ada", "user_email": "[another person]"}]


def test_a_field_without_an_array_around_it(database: Any, opened: list[Connector]) -> None:
    fill(database, [
        (1, [], {"by": {"id": "ada", "at": "noon"}}, None), (2, [], {"by": {"id": "eve"}}, None),
        (3, [], {"by": ["ada"]}, None), (4, [], {"by": {"id": ["ada"]}}, None), (5, [], [{"by": {"id": "ada"}}], None),
    ])  # fmt: skip
    rows = export(opened, {"table": "Teams", "name": "t", "find": [
        {"column": "roles", "identifier": "user", "path": "$.by.id"}]})  # fmt: skip
    assert [row.data["roles"] for row in rows] == [{"by": {"id": "ada", "at": "noon"}}]


HOSTILE = ["' OR 1=1 --", '"', '\\"', "$[*]", "%", "_", "]", '"]', "{}", "\\u0061da", "?", ":a", "%s"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_id_finds_only_itself(database: Any, opened: list[Connector], value: str) -> None:
    fill(database, [*MEMBERS[:3], (20, [value], [{"user_id": value}], None)])
    connector = connectors.open(system_of(TEAMS | {"name": "teams"}))
    opened.append(connector)
    rows = list(connector.export({"user": frozenset({value})}, "teams", EVERYTHING))
    assert [(row.data["id"], row.owner) for row in rows] == [(20, value)]
    assert rows[0].data["members"] == [value]


@pytest.mark.parametrize("value", ["true", "null", "7.5", "7.0", '["x"]', '{"a": 1}', "[]"])
def test_only_text_and_whole_numbers_are_names(database: Any, opened: list[Connector], value: str) -> None:
    inside = [json.loads(value)]
    fill(database, [(1, [] if database.dsr_kind == "postgresql" else inside, [{"user_id": inside[0]}], None)])
    connector = connectors.open(system_of(TEAMS | {"name": "teams"}))
    opened.append(connector)
    assert list(connector.export({"user": frozenset({value})}, "teams", EVERYTHING)) == []


def test_text_that_is_no_json_names_nobody(tmp_path: Any, monkeypatch: Any, mariadb: Any, opened: Any) -> None:
    with mariadb.database("broken") as url:
        for address in (url, f"sqlite:///{tmp_path / 'b.sqlite3'}"):
            monkeypatch.setenv(ENV, address)
            engine = create_engine(address)
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE t (id int PRIMARY KEY, members text)"))
                for number, said in enumerate(["[ada", "ada", '["ada"]', "", "[]x", '{"ada": 1}']):
                    connection.execute(text("INSERT INTO t VALUES (:n, :said)"), {"n": number, "said": said})
            engine.dispose()
            rows = export(opened, {"table": "t", "find": [FIND[0]]})
            assert [row.data["id"] for row in rows] == [2]


def test_postgresql_refuses_a_path_into_plain_text(postgres: servers.Postgres, monkeypatch: Any, opened: Any) -> None:
    with postgres.database("plain") as url:
        monkeypatch.setenv(ENV, url)
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, members text)", "plain")
        connector = connectors.open(system_of({"table": "t", "find": [FIND[0]]}))
        opened.append(connector)
        health = connector.check()
        assert not health.ok
        assert "neither an array nor JSON" in health.detail
        with pytest.raises(SystemRefused):
            list(connector.export(ADA, "t", EVERYTHING))


def test_the_owner_is_read_apart_from_the_condition(
    database: Any, opened: list[Connector], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the condition to let another's row through, its owner would say so."""
    fill(database)
    monkeypatch.setattr("dsr.connectors.sql.inside.holds", lambda tables, place, at, wanted: at.element.is_not(None))
    connector = connectors.open(system_of({"table": "Teams", "name": "teams", "find": [FIND[0]]}))
    opened.append(connector)
    owners = {row.data["id"]: row.owner for row in connector.export(ADA, "teams", EVERYTHING)}
    assert owners[1] == "ada"
    assert {owners[2], owners[3], owners[5], owners[7]}.isdisjoint(connector.owners(ADA, "teams"))


LOGS = [
    # id, api_key, user, end_user
    (1, "k-ada", "ada", ""), (2, "k-ada", "", "someone"), (3, "k-ada", None, None), (4, "k-ada", "eve", ""),
    (5, "k-eve", "ada", ""), (6, "k-none", "ada", ""), (7, "", "ada", "eve"), (8, "k-eve", "eve", "ada"),
    (9, "k-ada", "Default_user_id ", ""), (10, "k-ada", "N/A", "eve"), (11, "K-ADA", "ada", ""), (12, "k-eve", "", ""),
]  # fmt: skip
KEYS = [("k-ada", "ada"), ("k-eve", "eve"), ("k-none", None), ("k-shared", ""), ("K-ADA", "default_user_id")]


@pytest.fixture
def logs(database: Any) -> Any:
    with database.begin() as connection:
        quote = "`" if database.dsr_kind == "mariadb" else '"'
        connection.execute(text("CREATE TABLE tokens (token varchar(40) PRIMARY KEY, owner_id varchar(40))"))
        declared = f"id int PRIMARY KEY, api_key varchar(40), {quote}user{quote} varchar(40), end_user varchar(40)"
        if database.dsr_kind == "mariadb":
            connection.execute(text("ALTER TABLE tokens MODIFY token varchar(40) COLLATE utf8mb4_bin"))
        connection.execute(text(f"CREATE TABLE logs ({declared})"))
        for token, owner in KEYS:
            connection.execute(text("INSERT INTO tokens VALUES (:a, :b)"), {"a": token, "b": owner})
        for row in LOGS:
            connection.execute(text("INSERT INTO logs VALUES (:a, :b, :c, :d)"), dict(zip("abcd", row, strict=True)))
    return database


TOKENS = {"table": "tokens", "find": [{"column": "owner_id", "identifier": "user"}],
          "teaches": [{"column": "token", "identifier": "key"}], "secret": ["token"]}  # fmt: skip
BY_KEY = {"column": "api_key", "identifier": "key", "unless": [{"column": "user", "identifier": "user"}]}
BY_USER = {"column": "user", "identifier": "user",
           "unless": [{"column": "api_key", "collection": "tokens", "key": "token"}]}  # fmt: skip


def of_logs(opened: list[Connector], *find: dict[str, Any], **more: Any) -> Connector:
    rows = {"table": "logs", "find": list(find), "others": [{"column": "end_user", "identifier": "user"}]}
    connector = connectors.open(system_of(rows | more, TOKENS, nobody=["default_user_id"]))
    opened.append(connector)
    return connector


def test_a_row_on_which_two_names_stand_is_nobodys(logs: Any, opened: list[Connector]) -> None:
    connector = of_logs(opened, BY_KEY, BY_USER)
    known = connectors.find_out([connector], {"user": frozenset({"ada"})}).identifiers
    assert known["key"] == {"k-ada"}
    rows = list(connector.export(known, "logs", EVERYTHING))
    assert [row.data["id"] for row in rows] == [1, 2, 3, 6, 7, 9, 10, 11]
    assert {row.owner for row in rows} <= connector.owners(known, "logs")
    masked = "[another person]"
    assert [row.data["end_user"] for row in rows] == ["", masked, None, "", masked, "", masked, ""]
    theirs = connectors.find_out([connector], {"user": frozenset({"eve"})}).identifiers
    assert [row.data["id"] for row in connector.export(theirs, "logs", EVERYTHING)] == [8, 12]


def test_a_contradiction_shows_in_the_owner_too(
    logs: Any, opened: list[Connector], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the condition to forget `unless`, the row's other name would stop the build."""
    connector = of_logs(opened, BY_KEY)
    known = {"user": frozenset({"ada"}), "key": frozenset({"k-ada"})}
    monkeypatch.setattr("dsr.connectors.sql.finding.is_somebody", lambda tables, column: column.element.is_(None))
    owners = {row.data["id"]: row.owner for row in connector.export(known, "logs", EVERYTHING)}
    assert owners[1] in connector.owners(known, "logs")
    assert owners[4] == "eve"


def test_what_a_system_calls_nobody_is_nobody(logs: Any, opened: list[Connector]) -> None:
    connector = of_logs(opened, BY_KEY, BY_USER)
    for word in ("default_user_id", "DEFAULT_USER_ID ", "default_user_id "):
        assert connector.identify({"user": frozenset({word})}).identifiers == {}
        assert list(connector.export({"user": frozenset({word})}, "logs", EVERYTHING)) == []


def test_only_rows_of_one_kind(logs: Any, opened: list[Connector]) -> None:
    connector = of_logs(opened, BY_USER, only={"end_user": "eve"})
    rows = list(connector.export({"user": frozenset({"ada"})}, "logs", EVERYTHING))
    assert [row.data["id"] for row in rows] == [7]


def test_only_rows_that_hold_something(database: Any, opened: list[Connector]) -> None:
    fill(database, [(1, ["ada"], {}, None), (2, ["ada"], [], ""), (3, ["ada"], ["x"], ""), (4, ["ada"], None, "eve")])
    rows = export(opened, {"table": "Teams", "name": "t", "find": [FIND[0]], "filled": ["roles", "made_by"]})
    assert [row.data["id"] for row in rows] == [3, 4]


def test_columns_nobody_speaks_of_can_be_left_out(database: Any, opened: list[Connector]) -> None:
    fill(database)
    rows = export(opened, {"table": "Teams", "name": "t", "find": [FIND[0]], "columns": {"id": "Its number."},
                           "omit": {"*": "Not about you.", "members": "It names others."}})  # fmt: skip
    assert [row.data for row in rows] == [{"id": 1}, {"id": 8}]
    assert opened[0].withheld("t") == {
        "members": "It names others.", "roles": "Not about you.", "made_by": "Not about you."}  # fmt: skip
    assert opened[0].check().ok


def test_what_may_lack_is_read_as_far_as_it_is_there(database: Any, opened: list[Connector]) -> None:
    fill(database)
    late = {"table": "later", "name": "later", "find": [FIND[0]], "may_lack": "table"}
    teams = {
        "table": "Teams", "name": "teams", "may_lack": "columns", "time": "gone", "secret": ["gone_too"],
        "find": [*FIND, {"column": "owner", "identifier": "user"}, {"column": "id", "collection": "later", "key": "n"}],
        "others": [{"column": "gone", "identifier": "user"}], "columns": {"gone": "Gone.", "id": "Number."},
    }  # fmt: skip
    connector = connectors.open(system_of(teams, late))
    opened.append(connector)
    assert connector.check().ok
    assert [row.data["id"] for row in connector.export(ADA, "teams", EVERYTHING)] == [1, 8, 9]
    assert list(connector.export(ADA, "later", EVERYTHING)) == []
    assert (connector.count(ADA, "later", EVERYTHING), connector.columns("later")) == (0, ())
    assert (connector.owners(ADA, "later"), connector.withheld("later")) == (frozenset(), {})


def test_what_may_not_lack_is_missed(database: Any, opened: list[Connector]) -> None:
    fill(database)
    gone = {"table": "Teams", "name": "teams", "find": FIND, "may_lack": "columns", "only": {"kind": "team"}}
    strict = {"table": "later", "name": "later", "find": [FIND[0]], "may_lack": "columns"}
    connector = connectors.open(system_of(gone, strict))
    opened.append(connector)
    health = connector.check()
    assert not health.ok
    assert "later" in health.detail
    # Without the column that tells the kind of a row, no row may be taken for one of that kind.
    assert list(connector.export(ADA, "teams", EVERYTHING)) == []
