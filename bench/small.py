"""A small person: seconds from the typed code to the sealed archive, and where they go."""

from statistics import median

from bench.baseline import plain
from bench.case import carried, running, seconds, tell, verified
from bench.figures import Figure, milliseconds, spread
from dsr import samples

RUNS = 7
TARGET_SECONDS = 2.0
STAGES = {
    "finding the person": ("verified", "working"),
    "reading five systems": ("working", "review"),
    "staff agree (here at once)": ("review", "executing"),
    "letter, archive, read back": ("executing", "completed"),
}


def main() -> None:
    person = samples.person("lumio")
    with running("clock", "worker"):
        first = carried(verified(person))
        cases = [carried(verified(person)) for _run in range(RUNS)]
    ready = [seconds(case, "verified", "completed") for case in cases]
    beside = median(plain(case)["seconds"] for case in cases)
    figures = [
        Figure(
            f"{first.delivery.rows} rows, from verified to sealed bundle, letter included (median of {RUNS})",
            f"{median(ready):.2f} s ({spread(ready)})",
            f"sqlite3 and zipfile in one process: {milliseconds(beside)}",
            f"< {TARGET_SECONDS:.0f} s",
            median(ready) < TARGET_SECONDS,
        )
    ]
    for name, (start, end) in STAGES.items():
        taken = [seconds(case, start, end) for case in cases]
        figures.append(Figure(f"- {name}", f"{median(taken):.2f} s ({spread(taken)})"))
    figures.append(Figure("- the first one after a start", f"{seconds(first, 'verified', 'completed'):.2f} s"))
    tell(figures)
