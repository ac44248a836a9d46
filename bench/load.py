"""Many clients at once, each on a connection of its own, one request after the other."""

import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection

from bench.browser import PATIENCE_SECONDS, Visit

CLIENTS = 50


def latencies(host: str, port: int, visit: Visit, requests: int, expected: int = 200) -> list[float]:
    """Seconds that each of so many requests took, sent by 50 clients. Stops when an answer is not the one expected."""
    found: list[float] = []
    wrong: list[int] = []
    starting = threading.Barrier(CLIENTS)

    def client(count: int) -> None:
        connection = HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
        connection.connect()
        starting.wait()
        for _request in range(count):
            begun = time.perf_counter()
            connection.request(visit.method, visit.path, visit.body or None, dict(visit.headers))
            response = connection.getresponse()
            response.read()
            found.append(time.perf_counter() - begun)
            if response.status != expected:
                wrong.append(response.status)
        connection.close()

    threads = [threading.Thread(target=client, args=(requests // CLIENTS,)) for _client in range(CLIENTS)]
    _all(threads)
    if wrong:
        raise SystemExit(f"{visit.method} {visit.path} answered {sorted(set(wrong))}, not {expected}.")
    return found


def _all(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
