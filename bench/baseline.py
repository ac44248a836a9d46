"""Asks bench.plain or bench.limit for the rows that a case's archive holds."""

import json
import os
import subprocess
import sys
from typing import Any

from django.conf import settings

from bench.company import Person
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


def start_copying(person: Person) -> subprocess.Popen[str]:
    """Begin to copy what the company holds of a person in one process; `copied` waits for it."""
    given = {"url": os.environ["BENCH_LIMIT_URL"], "user": person.id, "email": person.email}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.limit"], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(given | {"folder": str(settings.DATA)}))
    process.stdin.close()
    return process


def copied(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What was copied: rows, seconds, size of the archive, bytes_at_peak."""
    assert process.stdout is not None
    printed = process.stdout.read()
    if process.wait():
        raise SystemExit(f"bench.limit ended with {process.returncode}.")
    found: dict[str, Any] = json.loads(printed)
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
