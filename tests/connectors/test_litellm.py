"""The preset for a LiteLLM proxy, over the schema that its maker's own migrations build."""

import json
import re
import textwrap
from collections.abc import Iterator
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pytest

from dsr import connectors, policy
from dsr.connectors import Connector, Identifiers, Scope
from dsr.management.commands.systems import Command
from dsr.policy.preset import preset
from tests import servers
from tests.connectors.seeding import ADA, ASIDE, EVE, INSIDE, Seeding, Somebody, naming_columns, schema
from tests.litellm import SYSTEMS, migrations, proxy

EVERYTHING = Scope()
DOCS = Path(__file__).parents[2] / "docs" / "litellm.md"


@pytest.fixture
def open_gateway(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    opened: list[Connector] = []

    def open_it(url: str, more: str = "") -> Connector:
        monkeypatch.setenv("GATEWAY_URL", url)
        (tmp_path / "systems.toml").write_text(SYSTEMS + more)
        opened.append(connectors.open(policy.load_systems(tmp_path / "systems.toml", None).system("gateway")))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()


def known_of(connector: Connector, me: Somebody) -> Identifiers:
    return connectors.find_out([connector], {"email": frozenset({me.email})}).identifiers


def everything(connector: Connector, known: Identifiers) -> dict[str, list[dict[str, Any]]]:
    """All that would go to whoever is known by this, by collection. Each row must say it is theirs."""
    found: dict[str, list[dict[str, Any]]] = {}
    for collection in connector.system.collections:
        owners = connector.owners(known, collection.name)
        rows = list(connector.export(known, collection.name, EVERYTHING))
        assert {row.owner for row in rows} <= owners, collection.name
        assert connector.count(known, collection.name, EVERYTHING) == len(rows)
        withheld = connector.withheld(collection.name)
        assert not any(row.data.get(column) for row in rows for column in withheld)
        found[collection.name] = [row.data for row in rows]
    return found


def test_the_schema_is_the_one_the_preset_was_made_for(postgres: servers.Postgres, litellm_proxy: str) -> None:
    assert len(migrations()) >= 220
    with postgres.connect("litellm-seeded") as connection:
        live = {table: tuple(column.name for column in columns) for table, columns in schema(connection).items()}
    assert preset("litellm").columns == live


def test_every_column_that_can_name_somebody_is_a_way_or_is_declared_not_to(
    postgres: servers.Postgres, litellm_proxy: str
) -> None:
    with postgres.connect("litellm-seeded") as connection:
        tables = schema(connection)
    ways = {(row["table"], way["column"]) for row in preset("litellm").data["collection"] for way in row["find"]}
    found = naming_columns(tables, preset("litellm").ignored)
    assert [place for place in found if place not in ways] == []
    assert {(table, column) for table, column, _ in INSIDE} <= ways
    live = {f"{table}.{column.name}" for table, columns in tables.items() for column in columns}
    assert {name for name in ASIDE if "." in name} <= live
    mapped = {row["table"] for row in preset("litellm").data["collection"]}
    assert tables.keys() - mapped - preset("litellm").ignored.keys() == set()


def test_what_is_mapped_is_in_the_schema(litellm_proxy: str) -> None:
    columns = preset("litellm").columns
    for row in preset("litellm").data["collection"]:
        named = {*row["shows"], *row.get("secret", ()), *chain(*row.get("hides", {}).values())}
        named |= {way["column"] for key in ("find", "teaches", "others") for way in row.get(key, ())}
        assert named <= set(columns[row["table"]]), row["name"]
        told = [*row["shows"], *row.get("secret", ()), *chain(*row.get("hides", {}).values())]
        assert len(told) == len(set(told)), row["name"]


def test_the_person_is_found_by_their_address(litellm_proxy: str, open_gateway: Any) -> None:
    gateway = open_gateway(litellm_proxy)
    health = gateway.check()
    assert (health.ok, health.hint, health.notes) == (True, "", ())
    assert gateway.unmapped() == []
    known = known_of(gateway, ADA)
    assert known["litellm_user"] == {ADA.user}
    assert known["litellm_sso"] == {ADA.sso}
    assert ADA.key in known["litellm_key"]


@pytest.mark.parametrize(("me", "other"), [(ADA, EVE), (EVE, ADA)], ids=["ada", "eve"])
def test_every_row_of_the_one_and_none_of_the_other(
    litellm_proxy: str, open_gateway: Any, me: Somebody, other: Somebody
) -> None:
    gateway = open_gateway(litellm_proxy)
    found = everything(gateway, known_of(gateway, me))
    out = orjson.dumps(found).decode()
    missing = [place for place, (mark, moment) in me.marks.items() if mark not in out and moment not in out]
    assert missing == []
    leaked = [place for place, (mark, moment) in other.marks.items() if mark in out or moment in out]
    assert leaked == []
    assert [name for name in (*other.called(), "third-user", "third@example.com") if name in out] == []


def test_the_seeding_would_show_a_leak(litellm_proxy: str, open_gateway: Any) -> None:
    """The check above holds only if the other's rows are there to leak: with both people's names it finds them all."""
    gateway = open_gateway(litellm_proxy)
    ada, eve = known_of(gateway, ADA), known_of(gateway, EVE)
    both = {kind: ada[kind] | eve[kind] for kind in ada}
    out = orjson.dumps(everything(gateway, both)).decode()
    assert all(mark in out or moment in out for mark, moment in (*ADA.marks.values(), *EVE.marks.values()))


def test_no_key_hash_or_credential_is_given_out(litellm_proxy: str, open_gateway: Any) -> None:
    gateway = open_gateway(litellm_proxy)
    known = known_of(gateway, ADA)
    found = everything(gateway, known)
    # The gateway repeats the hash in the notes of a request under a name that says so; sealing masks it there.
    for row in found["requests"]:
        row["metadata"].pop("user_api_key", None)
    out = json.dumps(found)
    secrets = [*known["litellm_key"], "ada-password-0001", "sk-...ada0001"]
    assert [secret for secret in secrets if secret in out] == []
    keys = [row for name in found for row in gateway.export(known, name, EVERYTHING)]
    assert not any(secret in json.dumps(row.key) for row in keys for secret in secrets)


def test_everything_that_goes_out_is_explained(litellm_proxy: str, open_gateway: Any) -> None:
    gateway = open_gateway(litellm_proxy)
    for collection in gateway.system.collections:
        assert collection.title
        assert [column.name for column in gateway.columns(collection.name) if not column.description] == []
        assert all(gateway.withheld(collection.name).values())


OLDER = 60  # migrations: a proxy of the year before


@pytest.fixture
def gateway(postgres: servers.Postgres, open_gateway: Any) -> Iterator[Any]:
    """An empty proxy, filled by statements; gives what opens it."""
    with proxy(postgres, "litellm-filled") as url, postgres.connect("litellm-filled") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            'INSERT INTO "LiteLLM_UserTable" (user_id, user_email, models) VALUES '
            "('ada', 'ada@example.com', '{}'), ('eve', 'eve@example.com', '{}'), "
            "('default_user_id', 'root@x.example', '{}')"
        )
        connection.execute(
            'INSERT INTO "LiteLLM_VerificationToken" (token, user_id, models) VALUES '
            "('k-ada', 'ada', '{}'), ('k-eve', 'eve', '{}'), ('k-app', NULL, '{}'), ('k-root', 'default_user_id', '{}')"
        )
        yield lambda more="": (connection, open_gateway(url, more))


