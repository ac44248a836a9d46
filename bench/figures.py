"""A figure, and the table of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line: what was measured, ours, what stands beside it, what was wanted and whether it was reached."""

    what: str
    ours: str
    beside: str = ""
    target: str = ""
    is_met: bool | None = None

    def plain(self) -> dict[str, Any]:
        """For the way from one process to another."""
        return asdict(self)


def table(figures: Sequence[Figure]) -> str:
    """Markdown."""
    met = {None: "", True: "yes", False: "**no**"}
    lines = ["| what | ours | beside it | target | reached |", "|---|---|---|---|---|"]
    lines += [f"| {f.what} | {f.ours} | {f.beside} | {f.target} | {met[f.is_met]} |" for f in figures]
    return "\n".join(lines)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so great a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def spread(values: Sequence[float]) -> str:
    """From the least to the most."""
    return f"{min(values):.2f}-{max(values):.2f}"
