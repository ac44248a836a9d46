"""One person with many rows on PostgreSQL: seconds from the typed code to the sealed archive, and where they go."""

from statistics import median
from typing import Any

from bench.baseline import copied, start_copying
from bench.case import carried, running, seconds, tell, verified
from bench.company import Person
from bench.figures import Figure, spread
from bench.servers import scale
from dsr.models import Case

RUNS = 3
MOST_TIMES = 1.5
PATIENCE_SECONDS = 900
STAGES = {
    "finding the person": ("verified", "working"),
    "reading four tables into encrypted parts": ("working", "review"),
    "letting it go": ("review", "executing"),
    "letter, archive, read back": ("executing", "completed"),
}


def main() -> None:
    person = scale().large[0]
    with running("clock", "worker", work_processes=1):
        first = carried(verified(scale().others[0]))
        copied(start_copying(person))  # once in vain: the first one reads cold pages
        pairs = [_both(person, number % 2 == 0) for number in range(RUNS)]
    cases, limits = [case for case, _limit in pairs], [limit for _case, limit in pairs]
    ours, beside = [_taken(case) for case in cases], [limit["seconds"] for limit in limits]
    times = median(_taken(case) / limit["seconds"] for case, limit in pairs)
    size, least = median(case.delivery.size for case in cases), limits[0]["size"]
    figures = [
        Figure(
            f"one person, {cases[0].delivery.rows:,} rows: from verified to sealed bundle (median of {RUNS})",
            f"{median(ours):.2f} s ({spread(ours)}), {times:.2f} times",
            f"COPY of row_to_json, deflate 6, ZIP in one process: {median(beside):.2f} s ({spread(beside)})",
            f"≤ {MOST_TIMES} times at 1,000,000 requests",
            times <= MOST_TIMES if scale().share == 1 else None,
        )
    ]
    for name, (start, end) in STAGES.items():
        taken = [seconds(case, start, end) for case in cases]
        figures.append(Figure(f"- {name}", f"{median(taken):.2f} s ({spread(taken)})"))
    figures += [
        Figure("- size of the archive", f"{size / 1e6:.1f} MB", f"{least / 1e6:.1f} MB"),
        Figure(f"- one with {first.delivery.rows} rows, the first after a start", f"{_taken(first):.2f} s"),
    ]
    tell(figures)


def _both(person: Person, ours_first: bool) -> tuple[Case, dict[str, Any]]:
    """Ours and the limit one right after the other, in turn."""
    if ours_first:
        case = carried(verified(person), PATIENCE_SECONDS)
        limit = copied(start_copying(person))
    else:
        limit = copied(start_copying(person))
        case = carried(verified(person), PATIENCE_SECONDS)
    if limit["rows"] != case.delivery.rows:
        raise SystemExit(f"The limit copied {limit['rows']} rows, the archive holds {case.delivery.rows}.")
    return case, limit


def _taken(case: Case) -> float:
    return seconds(case, "verified", "completed")