def log(connection: Any, *rows: tuple[str, str, str | None, str | None]) -> None:
    for name, key, user, end_user in rows:
        connection.execute(
            'INSERT INTO "LiteLLM_SpendLogs" (request_id, call_type, api_key, "user", end_user, "startTime", '
            """"endTime", messages) VALUES (%s, 'acompletion', %s, %s, %s, now(), now(), %s)""",
            (name, key, user, end_user, json.dumps([{"content": f"secret of {name}"}])),
        )


def requests(connector: Connector, email: str, collection: str) -> set[str]:
    known = connectors.find_out([connector], {"email": frozenset({email})}).identifiers
    return {row.data["request_id"] for row in connector.export(known, collection, EVERYTHING)}


def test_a_request_on_which_two_names_stand_goes_to_neither(gateway: Any) -> None:
    connection, connector = gateway()
    log(
        connection,
        ("own", "k-ada", "ada", ""),
        ("no user", "k-ada", "", None),
        ("her name on his key", "k-eve", "ada", ""),
        ("key that is gone", "k-gone", "ada", ""),
        ("key of a team", "k-app", "ada", ""),
        ("nobody's", "k-app", "", ""),
        ("the administrators'", "k-root", "default_user_id", ""),
    )
    assert requests(connector, "ada@example.com", "requests") == {"own", "no user", "key that is gone", "key of a team"}
    assert requests(connector, "eve@example.com", "requests") == set()
    assert requests(connector, "root@x.example", "requests") == set()


