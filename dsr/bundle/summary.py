"""What is learned of a collection while its rows stream by: counts by month, day and model, in bounded memory."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dsr.bundle.contents import Source
from dsr.bundle.table import Table

# Beyond these, further values are counted as "other": a source may hold a different model on every row.
MOST_MODELS = 200
MOST_DAYS = 62
MOST_MONTHS = 1200


@dataclass
class Summary:
    """One collection as it turned out."""

    source: Source
    table: Table
    path: str = ""
    rows: int = 0
    bytes: int = 0
    files: int = 0
    files_column: str = ""
    pages: int = 0
    first: str = ""
    last: str = ""
    is_in_time_order: bool = True
    months: Counter[str] = field(default_factory=Counter)
    days: Counter[str] | None = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    other_models: int = 0
    masked: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    rows_by_part: list[int] = field(default_factory=list)
    _latest: str = ""

    def see(self, record: Mapping[str, Any]) -> None:
        """Take note of one row that goes into the archive."""
        self.rows += 1
        if at := record.get("t"):
            self._see_time(at)
        if self.source.model:
            self._see_model(record["d"].get(self.source.model))
        if "m" in record:
            self.masked.update(record["m"])

    def _see_time(self, at: str) -> None:
        if at < self._latest:
            self.is_in_time_order = False
            self.first = min(self.first, at)
        else:
            self._latest = self.last = at
            self.first = self.first or at
        month = at[:7]
        if month in self.months or len(self.months) < MOST_MONTHS:
            self.months[month] += 1
        if self.days is not None:
            self.days[at[:10]] += 1
            if len(self.days) > MOST_DAYS:
                self.days = None

    def _see_model(self, model: Any) -> None:
        if model is None:
            return
        name = str(model)[:80]
        if name in self.models or len(self.models) < MOST_MODELS:
            self.models[name] += 1
        else:
            self.other_models += 1
