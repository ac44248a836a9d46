"""What every connector must do, whoever wrote it. Derive from Conformance and say what the system was filled with.

    from tests.connectors.conformance import Conformance, World

    class TestMine(Conformance):
        @pytest.fixture
        def world(self) -> World: ...

Fill the system with one person's rows and with bystanders' rows that could leak: alike names, neighbouring numbers,
the same text. A suite over an empty system proves nothing.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from dsr.connectors import Column, Connector, Identifiers, Record, Scope, SystemRefused, Unmapped, find_out

EVERYTHING = Scope()
TYPES = {"string", "integer", "number", "boolean", "date", "datetime", "object", "array", "binary"}

# Each of these would find somebody if it were more than a value.
HOSTILE = (
    "' OR '1'='1", "' OR 1=1 --", '" OR ""="', "x'; DROP TABLE people; --", "%", "_", "%@%", "*", "?", ":1", "$1",
    "{}", "{0}", "%s", "%(a)s", "\\", "\\'", "\0", "a\0b", "\ud800", "\n", "\r\n", "NULL", "null", "None", "0", "-1",
    "''", "1e999", "nan", "true", "[]", '{"$ne": null}', "a" * 100_000, "\u202e", "ﬀ",
)  # fmt: skip
NOBODY = ("", " ", "\t", "n/a", "N/A", "null", "None", "unknown", "anonymous", "-")


@dataclass(frozen=True)
class World:
    """A connector over a system filled for the suite, and what is in it."""

    connector: Connector
    # What the person typed, and what the systems together know the person by.
    identifiers: Identifiers
    known: Identifiers
    # How many rows each collection holds of the person.
    mine: Mapping[str, int]
    # Texts that stand in rows of others, and in none of the person's.
    others: tuple[str, ...]
    # Texts in the person's own rows that must never come out.
    secrets: tuple[str, ...] = ()
    # A collection whose rows of the person hold at least this many bytes in all.
    large: str = ""
    large_bytes: int = 0
    # A day that some of the rows lie before and some after, per collection.
    split: Mapping[str, date] = field(default_factory=dict)


class Conformance:
    """The suite. Every test asks for the fixture `world`."""

    @pytest.fixture
    def world(self) -> World:
        raise NotImplementedError("say what the system was filled with")

    @pytest.fixture
    def known(self, world: World) -> Identifiers:
        return find_out([world.connector], world.identifiers).identifiers

    def test_it_is_healthy(self, world: World) -> None:
        health = world.connector.check()
        assert (health.ok, health.hint) == (True, "")
        assert health.detail

    def test_identifiers_come_to_rest_at_what_is_the_persons(self, world: World, known: Identifiers) -> None:
        assert known == world.known
        assert find_out([world.connector], known).identifiers == known

    def test_nobody_is_found_by_nothing(self, world: World) -> None:
        assert world.connector.identify({}).identifiers == {}
        for collection in world.mine:
            assert rows(world, {}, collection) == []
            assert world.connector.count({}, collection, EVERYTHING) == 0

    @pytest.mark.parametrize("value", NOBODY)
    def test_nobody_is_found_by_a_word_for_nobody(self, world: World, value: str) -> None:
        found_by_none(world, {kind: frozenset({value}) for kind in world.known})

    @pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:20])
    def test_nobody_is_found_by_a_hostile_value(self, world: World, value: str) -> None:
        found_by_none(world, {kind: frozenset({value}) for kind in world.known})

    def test_an_identifier_of_another_kind_finds_nobody(self, world: World) -> None:
        everything = frozenset().union(*world.known.values())
        found_by_none(world, {"of-no-kind": everything})

    def test_every_row_is_there_and_names_the_person(self, world: World, known: Identifiers) -> None:
        for collection, many in world.mine.items():
            found = rows(world, known, collection)
            assert len(found) == many, collection
            owners = world.connector.owners(known, collection)
            assert "" not in owners
            assert {record.owner for record in found} <= owners

    def test_the_count_is_what_export_gives(self, world: World, known: Identifiers) -> None:
        for collection, many in world.mine.items():
            assert world.connector.count(known, collection, EVERYTHING) == many

    def test_nothing_of_a_bystander_comes_out(self, world: World, known: Identifiers) -> None:
        out = b"".join(written(record) for name in world.mine for record in rows(world, known, name)).decode()
        assert world.others
        for text in world.others:
            assert text not in out

    def test_no_secret_comes_out(self, world: World, known: Identifiers) -> None:
        for collection in world.mine:
            withheld = world.connector.withheld(collection)
            assert all(withheld.values())
            for record in rows(world, known, collection):
                assert not any(record.data.get(column) for column in withheld)
                out = written(record).decode() + json.dumps(record.key)
                assert not any(secret in out for secret in world.secrets)

    def test_data_is_json_under_the_columns_names(self, world: World, known: Identifiers) -> None:
        for collection in world.mine:
            columns = world.connector.columns(collection)
            assert all(isinstance(column, Column) and column.type in TYPES for column in columns)
            names = [column.name for column in columns]
            for record in rows(world, known, collection):
                assert list(record.data) == names
                assert orjson.loads(orjson.dumps(record.data)) == record.data

    def test_times_are_utc(self, world: World, known: Identifiers) -> None:
        for collection in world.mine:
            for record in rows(world, known, collection):
                assert record.at is None or record.at.utcoffset() == timedelta(0)

    def test_it_resumes_after_every_row(self, world: World, known: Identifiers) -> None:
        for collection in world.mine:
            if not world.connector.resumable(collection):
                continue
            found = [written(record) for record in rows(world, known, collection)]
            keys = [json.loads(json.dumps(record.key)) for record in rows(world, known, collection)]
            step = max(1, len(keys) // 50)
            for place in range(0, len(keys), step):
                rest = world.connector.export(known, collection, EVERYTHING, after=tuple(keys[place]))
                assert [written(record) for record in rest] == found[place + 1 :], collection

    def test_what_cannot_be_resumed_says_so(self, world: World, known: Identifiers) -> None:
        for collection in world.mine:
            if not world.connector.resumable(collection):
                with pytest.raises(SystemRefused):
                    list(world.connector.export(known, collection, EVERYTHING, after=(1,)))

    def test_only_the_categories_asked_for(self, world: World, known: Identifiers) -> None:
        for collection in world.connector.system.collections:
            if collection.name in world.mine:
                mine = Scope(categories=frozenset({collection.category}))
                assert len(rows(world, known, collection.name, mine)) == world.mine[collection.name]
                assert rows(world, known, collection.name, Scope(categories=frozenset({"none-of-them"}))) == []
                assert world.connector.count(known, collection.name, Scope(categories=frozenset())) == 0

    def test_days_part_the_rows_without_losing_one(self, world: World, known: Identifiers) -> None:
        for collection, day in world.split.items():
            before = rows(world, known, collection, Scope(until=day))
            after = rows(world, known, collection, Scope(since=day + timedelta(days=1)))
            assert 0 < len([r for r in before if r.at]) < world.mine[collection]
            assert all(r.at is None or r.at.date() <= day for r in before)
            assert all(r.at is None or r.at.date() > day for r in after)
            both = {written(r) for r in before} | {written(r) for r in after}
            assert both == {written(r) for r in rows(world, known, collection)}
            assert world.connector.count(known, collection, Scope(until=day)) == len(before)

    def test_it_streams(self, world: World, known: Identifiers) -> None:
        if not world.large:
            pytest.skip("the world names no large collection")
        next(iter(world.connector.export(known, world.large, EVERYTHING)))  # what is read once is read before
        tracemalloc.start()
        try:
            seen = sum(1 for _record in world.connector.export(known, world.large, EVERYTHING))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert seen == world.mine[world.large]
        assert peak < world.large_bytes / 4

    def test_a_broken_off_export_leaves_it_usable(self, world: World, known: Identifiers) -> None:
        for collection, many in world.mine.items():
            export = world.connector.export(known, collection, EVERYTHING)
            next(iter(export), None)
            export.close()  # type: ignore[attr-defined]
            assert world.connector.count(known, collection, EVERYTHING) == many

    def test_what_nobody_mapped_is_listed_with_a_reason(self, world: World) -> None:
        for found in world.connector.unmapped():
            assert isinstance(found, Unmapped)
            assert found.table
            assert found.reason

    def test_it_closes_twice(self, world: World) -> None:
        world.connector.close()
        world.connector.close()


def rows(world: World, known: Identifiers, collection: str, scope: Scope = EVERYTHING) -> list[Record]:
    return list(world.connector.export(known, collection, scope))


def written(record: Record) -> bytes:
    """All of a record that could reach the person."""
    files: list[Any] = [[file.name, file.media_type, file.content.hex()] for file in record.files]
    return orjson.dumps([record.data, files])


def found_by_none(world: World, identifiers: Identifiers) -> None:
    assert world.connector.identify(identifiers).identifiers == {}
    for collection in world.mine:
        assert rows(world, identifiers, collection) == []
        assert world.connector.count(identifiers, collection, EVERYTHING) == 0