def test_a_key_that_changed_hands_takes_no_requests_along(gateway: Any) -> None:
    connection, connector = gateway()
    log(connection, ("before", "k-ada", "ada", ""), ("after", "k-ada", "eve", ""))
    connection.execute("""UPDATE "LiteLLM_VerificationToken" SET user_id = 'eve' WHERE token = 'k-ada'""")
    assert requests(connector, "eve@example.com", "requests") == {"after"}
    assert requests(connector, "ada@example.com", "requests") == set()


def test_anyone_can_write_a_victims_address_as_the_customer(gateway: Any) -> None:
    connection, connector = gateway()
    log(
        connection,
        ("eve writes ada", "k-eve", "eve", "ada@example.com"),
        ("eve's key, no user", "k-eve", "", "Ada@Example.com"),
        ("an app for ada", "k-app", "", "ADA@example.com"),
        ("the administrators' app", "k-root", "default_user_id", "ada@example.com"),
        ("an app for somebody", "k-app", "", "ada@example.com.example"),
    )
    mine = {"an app for ada", "the administrators' app"}
    assert requests(connector, "ada@example.com", "customer-requests") == mine
    assert requests(connector, "ada@example.com", "customer-prompts") == mine
    assert requests(connector, "ada@example.com", "requests") == set()
    # Its usage stays eve's, without the victim's address; the text may be the victim's, and is left out.
    known = connectors.find_out([connector], {"email": frozenset({"eve@example.com"})}).identifiers
    rows = [row.data for row in connector.export(known, "requests", EVERYTHING)]
    assert {row["request_id"] for row in rows} == {"eve writes ada", "eve's key, no user"}
    assert {row["end_user"] for row in rows} == {"[another person]"}
    assert requests(connector, "eve@example.com", "prompts") == set()


def test_an_operator_may_trust_the_customers_names(gateway: Any) -> None:
    trusting = """
[[system.collection]]
name = "customer-requests"
find = [{ column = "end_user", identifier = "email" }]
"""
    connection, connector = gateway(trusting)
    log(connection, ("an app under a developer's key", "k-eve", "eve", "ada@example.com"))
    known = connectors.find_out([connector], {"email": frozenset({"ada@example.com"})}).identifiers
    rows = [row.data for row in connector.export(known, "customer-requests", EVERYTHING)]
    assert [row["end_user"] for row in rows] == ["ada@example.com"]
    assert "eve" not in json.dumps({**rows[0], "request_id": ""})


