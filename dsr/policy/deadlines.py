"""When an answer is due under a rule, and in words why. Pure functions over dates; the rules stand in rules.toml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from dsr.policy.days import Calendar, in_words, received_on, zone
from dsr.policy.rules import RULES, Kind, Rule
from dsr.policy.text import Period

__all__ = ["RULES", "Due", "Question", "Rule", "UnknownRule", "due", "received_on"]

NAMES: dict[Kind, str] = {
    "identity": "A question about identity",
    "clarification": "A question about what is meant",
    "fee": "A request for a fee",
}


class UnknownRule(ValueError):
    """rules.toml has no rule of this name."""


@dataclass(frozen=True)
class Question:
    """Something asked of the person that may hold the clock; answered is None while no answer has come."""

    kind: Kind
    asked: date
    answered: date | None = None

    def __post_init__(self) -> None:
        if self.answered is not None and self.answered < self.asked:
            raise ValueError(f"A question asked on {self.asked} cannot have been answered on {self.answered}.")


@dataclass(frozen=True)
class Due:
    """One deadline, and the steps that lead to it.

    acknowledge_by  the day by which the person must have been told that the request came
    latest_on       the due date with the extension the rule allows, given or not; None where there is none
    notice_by       the last day to tell the person of an extension
    internal_on     a target a day earlier, where the law can be read either way
    due_at          the instant, for promises in hours
    paused_since    the clock stands still since this day, and due_on will move when the answer comes
    """

    rule: str
    due_on: date
    acknowledge_by: date | None = None
    latest_on: date | None = None
    due_at: datetime | None = None
    steps: tuple[str, ...] = ()
    notice_by: date | None = None
    internal_on: date | None = None
    paused_since: date | None = None


def due(
    rule: str,
    received: date | datetime,
    *,
    country: str = "",
    subdivision: str = "",
    timezone: str = "",
    within: Period | None = None,
    extended: bool = False,
    questions: Sequence[Question] = (),
) -> Due:
    """When the answer is due.

    An instant of receipt counts as the calendar date it has in `timezone`, or in its own zone when none is given.
    `within` is the length of a promise and belongs to rules that are `as_promised` only. An open question holds the
    clock but not the date given here: see Due.paused_since. Raises ValueError for facts that cannot be.
    """
    found = _rule(rule)
    length = _length(rule, found, within)
    instant, day = _receipt(received, timezone)
    if length.unit == "hour":
        return _due_at(rule, found, instant, length, questions)
    count = _Count(found, Calendar(country, subdivision), day, tuple(sorted(questions, key=_asked)))
    first = count.run(length)
    longest = count.run(found.extension.total) if found.extension else first
    last = longest if extended else first
    return Due(
        rule=rule,
        due_on=last.due_on,
        acknowledge_by=count.acknowledge_by(),
        latest_on=longest.due_on if found.extension else None,
        notice_by=count.notice_by(),
        internal_on=count.internal_on(last.due_on),
        paused_since=last.paused_since,
        steps=(*last.steps, *count.about_extension(first, longest, extended), *found.says, _due_step(last.due_on)),
    )


@dataclass(frozen=True)
class _Run:
    """One period counted to its end: which questions held it, its last day before and after days off."""

    start: date
    ends_on: date
    due_on: date
    paused_since: date | None = None
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Count:
    """What every period of one clock shares."""

    rule: Rule
    calendar: Calendar
    received: date
    questions: tuple[Question, ...]

    def run(self, length: Period) -> _Run:
        """Count one period, taking the questions in the order they were asked."""
        held: list[Question] = []
        steps = [f"Received on {in_words(self.received)}.", *self._not_yet_in_force()]
        for question in self.questions:
            ignored = self._ignored(question, held, length)
            steps.append(f"{_story(question)} {ignored or self._effect(question)}")
            if not ignored:
                held.append(question)
        run = self._end(length, held)
        still = [question.asked for question in held if question.answered is None]
        steps += self._length_steps(run, length)
        return replace(run, paused_since=min(still, default=None), steps=tuple(steps))

    def acknowledge_by(self) -> date | None:
        """The day by which receipt must have been confirmed."""
        if self.rule.acknowledge is None or self.rule.acknowledge == "at once":
            return self.received if self.rule.acknowledge else None
        return self._rolled(self.calendar.plus(self.received, self.rule.acknowledge))

    def notice_by(self) -> date | None:
        """The last day for the notice of an extension: inside the period, so a day off moves it back, not on."""
        if self.rule.extension is None:
            return None
        ends_on = self.run(self.rule.extension.notice).ends_on
        return self.calendar.on_or_before(ends_on) if self.rule.rolls else ends_on

    def internal_on(self, due_on: date) -> date | None:
        """A day earlier, for rules that can be read as ending then; a working day where the rule cares for those."""
        if not self.rule.target:
            return None
        day = due_on - timedelta(days=1)
        return self.calendar.on_or_before(day) if self.rule.rolls else day

    def about_extension(self, first: _Run, longest: _Run, extended: bool) -> list[str]:
        """What can be said of an extension: given, possible, or unknown to this rule."""
        if self.rule.extension is None:
            return ["This rule knows no extension."] if extended else []
        if extended:
            return [f"That is the extended period; without it, the answer was due on {in_words(first.due_on)}."]
        notice = self.notice_by()
        by = f"with reasons, told by {in_words(notice)}" if notice else "with reasons"
        return [f"It can be extended once, {by}: then to {in_words(longest.due_on)}."]

    def _end(self, length: Period, held: Sequence[Question]) -> _Run:
        starts = [self.received, *(q.answered for q in held if self._does(q) == "starts" and q.answered)]
        # The latest start wins by its end, not by its own date: from the 30th and from the 31st of January a month
        # ends on the same day, but a pause begun on the 30th is a day longer.
        return max((self._from(start, length, held) for start in starts), key=lambda run: (run.ends_on, run.start))

    def _from(self, start: date, length: Period, held: Sequence[Question]) -> _Run:
        paused = {day for question in held if self._does(question) == "pauses" for day in _days(question)}
        extra = sum(day >= start for day in paused)
        ends_on = self.calendar.plus(start, length) + timedelta(days=extra)
        return _Run(start, ends_on, self._rolled(ends_on))

    def _rolled(self, day: date) -> date:
        return self.calendar.on_or_after(day) if self.rule.rolls else day

    def _does(self, question: Question) -> str:
        return self.rule.questions.effect(question.kind)

    def _ignored(self, question: Question, held: Sequence[Question], length: Period) -> str:
        """Why this question does not hold the clock; "" if it does."""
        if question.asked < self.received:
            raise ValueError(f"Asked on {question.asked}, before the request was received on {self.received}.")
        if self._does(question) == "nothing":
            return "Under this rule that does not change the date."
        prompt = self.rule.questions.asked_within
        if prompt and question.asked > (last := self.calendar.plus(self.received, prompt)):
            return f"That was not prompt (later than {in_words(last)}), so it does not change the date."
        standing_still = any(earlier.answered is None for earlier in held)
        if not standing_still and question.asked > self._end(length, held).due_on:
            return "The answer was already due then, so it does not change the date."
        return ""

    def _effect(self, question: Question) -> str:
        if question.answered is None:
            return "The clock stands still until the answer comes; the date below moves then."
        if self._does(question) == "starts":
            return f"The clock starts with the answer, on {in_words(question.answered)}."
        return "The days from the question to the answer, both included, do not count."

    def _not_yet_in_force(self) -> list[str]:
        if self.received >= self.rule.effective_from:
            return []
        return [f"This rule is in force since {in_words(self.rule.effective_from)} and is applied all the same."]

    def _length_steps(self, run: _Run, length: Period) -> list[str]:
        plain = self.calendar.plus(run.start, length)
        says = "promises" if self.rule.as_promised else "gives"
        steps = [f"{self.rule.law} {says} {length}, counted from {in_words(run.start)}: {in_words(plain)}."]
        if extra := (run.ends_on - plain).days:
            added = "1 day that does" if extra == 1 else f"{extra} days that do"
            steps.append(f"With the {added} not count: {in_words(run.ends_on)}.")
        if run.due_on != run.ends_on:
            why = self.calendar.day_off(run.ends_on)
            steps.append(f"That is {why}, so it moves to the next working day, {in_words(run.due_on)}.")
        return steps


def _rule(name: str) -> Rule:
    if name not in RULES:
        raise UnknownRule(f"No rule {name!r}; there are {', '.join(RULES)}.")
    return RULES[name]


def _length(name: str, rule: Rule, within: Period | None) -> Period:
    if within is not None and not rule.as_promised:
        raise ValueError(f"Rule {name!r} has its own length and takes no `within`.")
    length = within or rule.length
    if length is None:
        raise ValueError(f"Rule {name!r} needs `within`, the length that was promised.")
    return length


def _receipt(received: date | datetime, timezone: str) -> tuple[datetime | None, date]:
    """The instant, in the zone it counts in, where there is one; and the calendar date."""
    if not isinstance(received, datetime):
        return None, received
    day = received_on(received, timezone or "UTC")  # refuses a time without a zone
    if not timezone:
        return received, received.date()
    return received.astimezone(zone(timezone)), day


def _due_at(name: str, rule: Rule, instant: datetime | None, length: Period, questions: Sequence[Question]) -> Due:
    if instant is None:
        raise ValueError(f"{length} are counted from an instant, not from a date.")
    # In UTC, for Python adds wall-clock hours within a zone: 48 hours over a clock change would be 47 or 49.
    due_at = (instant.astimezone(UTC) + timedelta(hours=length.number)).astimezone(instant.tzinfo)
    steps = [
        f"Received on {in_words(instant.date())} at {instant:%H:%M} ({instant:%Z}).",
        *(f"{_story(question)} Under this rule that does not change the date." for question in questions),
        f"{rule.law} promises {length}, counted from that instant.",
        f"Due on {in_words(due_at.date())} at {due_at:%H:%M} ({due_at:%Z}).",
    ]
    return Due(rule=name, due_on=due_at.date(), due_at=due_at, steps=tuple(steps))


def _asked(question: Question) -> date:
    return question.asked


def _days(question: Question) -> list[date]:
    """The days from the question to its answer, both included; none while it is open."""
    if question.answered is None:
        return []
    return [question.asked + timedelta(days=n) for n in range((question.answered - question.asked).days + 1)]


def _story(question: Question) -> str:
    if question.answered is None:
        return f"{NAMES[question.kind]} was asked on {in_words(question.asked)} and has no answer yet."
    return f"{NAMES[question.kind]} was asked on {in_words(question.asked)}, answered on {in_words(question.answered)}."


def _due_step(day: date) -> str:
    return f"Due on {in_words(day)}."
