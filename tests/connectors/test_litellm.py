"""The preset for a LiteLLM proxy, over the schema that its maker's own migrations build."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pytest

from dsr import connectors, policy
from dsr.connectors import Connector, Identifiers, Scope
from dsr.policy.preset import preset
from tests import servers
from tests.connectors.seeding import ASIDE, INSIDE, Seeding, Somebody, naming_columns, schema
from tests.litellm import SYSTEMS, migrations, proxy

ADA, EVE = Somebody("ada", 2031), Somebody("eve", 2032)
EVERYTHING = Scope()


@pytest.fixture(scope="session")
def seeded(postgres: servers.Postgres) -> Iterator[str]:
    """A proxy's database with a person and a bystander in every column that can name one."""
    with proxy(postgres, "litellm-seeded") as url, postgres.connect("litellm-seeded") as connection:
        seeding = Seeding(connection)
        places = naming_columns(seeding.tables, preset("litellm").ignored)
        for somebody in (ADA, EVE):
            seeding.person(somebody, places)
        yield url


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


def test_the_schema_is_the_one_the_preset_was_made_for(postgres: servers.Postgres, seeded: str) -> None:
    assert len(migrations()) >= 220
    with postgres.connect("litellm-seeded") as connection:
        live = {table: tuple(column.name for column in columns) for table, columns in schema(connection).items()}
    assert preset("litellm").columns == live


def test_every_column_that_can_name_somebody_is_a_way_or_is_declared_not_to(
    postgres: servers.Postgres, seeded: str
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


def test_what_is_mapped_is_in_the_schema(seeded: str) -> None:
    columns = preset("litellm").columns
    for row in preset("litellm").data["collection"]:
        named = {*row["shows"], *row.get("secret", ()), *chain(*row.get("hides", {}).values())}
        named |= {way["column"] for key in ("find", "teaches", "others") for way in row.get(key, ())}
        assert named <= set(columns[row["table"]]), row["name"]
        told = [*row["shows"], *row.get("secret", ()), *chain(*row.get("hides", {}).values())]
        assert len(told) == len(set(told)), row["name"]


def test_the_person_is_found_by_their_address(seeded: str, open_gateway: Any) -> None:
    gateway = open_gateway(seeded)
    health = gateway.check()
    assert (health.ok, health.hint, health.notes) == (True, "", ())
    assert gateway.unmapped() == []
    known = known_of(gateway, ADA)
    assert known["litellm_user"] == {ADA.user}
    assert known["litellm_sso"] == {ADA.sso}
    assert ADA.key in known["litellm_key"]


@pytest.mark.parametrize(("me", "other"), [(ADA, EVE), (EVE, ADA)], ids=["ada", "eve"])
def test_every_row_of_the_one_and_none_of_the_other(
    seeded: str, open_gateway: Any, me: Somebody, other: Somebody
) -> None:
    gateway = open_gateway(seeded)
    found = everything(gateway, known_of(gateway, me))
    out = orjson.dumps(found).decode()
    missing = [place for place, (mark, moment) in me.marks.items() if mark not in out and moment not in out]
    assert missing == []
    leaked = [place for place, (mark, moment) in other.marks.items() if mark in out or moment in out]
    assert leaked == []
    assert [name for name in (*other.called(), "third-user", "third@example.com") if name in out] == []


def test_the_seeding_would_show_a_leak(seeded: str, open_gateway: Any) -> None:
    """The check above holds only if the other's rows are there to leak: with both people's names it finds them all."""
    gateway = open_gateway(seeded)
    ada, eve = known_of(gateway, ADA), known_of(gateway, EVE)
    both = {kind: ada[kind] | eve[kind] for kind in ada}
    out = orjson.dumps(everything(gateway, both)).decode()
    assert all(mark in out or moment in out for mark, moment in (*ADA.marks.values(), *EVE.marks.values()))


def test_no_key_hash_or_credential_is_given_out(seeded: str, open_gateway: Any) -> None:
    gateway = open_gateway(seeded)
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


def test_everything_that_goes_out_is_explained(seeded: str, open_gateway: Any) -> None:
    gateway = open_gateway(seeded)
    for collection in gateway.system.collections:
        assert collection.title
        assert [column.name for column in gateway.columns(collection.name) if not column.description] == []
        assert all(gateway.withheld(collection.name).values())