def test_rows_that_store_no_text_are_no_prompts(gateway: Any) -> None:
    connection, connector = gateway()
    log(connection, ("stored", "k-ada", "ada", ""), ("not stored", "k-ada", "ada", ""))
    connection.execute("""UPDATE "LiteLLM_SpendLogs" SET messages = '{}' WHERE request_id = 'not stored'""")
    assert requests(connector, "ada@example.com", "prompts") == {"stored"}
    assert requests(connector, "ada@example.com", "requests") == {"stored", "not stored"}


def test_a_session_name_that_others_use_too_leads_to_no_text(gateway: Any) -> None:
    connection, connector = gateway()
    log(connection, ("1", "k-ada", "ada", ""), ("2", "k-ada", "ada", ""), ("3", "k-eve", "eve", ""))
    connection.execute(
        """UPDATE "LiteLLM_SpendLogs" SET session_id = CASE request_id WHEN '1' THEN 'own' ELSE 's' END"""
    )
    for session in ("own", "s"):
        connection.execute(
            'INSERT INTO "LiteLLM_AdaptiveRouterSession" (session_id, router_name, model_name, classified_type) '
            "VALUES (%s, 'r', 'm', 't')",
            (session,),
        )
    known = connectors.find_out([connector], {"email": frozenset({"ada@example.com"})}).identifiers
    assert [row.data["session_id"] for row in connector.export(known, "router-texts", EVERYTHING)] == ["own"]


def test_an_older_proxy_is_read_as_far_as_it_goes(postgres: servers.Postgres, open_gateway: Any) -> None:
    me, other = Somebody("ada", 2031), Somebody("eve", 2032)
    with proxy(postgres, "litellm-older", OLDER) as url, postgres.connect("litellm-older") as connection:
        seeding = Seeding(connection)
        assert "LiteLLM_MemoryTable" not in seeding.tables
        for somebody in (me, other):
            seeding.person(somebody, naming_columns(seeding.tables, preset("litellm").ignored))
        older = open_gateway(url)
        health = older.check()
        assert (health.ok, health.hint) == (True, "")
        assert "made for LiteLLM 1.109.1" in health.notes[0]
        assert any("LiteLLM_MemoryTable" in note and "are missing" in note for note in health.notes)
        out = orjson.dumps(everything(older, known_of(older, me))).decode()
    assert [place for place, (mark, moment) in me.marks.items() if mark not in out and moment not in out] == []
    assert [place for place, (mark, moment) in other.marks.items() if mark in out or moment in out] == []


def test_without_what_it_needs_it_is_not_healthy(postgres: servers.Postgres, open_gateway: Any) -> None:
    with proxy(postgres, "litellm-less") as url:
        postgres.execute('DROP TABLE "LiteLLM_SpendLogs" CASCADE', "litellm-less")
        health = open_gateway(url).check()
        assert not health.ok
        assert "LiteLLM_SpendLogs" in health.detail


def test_a_proxy_that_moved_on_is_told_and_gives_out_nothing_unknown(gateway: Any) -> None:
    connection, connector = gateway()
    for statement in (
        "ALTER TABLE \"LiteLLM_UserTable\" ADD phone_number text DEFAULT '0170 secret'",
        'ALTER TABLE "LiteLLM_Config" ADD changed_by text, ADD colour text',
        'ALTER TABLE "LiteLLM_TeamTable" DROP COLUMN members',
        'CREATE TABLE "LiteLLM_Diary" (id text PRIMARY KEY, user_email text, words text)',
        'CREATE TABLE "LiteLLM_Weather" (id text PRIMARY KEY, degrees int)',
        'CREATE TABLE "_prisma_migrations" (id text PRIMARY KEY, user_id text)',
    ):
        connection.execute(statement)
    health = connector.check()
    assert health.ok
    assert health.notes == (
        "The preset “litellm” was made for LiteLLM 1.109.1 (litellm-proxy-extras 0.4.110),"
        " and this database is another version.",
        "Table “LiteLLM_Config” has new columns, which are not given out: changed_by, colour."
        " By their names these may name a person: changed_by.",
        "Table “LiteLLM_Diary” is new, and nothing of it is given out."
        " By their names these may name a person: user_email.",
        "Table “LiteLLM_UserTable” has new columns, which are not given out: phone_number."
        " By their names these may name a person: phone_number.",
        "Table “LiteLLM_Weather” is new, and nothing of it is given out.",
        "Table “LiteLLM_TeamTable” lacks these columns, which are passed over: members.",
    )
    found = everything(connector, known_of(connector, Somebody("ada", 2031)))
    assert [row["user_id"] for row in found["account"]] == ["ada"]
    assert "0170" not in json.dumps(found)
    assert "phone_number" in connector.withheld("account")


