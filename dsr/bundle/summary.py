"""One collection as it turned out in the archive."""

from dataclasses import dataclass, field

from dsr.bundle.contents import Source
from dsr.bundle.tally import Tally


@dataclass(kw_only=True)
class Summary(Tally):
    """The tally of a source's rows, and where in the archive they are."""

    source: Source
    path: str = ""
    bytes: int = 0
    files: int = 0
    files_column: str = ""
    pages: int = 0
    left_out: int = 0
    rows_by_part: list[int] = field(default_factory=list)
