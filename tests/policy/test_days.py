"""Calendar arithmetic: months, working days, the day of an instant."""

from datetime import UTC, date, datetime

import pytest

from dsr.policy.countries import COUNTRIES
from dsr.policy.days import Calendar, UnknownCalendar, in_words, months_later, received_on
from dsr.policy.text import Period

ENGLAND = Calendar("GB", "ENG")


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 9, 3), 1, date(2026, 10, 3)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
    ],
)
def test_a_month_ends_on_the_same_number_or_on_the_last_day(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later


def test_holidays_are_those_of_country_and_subdivision() -> None:
    boxing_day_moved = date(2026, 12, 28)
    assert ENGLAND.day_off(boxing_day_moved) == "a public holiday, Boxing Day (observed)"
    assert Calendar().day_off(boxing_day_moved) == ""
    st_andrews = date(2026, 11, 30)
    assert Calendar("GB", "SCT").day_off(st_andrews).startswith("a public holiday, ")
    assert ENGLAND.is_working_day(st_andrews)


def test_weekends_are_those_of_the_country() -> None:
    friday = date(2026, 9, 4)
    assert Calendar("SA").day_off(friday) == "a Friday"
    assert Calendar("GB").is_working_day(friday)


def test_days_off_move_on_or_back() -> None:
    christmas = date(2026, 12, 25)  # a Friday; Monday is Boxing Day's
    assert ENGLAND.on_or_after(christmas) == date(2026, 12, 29)
    assert ENGLAND.on_or_before(christmas) == date(2026, 12, 24)
    assert ENGLAND.on_or_after(date(2026, 12, 24)) == date(2026, 12, 24)


def test_a_holiday_kept_in_the_year_before_is_found() -> None:
    # New Year's Day 2028 is a Saturday: the United States keep it on the last day of 2027.
    assert not Calendar("US").is_working_day(date(2027, 12, 31))


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("1 day", date(2026, 12, 24)),
        ("2 weeks", date(2027, 1, 6)),
        ("1 month", date(2027, 1, 23)),
        ("7 years", date(2033, 12, 23)),
        ("1 working day", date(2026, 12, 24)),
        ("2 working days", date(2026, 12, 29)),
    ],
)
def test_periods_end_where_their_unit_says(words: str, end: date) -> None:
    assert ENGLAND.plus(date(2026, 12, 23), Period.parse(words)) == end


def test_hours_are_no_days() -> None:
    with pytest.raises(ValueError, match="48 hours is not counted in days"):
        ENGLAND.plus(date(2026, 1, 1), Period.parse("48 hours"))


@pytest.mark.parametrize(("country", "subdivision"), [("XX", ""), ("GB", "ZZZ"), ("", "ENG")])
def test_an_unknown_calendar_is_refused(country: str, subdivision: str) -> None:
    with pytest.raises(UnknownCalendar):
        Calendar(country, subdivision)


def test_every_country_a_policy_may_name_has_a_calendar() -> None:
    for country in COUNTRIES:
        Calendar(country)


def test_the_day_of_an_instant_is_that_of_the_zone() -> None:
    instant = datetime(2026, 9, 3, 22, 30, tzinfo=UTC)
    assert received_on(instant, "Europe/Istanbul") == date(2026, 9, 4)
    assert received_on(instant, "America/Los_Angeles") == date(2026, 9, 3)


def test_a_time_without_zone_and_an_unknown_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="without its zone"):
        received_on(datetime(2026, 9, 3, 22, 30), "Europe/Berlin")
    for name in ("Nowhere/Else", "Europe", "../etc/passwd", ""):
        with pytest.raises(ValueError, match="There is no time zone"):
            received_on(datetime(2026, 9, 3, 22, 30, tzinfo=UTC), name)


def test_days_are_written_out() -> None:
    assert in_words(date(2026, 9, 3)) == "Thursday, 3 September 2026"
