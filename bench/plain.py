"""The baseline of an export: the same rows, read with sqlite3 and written with zipfile in one process.

Reads a list of [file, statement, values, member] from standard input; prints rows, seconds and peak memory.
"""

import json
import resource
import sqlite3
import sys
import tempfile
import time
import zipfile
from contextlib import closing
from typing import Any


def main() -> None:
    queries = json.load(sys.stdin)
    begun = time.monotonic()
    with tempfile.TemporaryFile() as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        rows = sum(_copied(bundle, *query) for query in queries)
    taken = time.monotonic() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"rows": rows, "seconds": taken, "bytes_at_peak": peak}))


def _copied(bundle: zipfile.ZipFile, file: str, statement: str, values: list[Any], member: str) -> int:
    rows = 0
    with closing(sqlite3.connect(file)) as database, bundle.open(member, "w", force_zip64=True) as lines:
        database.row_factory = sqlite3.Row
        for row in database.execute(statement, values):
            lines.write(json.dumps(dict(row), default=repr).encode() + b"\n")
            rows += 1
    return rows


if __name__ == "__main__":
    main()
