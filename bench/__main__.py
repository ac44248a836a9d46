"""`python -m bench`: every figure, as a table. `python -m bench small pages` measures these alone.

The people of bench.company have a tenth of their rows; with `--share 1` all of them.
"""

import argparse
import os
import signal
import time
from collections.abc import Callable

from bench import clone
from bench.company import Scale
from bench.figures import Figure, table
from bench.servers import AtScale, Company
from bench.stage import Piece


def pieces(company: Company) -> dict[str, Callable[[], list[Figure]]]:
    """What can be measured, by name, in order."""
    found: list[Piece | AtScale] = [
        Piece("small"),
        Piece("pages", settings="bench.settings"),
        Piece("timing"),
        Piece("memory", heavy_rows=100_000),
        AtScale("large", company),
        AtScale("flat", company),
        AtScale("ten", company),
        AtScale("rush", company, settings="bench.settings", has_post=True),
    ]
    return {piece.name: piece.run for piece in found} | {"clone": clone.figures}


def looks(company: Company) -> dict[str, Callable[[], list[Figure]]]:
    """What tells more than a figure, and is measured only when it is asked for."""
    return {"where": AtScale("where", company).run}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("pieces", nargs="*", help="only these: small, pages, …; `where` for a profile")
    parser.add_argument("--share", type=int, default=10, help="what the whole size is divided by (1: nothing)")
    given = parser.parse_args()
    # Ended by others too, it ends what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun, load = time.monotonic(), os.getloadavg()[0]
    figures: list[Figure] = []
    with Company(Scale(given.share)) as company:
        usual = pieces(company)
        known = usual | looks(company)
        if unknown := set(given.pieces) - known.keys():
            parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        for name in given.pieces or usual:
            print(f"{name} ...", flush=True)
            figures += known[name]()
    taken = time.monotonic() - begun
    print(f"\n{table(figures)}\n")
    print(f"{os.cpu_count()} processors; load when it began {load:.1f}; measured in {taken:.0f} seconds.")


if __name__ == "__main__":
    main()
