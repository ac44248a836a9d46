"""Going on after any key, for keys of any shape: nothing twice, nothing lost, in one order."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL

from dsr import connectors
from dsr.connectors import Scope
from tests.connectors.databases import ENV, make_table, system_of

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(max_size=4)
PARTS = st.one_of(
    st.none(), INTEGERS, st.integers(-2, 2), TEXTS, st.sampled_from(["a", "A", "1", " ", "a\0", "\0"]),
    st.binary(max_size=3), st.floats(allow_nan=False),
)  # fmt: skip
KINDS = st.sampled_from(["", "TEXT", "TEXT COLLATE NOCASE", "INTEGER", "REAL", "NUMERIC", "BLOB", "DATETIME"])
MINE = {"user_id": frozenset({"7"})}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[tuple[Any, ...]]]:
    kinds = draw(st.lists(KINDS, min_size=1, max_size=3))
    return kinds, draw(st.lists(st.tuples(*(PARTS for _kind in kinds)), max_size=12))


@given(tables())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_place_is_a_place_to_go_on_from(table: tuple[list[str], list[tuple[Any, ...]]]) -> None:
    kinds, rows = table
    names = [f"k{n}" for n in range(len(kinds))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source.sqlite3"
        columns = {**dict(zip(names, kinds, strict=True)), "user_id": "INTEGER"}
        make_table(path, "rows", columns, [(*row, 7) for row in rows])
        address = URL.create("sqlite", database=str(path)).render_as_string()
        find = [{"column": "user_id", "identifier": "user_id"}]
        with (
            mock.patch.dict(os.environ, {ENV: address}),
            connectors.open(system_of({"table": "rows", "find": find, "key": names})) as connector,
        ):
            goes_on_everywhere(connector)


def goes_on_everywhere(connector: connectors.Connector) -> None:
    def keys(after: tuple[Any, ...] | None = None) -> list[str]:
        return [json.dumps(record.key) for record in connector.export(MINE, "rows", Scope(), after=after)]

    try:
        found = keys()
    except connectors.SystemRefused as doubled:
        if "share one key" not in doubled.detail:
            raise
        return
    assert len(found) == len(set(found)) == connector.count(MINE, "rows", Scope())
    for place, key in enumerate(found):
        assert "\\u0000" not in key, "PostgreSQL, where checkpoints may lie, holds no NUL"
        assert keys(after=tuple(json.loads(key))) == found[place + 1 :]
