"""Asks bench.plain for the rows that a case's archive holds."""

import json
import os
import subprocess
import sys
from typing import Any

from dsr import policy
from dsr.models import Case
from dsr.policy.systems import Collection, System

Query = tuple[str, list[str]]


def plain(case: Case) -> dict[str, Any]:
    """The same rows in one process: rows, seconds, bytes_at_peak."""
    known: dict[str, list[str]] = case.findings["identifiers"]
    queries = []
    for system in policy.systems().systems:
        file = os.environ[system.url_env].removeprefix("sqlite:///")
        for collection in system.collections:
            where, values = _where(system, collection, known)
            statement = f'SELECT * FROM "{collection.table}" WHERE {where}'
            queries.append([file, statement, values, f"{system.name}/{collection.name}.jsonl"])
    done = subprocess.run(
        [sys.executable, "-m", "bench.plain"], input=json.dumps(queries), text=True, check=True, stdout=subprocess.PIPE
    )
    found: dict[str, Any] = json.loads(done.stdout)
    if found["rows"] != case.delivery.rows:
        raise SystemExit(f"The baseline read {found['rows']} rows, the archive holds {case.delivery.rows}.")
    return found


def _where(system: System, collection: Collection, known: dict[str, list[str]]) -> Query:
    """The condition that finds the person's rows: by what they are known by, or by way of another collection."""
    conditions, values = [], []
    for find in collection.find:
        if find.collection:
            parent = next(c for c in system.collections if c.name == find.collection)
            where, inner = _where(system, parent, known)
            conditions.append(f'"{find.column}" IN (SELECT "{find.key}" FROM "{parent.table}" WHERE {where})')
            values += inner
        else:
            wanted = known.get(find.identifier, [])
            # Addresses are found however they are written, as ours are.
            column = f'lower(trim("{find.column}"))' if find.identifier == "email" else f'"{find.column}"'
            conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    return "(" + " OR ".join(conditions) + ")", values
