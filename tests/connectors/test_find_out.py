"""What a person is known by, over several systems; and how a connector is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from dsr import connectors
from dsr.connectors import (
    Channel,
    Column,
    Connector,
    Found,
    Health,
    Identifiers,
    Record,
    Scope,
    SystemRefused,
    SystemUnreachable,
    Unmapped,
    find_out,
)
from tests.connectors.databases import system_of

ADA = {"email": frozenset({"ada@x"})}


class Stand(Connector):
    """A system that teaches `then` to whoever has `given`."""

    def __init__(self, name: str, given: str, then: Identifiers, channels: tuple[Channel, ...] = ()) -> None:
        super().__init__(system_of(name=name, kind="stand"))
        self.given, self.then, self.channels = given, then, channels
        self.asked = 0

    def identify(self, identifiers: Identifiers) -> Found:
        self.asked += 1
        return Found(self.then, self.channels) if self.given in identifiers else Found()

    def check(self) -> Health:
        return Health(True, "")

    def owners(self, identifiers: Identifiers, collection: str) -> frozenset[str]:
        return frozenset()

    def count(self, identifiers: Identifiers, collection: str, scope: Scope) -> int:
        return 0

    def export(
        self, identifiers: Identifiers, collection: str, scope: Scope, after: tuple[Any, ...] | None = None
    ) -> Iterator[Record]:
        return iter(())

    def columns(self, collection: str) -> tuple[Column, ...]:
        return ()

    def unmapped(self) -> list[Unmapped]:
        return []

    def close(self) -> None:
        pass


def one(kind: str, value: str = "v") -> Identifiers:
    return {kind: frozenset({value})}


def test_one_system_leads_to_the_next_whatever_their_order() -> None:
    chain = [
        Stand("c", "stripe", one("key")),
        Stand("b", "user_id", one("stripe")),
        Stand("a", "email", one("user_id")),
    ]
    expected = {**ADA, **one("user_id"), **one("stripe"), **one("key")}
    assert find_out(chain, ADA).identifiers == expected
    assert find_out(reversed(chain), ADA).identifiers == expected


def test_it_stops_asking_when_nobody_knows_more() -> None:
    stand = Stand("a", "email", one("user_id"))
    find_out([stand], ADA)
    assert stand.asked == 2


def test_what_was_known_stays_known() -> None:
    stand = Stand("a", "email", one("email", "ada@y"))
    assert find_out([stand], ADA).identifiers == {"email": frozenset({"ada@x", "ada@y"})}


def test_empty_sets_are_no_identifiers() -> None:
    assert find_out([Stand("a", "email", {})], {"email": frozenset()}).identifiers == {}


def test_a_channel_is_kept_once_with_its_first_day() -> None:
    def since(day: date | None) -> tuple[Channel, ...]:
        return (Channel("email", "ada@x", day),)

    stands = [
        Stand("a", "email", {}, since(None)),
        Stand("b", "email", {}, since(date(2026, 3, 1))),
        Stand("c", "email", {}, since(date(2024, 3, 1))),
    ]
    assert find_out(stands, ADA).channels == since(date(2024, 3, 1))


def test_too_many_identifiers_name_the_system() -> None:
    many = {"ip": frozenset(str(n) for n in range(connectors.MOST_IDENTIFIERS + 1))}
    with pytest.raises(SystemRefused, match=r"^logs: ") as refused:
        find_out([Stand("app", "email", one("user_id")), Stand("logs", "email", many)], ADA)
    assert refused.value.hint


def test_a_system_that_never_comes_to_rest_is_named() -> None:
    class Restless(Stand):
        def identify(self, identifiers: Identifiers) -> Found:
            self.asked += 1
            return Found(one("session", str(self.asked)))

    with pytest.raises(SystemRefused, match=r"^logs: "):
        find_out([Restless("logs", "", {}), Stand("app", "email", one("user_id"))], ADA)


@pytest.mark.parametrize("kind", [SystemUnreachable, SystemRefused])
def test_a_failure_names_the_system_it_came_from(kind: type[SystemUnreachable | SystemRefused]) -> None:
    class Down(Stand):
        def identify(self, identifiers: Identifiers) -> Found:
            raise kind("down")

    with pytest.raises(kind) as raised:
        find_out([Stand("app", "email", {}), Down("logs", "", {})], ADA)
    assert raised.value.system == "logs"


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    for kind in ("no-such", "_names", "..policy", "sql.engine"):
        with pytest.raises(SystemRefused) as refused:
            connectors.open(system_of().model_copy(update={"kind": kind}))
        assert "sql" in refused.value.hint


def test_another_package_adds_a_kind_and_cannot_replace_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {kind: EntryPoint(kind, f"{__name__}:connect_stand", connectors.ENTRY_POINTS) for kind in ("stand", "sql")}

    def entry_points(group: str, name: str = "") -> list[EntryPoint]:
        return [point for point in points.values() if name in ("", point.name)]

    monkeypatch.setattr(connectors, "entry_points", entry_points)
    assert isinstance(connectors.open(system_of(kind="stand")), Stand)
    assert not isinstance(connectors.open(system_of()), Stand)
    assert connectors.kinds() >= {"sql", "stand"}


def connect_stand(system: object) -> Connector:
    return Stand("stand", "email", {})
