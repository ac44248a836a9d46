"""The limit of an export: the same rows by COPY of row_to_json, deflated at level 6 into a ZIP, in one plain process.

Reads {url, user, email, folder} from standard input; prints rows, seconds, bytes and peak memory. The archive is
neither encrypted nor read back, has no page, no letter and no list of what is in it, and resumes nothing.
"""

import json
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import psycopg

QUERIES = {
    "account": "SELECT * FROM users WHERE email = %(email)s",
    "invoices": "SELECT * FROM billing_invoices WHERE user_id = %(user)s",
    "requests": "SELECT * FROM api_requests WHERE user_id = %(user)s",
    "messages": "SELECT * FROM chat_messages WHERE user_id = %(user)s",
}
# JSON escapes both of these characters, so a row comes as it is, with nothing doubled.
COPY = r"COPY (SELECT row_to_json(t) FROM ({query}) t) TO STDOUT (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"
AT_ONCE = 1_000


def main() -> None:
    given = json.load(sys.stdin)
    begun = time.monotonic()
    with tempfile.TemporaryFile(dir=given["folder"]) as target, psycopg.connect(given["url"]) as connection:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as bundle:
            rows = sum(_copied(connection, bundle, name, given) for name in QUERIES)
        size = target.tell()
    taken = time.monotonic() - begun
    print(json.dumps({"rows": rows, "seconds": taken, "size": size, "bytes_at_peak": _peak()}))


def _copied(connection: psycopg.Connection[Any], bundle: zipfile.ZipFile, name: str, given: dict[str, Any]) -> int:
    rows, waiting = 0, []
    with bundle.open(f"{name}.jsonl", "w", force_zip64=True) as lines, connection.cursor() as cursor:
        with cursor.copy(COPY.format(query=QUERIES[name]).encode(), given) as copy:
            for row in copy:
                waiting.append(row)
                rows += 1
                if len(waiting) == AT_ONCE:
                    lines.write(b"".join(waiting))
                    waiting.clear()
        lines.write(b"".join(waiting))
    return rows


def _peak() -> int:
    # Not getrusage: its figure is inherited from the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
