"""How much time a request has left, in words and days."""

from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsr import lifecycle
from dsr.models import Case

CLOSE_DAYS = 2
HOURS_FROM = 72


@dataclass(frozen=True)
class Left:
    """`words` such as "22 days", `day` the date itself, short."""

    words: str
    day: str
    is_late: bool
    is_close: bool

    @property
    def sentence(self) -> str:
        """The words as they end a line of text."""
        return self.words if self.is_late or not self.day else _("%(time)s left") % {"time": self.words}

    @property
    def needs_care(self) -> bool:
        return self.is_late or self.is_close


def today() -> date:
    """The date in the controller's zone, in which deadlines are reckoned."""
    return timezone.now().astimezone(lifecycle.zone()).date()


def until(due_on: date | None, due_at: datetime | None = None) -> Left:
    """The time until a deadline; one that was promised in hours is told in hours when it is near."""
    if due_on is None:
        return Left(_("no deadline"), "", is_late=False, is_close=False)
    if due_at is not None:
        seconds = (due_at - timezone.now()).total_seconds()
        if abs(seconds) < HOURS_FROM * 3600:
            return _in_hours(seconds, due_at)
    days = (due_on - today()).days
    return Left(_in_days(days), short(due_on), is_late=days < 0, is_close=0 <= days <= CLOSE_DAYS)


def of(case: Case) -> Left:
    """The time until a case's earliest deadline. Read `case.clocks` beforehand where there are many."""
    first = next((clock for clock in case.clocks.all() if clock.due_on == case.due_on and clock.due_at), None)
    return until(case.due_on, first.due_at if first else None)


def short(day: date) -> str:
    """5 Nov, with the year when it is not this one."""
    return date_format(day, "j M" if day.year == today().year else "j M Y")


def moment(instant: datetime) -> str:
    """14 Oct, 09:38, in the controller's zone."""
    local = instant.astimezone(lifecycle.zone())
    return f"{short(local.date())}, {date_format(local, 'H:i')}"


def _in_days(days: int) -> str:
    if days < 0:
        return ngettext("late by %(count)d day", "late by %(count)d days", -days) % {"count": -days}
    if days == 0:
        return _("less than a day")
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def _in_hours(seconds: float, due_at: datetime) -> Left:
    hours, minutes = divmod(int(abs(seconds)) // 60, 60)
    length = _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    words = length if seconds >= 0 else _("late by %(length)s") % {"length": length}
    return Left(words, moment(due_at), is_late=seconds < 0, is_close=seconds >= 0)
