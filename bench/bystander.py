"""Somebody else who looks at pages while many file: each page in turn, beside an empty view, until standard input ends.

Reads {host, port, paths, every} as the first line; prints, for each path, the seconds and states of its answers.
"""

import json
import sys
import threading
import time
from http.client import HTTPConnection
from typing import Any

PATIENCE_SECONDS = 120


def main() -> None:
    given = json.loads(sys.stdin.readline())
    is_over = threading.Event()
    found: dict[str, list[tuple[float, int]]] = {path: [] for path in given["paths"]}
    threads = [threading.Thread(target=_look, args=(given, path, is_over, found[path])) for path in given["paths"]]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    is_over.set()
    for thread in threads:
        thread.join()
    print(json.dumps(found))


def _look(given: dict[str, Any], path: str, is_over: threading.Event, found: list[tuple[float, int]]) -> None:
    """Each look is a connection of its own, so that the wait for being let in counts."""
    while not is_over.wait(given["every"]):
        begun = time.perf_counter()
        connection = HTTPConnection(given["host"], given["port"], timeout=PATIENCE_SECONDS)
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        found.append((time.perf_counter() - begun, response.status))
        connection.close()


if __name__ == "__main__":
    main()
