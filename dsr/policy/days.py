"""Days as the law counts them: calendar months, working days, and the day an instant falls on in a time zone."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from dsr.policy.text import Period

SATURDAY = 5
MONTHS_IN = {"month": 1, "year": 12}
DAYS_IN = {"day": 1, "week": 7}


class UnknownCalendar(ValueError):
    """No public holidays are known for this country or subdivision."""


@dataclass(frozen=True)
class Calendar:
    """The working days of a country and its subdivision (ISO 3166). Without a country only weekends are off."""

    country: str = ""
    subdivision: str = ""

    def __post_init__(self) -> None:
        if self.country:
            _known(self.country, self.subdivision)
        elif self.subdivision:
            raise UnknownCalendar(f"Subdivision {self.subdivision!r} needs its country.")

    def is_working_day(self, day: date) -> bool:
        """Neither a weekend day nor a public holiday."""
        if not self.country:
            return day.weekday() < SATURDAY
        return _year(self.country, self.subdivision, day.year).is_working_day(day)

    def day_off(self, day: date) -> str:
        """Why nobody works that day, as words that end a sentence; "" for a working day."""
        if self.is_working_day(day):
            return ""
        holiday = _year(self.country, self.subdivision, day.year).get(day) if self.country else None
        return f"a public holiday, {holiday}" if holiday else f"a {day:%A}"

    def on_or_after(self, day: date) -> date:
        """The day itself, or the next working day."""
        while not self.is_working_day(day):
            day += timedelta(days=1)
        return day

    def on_or_before(self, day: date) -> date:
        """The day itself, or the last working day before it."""
        while not self.is_working_day(day):
            day -= timedelta(days=1)
        return day

    def plus(self, day: date, period: Period) -> date:
        """The day this period ends, counted from the day after. Hours are no days: ValueError."""
        if period.unit in MONTHS_IN:
            return months_later(day, period.number * MONTHS_IN[period.unit])
        if period.unit in DAYS_IN:
            return day + timedelta(days=period.number * DAYS_IN[period.unit])
        if period.unit != "working day":
            raise ValueError(f"{period} is not counted in days.")
        for _ in range(period.number):
            day = self.on_or_after(day + timedelta(days=1))
        return day


def months_later(day: date, months: int) -> date:
    """The same number in a later month; where there is none, that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def received_on(instant: datetime, timezone: str) -> date:
    """The calendar date of an instant in a time zone. A time without a zone is no instant: ValueError."""
    if instant.tzinfo is None:
        raise ValueError("A time without its zone does not say which day it is.")
    return instant.astimezone(zone(timezone)).date()


def zone(name: str) -> ZoneInfo:
    """The time zone of this name. Raises ValueError for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError(f"There is no time zone {name!r}.") from unknown


def in_words(day: date) -> str:
    """Thursday, 3 September 2026."""
    return f"{day:%A}, {day.day} {day:%B} {day.year}"


@lru_cache(maxsize=512)
def _known(country: str, subdivision: str) -> None:
    try:
        holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError as unknown:
        raise UnknownCalendar(f"No public holidays are known for {country} {subdivision}".rstrip() + ".") from unknown


# One object a year that is never added to: the library fills years in on first look, which two threads at once
# would see half done.
@lru_cache(maxsize=512)
def _year(country: str, subdivision: str, year: int) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=subdivision or None, years=year, expand=False, language="en_US")
