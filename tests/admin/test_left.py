"""Time left, in words."""

from datetime import UTC, date, datetime

import time_machine

from dsr.admin import left
from dsr.models import Clock, State
from tests import cast

# Noon in Los Angeles, where Lumio's dates are reckoned.
NOW = datetime(2026, 10, 14, 19, 0, tzinfo=UTC)


@time_machine.travel(NOW, tick=False)
def test_days() -> None:
    assert left.until(date(2026, 11, 5)).words == "22 days"
    assert left.until(date(2026, 10, 15)).words == "1 day"
    assert left.until(date(2026, 10, 14)).words == "less than a day"
    assert left.until(date(2026, 10, 13)).words == "late by 1 day"


@time_machine.travel(NOW, tick=False)
def test_care() -> None:
    assert left.until(date(2026, 10, 13)).is_late
    assert not left.until(date(2026, 10, 14)).is_late
    assert left.until(date(2026, 10, 16)).is_close
    assert not left.until(date(2026, 10, 17)).needs_care


@time_machine.travel(NOW, tick=False)
def test_hours_when_they_were_promised_and_are_near() -> None:
    soon = left.until(date(2026, 10, 14), datetime(2026, 10, 14, 23, 50, tzinfo=UTC))
    assert (soon.words, soon.day) == ("4 h 50 min", "14 Oct, 16:50")
    over = left.until(date(2026, 10, 14), datetime(2026, 10, 14, 17, 55, tzinfo=UTC))
    assert over.words == "late by 1 h 5 min"
    assert over.is_late


@time_machine.travel(datetime(2026, 10, 15, 3, 0, tzinfo=UTC), tick=False)
def test_the_day_is_the_controllers() -> None:
    # It is still the 14th in Los Angeles.
    assert left.until(date(2026, 10, 15)).words == "1 day"


@time_machine.travel(NOW, tick=False)
def test_another_year_is_written() -> None:
    assert left.until(date(2027, 1, 5)).day == "5 Jan 2027"


@time_machine.travel(NOW, tick=False)
def test_a_case_tells_the_hours_of_its_earliest_clock() -> None:
    case = cast.make_case(State.REVIEW, due_on=date(2026, 10, 15))
    Clock.objects.filter(case=case).update(due_on=date(2026, 12, 1))
    Clock.objects.create(
        case=case, rule="promise-48", rule_version="1", title="48 hours", due_on=date(2026, 10, 15),
        due_at=datetime(2026, 10, 15, 19, 0, tzinfo=UTC),
    )  # fmt: skip
    assert left.of(case).words == "24 h 0 min"