def test_the_command_says_what_changed(gateway: Any, tmp_path: Path) -> None:
    connection, connector = gateway()
    connection.execute('ALTER TABLE "LiteLLM_UserTable" ADD phone_number text')
    connection.execute('DROP TABLE "LiteLLM_MemoryTable"')
    told = StringIO()
    command = Command(stdout=told, no_color=True)
    assert command._show(connector.system)
    words = told.getvalue()
    assert "NOTE: The preset “litellm” was made for LiteLLM 1.109.1" in words
    assert "new columns, which are not given out: phone_number." in words
    assert "this database has no such table" in next(
        line for line in words.splitlines() if line.startswith("  memory ")
    )


def test_partitions_of_a_table_are_no_news(gateway: Any) -> None:
    connection, connector = gateway()
    for statement in (
        'ALTER TABLE "LiteLLM_SpendLogs" RENAME TO old_logs',
        'CREATE TABLE "LiteLLM_SpendLogs" (LIKE old_logs INCLUDING DEFAULTS) PARTITION BY RANGE ("startTime")',
        """CREATE TABLE "LiteLLM_SpendLogs_2020s" PARTITION OF "LiteLLM_SpendLogs" FOR VALUES FROM ('2020-01-01')
        TO ('2030-01-01')""",
        "DROP TABLE old_logs",
    ):
        connection.execute(statement)
    log(connection, ("own", "k-ada", "ada", ""), ("his", "k-eve", "eve", ""))
    health = connector.check()
    assert (health.ok, health.notes) == (True, ())
    assert requests(connector, "ada@example.com", "requests") == {"own"}


def test_the_read_only_account_of_the_docs_is_enough(
    postgres: servers.Postgres, litellm_proxy: str, open_gateway: Any
) -> None:
    granted = re.findall(r"^(?:CREATE ROLE|ALTER ROLE|GRANT|ALTER DEFAULT).*;$", DOCS.read_text(), re.MULTILINE)
    assert len(granted) == 6
    try:
        for statement in granted:
            postgres.execute(statement.replace("DATABASE litellm", 'DATABASE "litellm-seeded"'), "litellm-seeded")
        gateway = open_gateway(postgres.url("litellm-seeded", user="privacy_portal"))
        assert gateway.check().ok
        assert known_of(gateway, ADA)["litellm_user"] == {ADA.user}
    finally:
        gateway.close()
        postgres.execute("DROP OWNED BY privacy_portal; DROP ROLE privacy_portal", "litellm-seeded")


def test_the_docs_show_what_loads(tmp_path: Path) -> None:
    words = DOCS.read_text()
    blocks = [textwrap.dedent(block) for block in re.findall(r"```toml\n(.*?)```", words, re.DOTALL)]
    assert len(blocks) == 4
    for number, own in enumerate(blocks[1:]):
        (tmp_path / f"{number}.toml").write_text(SYSTEMS + textwrap.dedent(own))
        assert policy.load_systems(tmp_path / f"{number}.toml", None)
    (tmp_path / "whole.toml").write_text(blocks[0])
    system = policy.load_systems(tmp_path / "whole.toml", None).system("gateway")
    assert f"{len(system.collections)} collections can be read" in words
    assert {collection.category for collection in system.collections} == {"account", "usage", "prompts"}
