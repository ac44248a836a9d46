"""What is learned of rows while they stream by: counts by month, day and model, order, types; in bounded memory."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dsr.bundle.table import Table
from dsr.connectors import Block

# Beyond these, further values are counted as "other": a source may hold a different model on every row.
MOST_MODELS = 200
MOST_DAYS = 62
MOST_MONTHS = 1200
LONGEST_MODEL = 80


@dataclass(kw_only=True)
class Tally:
    """Rows as they turned out. `model` names the column that says which model answered, if there is one."""

    table: Table
    model: str = ""
    rows: int = 0
    first: str = ""
    last: str = ""
    is_in_time_order: bool = True
    months: Counter[str] = field(default_factory=Counter)
    days: Counter[str] | None = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    other_models: int = 0
    masked: Counter[str] = field(default_factory=Counter)

    def see(self, record: Mapping[str, Any]) -> None:
        """Take note of one row, as parts.read_part gives it."""
        self.rows += 1
        if at := record.get("t"):
            self._see_period(at, at, is_in_time_order=True)
            self._count_day(at[:10], 1)
        if self.model and (model := record["d"].get(self.model)) is not None:
            self._count_model(str(model)[:LONGEST_MODEL], 1)
        if "m" in record:
            self.masked.update(record["m"])
        self.table.see(record["d"])

    def see_block(self, block: Block) -> None:
        """Take note of a block of rows. What is masked in it is noted apart."""
        self.rows += block.rows
        if block.first_at:
            self._see_period(block.first_at, block.last_at, is_in_time_order=block.is_in_time_order)
            for day, many in block.days.items():
                self._count_day(day, many)
        for model, many in block.models.items():
            self._count_model(model, many)
        self.table.note(block.unlike)

    def merge(self, part: Mapping[str, Any]) -> None:
        """Take note of what another tally said of the rows behind these."""
        self.rows += part["rows"]
        if part["first"]:
            self._see_period(part["first"], part["last"], is_in_time_order=part["in_order"])
        for month, many in part["months"].items():
            self._count_month(month, many)
        if part["days"] is None:
            self.days = None
        elif self.days is not None:
            self.days.update(part["days"])
            self._bound_days()
        for model, many in part["models"].items():
            self._count_model(model, many)
        self.other_models += part["other_models"]
        self.masked.update(part["masked"])
        self.table.merge(part["kinds"], is_uneven=part["uneven"])

    def plain(self) -> dict[str, Any]:
        """As JSON can say it, for `merge`."""
        return {
            "rows": self.rows, "first": self.first, "last": self.last, "in_order": self.is_in_time_order,
            "months": self.months, "days": self.days, "models": self.models, "other_models": self.other_models,
            "masked": self.masked, "kinds": self.table.kinds, "uneven": self.table.is_uneven,
        }  # fmt: skip

    def _see_period(self, first: str, last: str, *, is_in_time_order: bool) -> None:
        if not is_in_time_order or first < self.last:
            self.is_in_time_order = False
        self.first = min(self.first or first, first)
        self.last = max(self.last, last)

    def _count_day(self, day: str, many: int) -> None:
        self._count_month(day[:7], many)
        if self.days is not None:
            self.days[day] += many
            self._bound_days()

    def _count_month(self, month: str, many: int) -> None:
        if month in self.months or len(self.months) < MOST_MONTHS:
            self.months[month] += many

    def _bound_days(self) -> None:
        if self.days is not None and len(self.days) > MOST_DAYS:
            self.days = None

    def _count_model(self, name: str, many: int) -> None:
        if name in self.models or len(self.models) < MOST_MODELS:
            self.models[name] += many
        else:
            self.other_models += many
