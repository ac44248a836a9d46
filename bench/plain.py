"""The baseline of an export: the same rows, read with sqlite3 and written with zipfile in one process.

Reads a list of [file, statement, values, member] from standard input; prints rows, seconds and peak memory.
"""

import json
import sqlite3
import sys
import tempfile
import time
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any


def main() -> None:
    queries = json.load(sys.stdin)
    begun = time.monotonic()
    with tempfile.TemporaryFile() as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        rows = sum(_copied(bundle, *query) for query in queries)
    taken = time.monotonic() - begun
    print(json.dumps({"rows": rows, "seconds": taken, "bytes_at_peak": _peak()}))


def _peak() -> int:
    # Not getrusage: its figure is inherited from the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


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
