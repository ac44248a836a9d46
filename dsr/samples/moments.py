"""When things happened in the sample systems: always in the past of `today`, never older than asked for."""

import random
from datetime import UTC, date, datetime, timedelta

_FIRST_ID = datetime(2018, 1, 1)
_HUNDREDTH = timedelta(milliseconds=10)
_PER_DAY = 8_640_000  # hundredths of a second
_PEOPLE = 15  # bits of an id that say whose row it is


def midnight(today: date) -> datetime:
    """The first instant of `today`, in UTC without a zone, as most databases keep it."""
    return datetime(today.year, today.month, today.day)


def spread(rng: random.Random, count: int, days: float, today: date) -> list[datetime]:
    """`count` instants in rising order, no two alike, within the `days` before `today`; more of them lately."""
    span = int(days * _PER_DAY)
    start = midnight(today) - span * _HUNDREDTH
    offsets = sorted(int(span * (1 - rng.random() ** 1.3)) for _ in range(count))
    # Two rows of one person may not share an instant, since the instant makes the row's id: later ones give way
    # forwards, and what would reach `today` gives way backwards.
    for place in range(1, count):
        offsets[place] = max(offsets[place], offsets[place - 1] + 1)
    limit = span - 1
    for place in range(count - 1, -1, -1):
        if offsets[place] <= limit:
            break
        offsets[place] = limit
        limit -= 1
    return [start + offset * _HUNDREDTH for offset in offsets]


def row_id(moment: datetime, number: int) -> int:
    """An id that rises with time and is the same however many other people there are.

    Rows of different people are thereby interleaved in a table's key order, and the rows of a named person can be
    foretold without making everybody else's.
    """
    if number >= 1 << _PEOPLE:
        raise ValueError(f"person {number} has no room in a row id")
    return ((moment - _FIRST_ID) // _HUNDREDTH << _PEOPLE) | number


def months_back(today: date, count: int) -> list[date]:
    """The first days of the `count` months before the month of `today`, oldest first."""
    last = today.year * 12 + today.month - 1
    return [date((last - back) // 12, (last - back) % 12 + 1, 1) for back in range(count, 0, -1)]


def aware(moment: datetime) -> datetime:
    """The same instant with its zone written down."""
    return moment.replace(tzinfo=UTC)
