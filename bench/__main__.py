"""`python -m bench`: every figure, as a table. `python -m bench small pages` measures these alone."""

import argparse
import os
import time

from bench import clone
from bench.figures import Figure, table
from bench.stage import Piece

PIECES = {
    piece.name: piece
    for piece in (
        Piece("small"),
        Piece("pages", settings="bench.settings"),
        Piece("timing"),
        Piece("memory", heavy_rows=100_000),
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("pieces", nargs="*", choices=[*PIECES, "clone", []], help="only these")
    chosen = parser.parse_args().pieces or [*PIECES, "clone"]
    begun, load = time.monotonic(), os.getloadavg()[0]
    figures: list[Figure] = []
    for name in chosen:
        print(f"{name} ...", flush=True)
        figures += clone.figures() if name == "clone" else PIECES[name].run()
    taken = time.monotonic() - begun
    print(f"\n{table(figures)}\n")
    print(f"{os.cpu_count()} processors; load when it began {load:.1f}; measured in {taken:.0f} seconds.")


if __name__ == "__main__":
    main()
