"""Reading one person's rows in a line."""

from __future__ import annotations

from typing import Any

from dsr.connectors import Connector, Record, Scope

ALL = Scope()
ADA = {"user_id": frozenset({"7"})}
MINE = [{"column": "user_id", "identifier": "user_id"}]


def read(connector: Connector, collection: str = "rows", identifiers: Any = ADA, scope: Scope = ALL) -> list[Record]:
    return list(connector.export(identifiers, collection, scope))
