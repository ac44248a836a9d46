"""Ten people with many rows at once: one worker process, then two."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.baseline import copied, start_copying
from bench.case import carried, reached, running, tell, verified
from bench.company import Person
from bench.figures import Figure
from bench.large import PATIENCE_SECONDS
from bench.processes import machine_worked
from bench.servers import scale

LEAST_TIMES = 1.7
LIMIT_PEOPLE = 4


@dataclass(frozen=True)
class Taken:
    """Seconds for all of them, and how many processors were at work meanwhile, PostgreSQL's share included."""

    seconds: float
    processors: float


def main() -> None:
    people = scale().large
    one, two = _carried(people, 1), _carried(people, 2)
    limit_one, limit_two = _copied(people[:LIMIT_PEOPLE], 1), _copied(people[:LIMIT_PEOPLE], 2)
    times = one.seconds / two.seconds
    tell(
        [
            Figure(
                f"{len(people)} people with {people[0].requests:,} requests each at once: two workers beside one",
                f"{one.seconds:.1f} s, then {two.seconds:.1f} s: {times:.2f} times the throughput",
                f"the limit’s process, two at a time beside one: {limit_one.seconds / limit_two.seconds:.2f} times",
                f"≥ {LEAST_TIMES} times",
                times >= LEAST_TIMES,
            ),
            Figure(
                "- processors at work, PostgreSQL included",
                f"{one.processors:.1f}, then {two.processors:.1f}",
                f"limit: {limit_one.processors:.1f}, then {limit_two.processors:.1f}",
            ),
        ]
    )


def _carried(people: list[Person], workers: int) -> Taken:
    """From the first that is verified to the last that is sealed."""
    with running("clock", "worker", work_processes=workers):
        # Several at once, so that each process has had one.
        for case in [verified(person) for person in scale().others[: 4 * workers]]:
            carried(case)

        def work() -> float:
            at = [reached(carried(case, PATIENCE_SECONDS)) for case in [verified(person) for person in people]]
            return (max(each["completed"] for each in at) - min(each["verified"] for each in at)).total_seconds()

        return _measured(work)


def _copied(people: list[Person], at_once: int) -> Taken:
    """The same by plain processes, so many at a time."""

    def work() -> float:
        begun = time.monotonic()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda person: copied(start_copying(person)), people))
        return time.monotonic() - begun

    return _measured(work)


def _measured(work: Callable[[], float]) -> Taken:
    begun, worked = time.monotonic(), machine_worked()
    seconds = work()
    return Taken(seconds, (machine_worked() - worked) / (time.monotonic() - begun))
