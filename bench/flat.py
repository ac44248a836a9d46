"""Memory of a worker beyond what it has when idle: a person with ten thousand requests, one with up to ten million."""

from bench.baseline import copied, start_copying
from bench.case import carried, running, tell, verified
from bench.company import SMALLEST_FOR_MEMORY, Person
from bench.figures import Figure
from bench.large import PATIENCE_SECONDS
from bench.memory import Watched
from bench.processes import forget_peak, peak, printers, resident, tree
from bench.servers import scale

MB = 1_000_000
MOST_ABOVE_IDLE = 120 * MB
# What two runs with the same person differ by, at most.
NOISE = 15 * MB
WORKER, CLOCK, PRINTER = "worker", "clock", "printer"


def main() -> None:
    small, great = scale().of_size(SMALLEST_FOR_MEMORY), scale().of_size(10_000_000 // scale().share)
    idle, few = _measured(small)
    _idle, again = _measured(small)
    _idle, many = _measured(great)
    limit = copied(start_copying(scale().large[0]))["bytes_at_peak"]
    tell(
        [
            Figure(
                f"memory of a worker’s processes above idle: {small.requests:,} requests, then {great.requests:,}",
                f"{few[WORKER] / MB:.0f} MB (again {again[WORKER] / MB:.0f} MB), then {many[WORKER] / MB:.0f} MB",
                f"idle {idle[WORKER] / MB:.0f} MB; the plain process of the limit in all {limit / MB:.0f} MB",
                f"≤ {MOST_ABOVE_IDLE / MB:.0f} MB, at most {NOISE / MB:.0f} MB apart",
                many[WORKER] <= MOST_ABOVE_IDLE and many[WORKER] - min(few[WORKER], again[WORKER]) <= NOISE,
            ),
            Figure(
                "- of those that find the person and send mail",
                f"{few[CLOCK] / MB:.0f} MB, then {many[CLOCK] / MB:.0f} MB",
                f"idle {idle[CLOCK] / MB:.0f} MB",
            ),
            Figure(
                "- largest process of the printer, in all",
                f"{few[PRINTER] / MB:.0f} MB, then {many[PRINTER] / MB:.0f} MB",
            ),
        ]
    )


def _measured(person: Person) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes of fresh processes that carried one small request: idle, and the most above that (the printer: at all)."""
    with running("clock", "worker", work_processes=1) as children:
        carried(verified(scale().others[0]))
        worker, clock = (tree(children[name].process.pid) for name in ("worker", "clock"))  # type: ignore[union-attr]
        (printer,) = printers(worker)
        groups = {WORKER: [pid for pid in worker if pid != printer], CLOCK: clock}
        idle = {name: resident(pids) for name, pids in groups.items()}
        for pids in [*groups.values(), [printer]]:
            forget_peak(pids)
        # The printer prints each letter in a child, which is gone before anybody could ask for its peak afterwards.
        with Watched(printer) as watched:
            carried(verified(person), PATIENCE_SECONDS)
        return idle, {name: peak(pids) - idle[name] for name, pids in groups.items()} | {PRINTER: watched.peak}
