"""How a request is going, in words: the steps it takes, whose turn it is, what was asked."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dsr import policy
from dsr.models import AuditEntry, Case, Relation, State
from dsr.portal.answers import Answers
from dsr.portal.forms import FORMATS, relations
from dsr.portal.places import PLACES
from dsr.templatetags.portal import moment, plain_day

# The order in which an archive comes about, and the step that is on while a case rests in a state.
ORDER = (State.RECEIVED, State.VERIFIED, State.WORKING, State.REVIEW, State.COMPLETED)
DOING = {
    State.RECEIVED: State.VERIFIED,
    State.VERIFIED: State.WORKING,
    State.CONFIRMING: State.WORKING,
    State.APPROVED: State.REVIEW,
    State.EXECUTING: State.COMPLETED,
}
IN_MOTION = frozenset({State.VERIFIED, State.WORKING, State.APPROVED, State.EXECUTING})


@dataclass(frozen=True)
class Step:
    """One step: `mark` is done, now or todo (the name of its shape)."""

    title: str
    detail: str
    mark: str


@dataclass(frozen=True)
class Turn:
    """The panel on top: what the page is called, whose turn it is, and what that means."""

    headline: str
    who: str
    sentence: str
    mark: str
    colour: str


@dataclass(frozen=True)
class Line:
    """One answer on the check page; `step` is the question that changes it."""

    title: str
    answer: str
    step: str


def is_by_hand(case: Case) -> bool:
    """Whether staff answer without an archive being made."""
    return case.relation != Relation.SELF or not case.is_exporting


def turn(case: Case, *, is_ready: bool) -> Turn:
    """Whose turn it is."""
    ours, yours, over = _("Our turn"), _("Your turn"), _("Closed")
    wait = _("You need to do nothing now.")
    if is_ready:
        return Turn(_("Your data is ready"), yours, "", "now", "ok")
    told: dict[str, Turn] = {
        State.RECEIVED: Turn(_("Please confirm that it is you"), yours, "", "now", "ok"),
        State.VERIFIED: Turn(_("We are collecting your data"), ours, wait, "now", "ok"),
        State.WORKING: Turn(_("We are collecting your data"), ours, wait, "now", "ok"),
        State.REVIEW: Turn(_("A person is looking at your request"), ours, wait, "now", "ok"),
        State.APPROVED: Turn(_("We are preparing your answer"), ours, wait, "now", "ok"),
        State.EXECUTING: Turn(_("We are preparing your answer"), ours, wait, "now", "ok"),
        State.COMPLETED: Turn(_("Your request is answered"), over, "", "done", "ok"),
        State.REFUSED: Turn(_("We did not do what you asked"), over, _("The reasons are below."), "care", "warn"),
        State.WITHDRAWN: Turn(
            _("This request was stopped"),
            over,
            _("We discarded what was collected. You can ask again whenever you like."),
            "done",
            "ok",
        ),
        State.LAPSED: Turn(
            _("This request was closed"),
            over,
            _("Nobody confirmed it with the code. You can ask again whenever you like."),
            "done",
            "ok",
        ),
    }
    return told.get(case.state, told[State.REVIEW])


def taken(case: Case, *, progress: tuple[int, int] = (0, 0), has_review: bool = True) -> list[Step]:
    """The steps with their days: those behind, the one now, those to come."""
    if case.state in (State.REFUSED, State.WITHDRAWN, State.LAPSED):
        return _ended(case)
    order = [state for state in ORDER if _has_step(case, state, has_review)]
    now = _position(order, State(case.state))
    days = _days(case)
    told = []
    for number, state in enumerate(order):
        mark = "done" if number < now else "now" if number == now else "todo"
        told.append(Step(_title(case, state), _detail(case, state, mark, days, progress), mark))
    return told


def _position(order: list[State], state: State) -> int:
    """Which step is on; all of them when none is left. One that this journey leaves out is the next it has."""
    if state == State.COMPLETED:
        return len(order)
    doing = ORDER.index(DOING.get(state, state))
    return next(number for number, step in enumerate(order) if ORDER.index(step) >= doing)


def answers_in_words(given: Answers, path: list[str]) -> list[Line]:
    """The check page: every answer in words, with the question that changes it."""
    values = given.values
    found = {
        "whose": (_("Whose data"), _relation(given.relation)),
        "address": (_("Your e-mail address"), str(values.get("email", ""))),
        "receipts": (_("Your privacy receipts"), "\n".join(values.get("receipts", ()))),
        "message": (_("What we should know"), str(values.get("message", ""))),
    }
    lines = [Line(title, answer, step) for step, (title, answer) in found.items() if step in path]
    if "details" in path:
        lines += [
            Line(_("Which data"), _which(values.get("categories", ())), "details"),
            Line(_("From which time"), _period(values.get("since"), values.get("until")), "details"),
            Line(_("Files"), str(FORMATS.get(values.get("format", ""), "")), "details"),
        ]
    if values.get("name"):
        lines.append(Line(_("Your name"), str(values["name"]), path[-1]))
    if values.get("country"):
        lines.append(Line(_("Where you live"), str(dict(PLACES).get(values["country"], "")), path[-1]))
    return lines


def _has_step(case: Case, state: State, has_review: bool) -> bool:
    if state == State.WORKING:
        return not is_by_hand(case)
    return state != State.REVIEW or has_review or is_by_hand(case)


def _title(case: Case, state: State) -> str:
    by_hand = is_by_hand(case)
    return {
        State.RECEIVED: _("Received"),
        State.VERIFIED: _("Your receipts show that it is yours") if case.claim_index else _("You proved it is you"),
        State.WORKING: _("Collecting your data"),
        State.REVIEW: _("A person looks into it") if by_hand else _("A person looks through it"),
        State.COMPLETED: _("You have our answer") if by_hand else _("Your data is ready"),
    }[state]


def _detail(case: Case, state: State, mark: str, days: dict[str, datetime], progress: tuple[int, int]) -> str:
    if mark == "todo":
        return _("By %(date)s") % {"date": plain_day(case.due_on)} if state == State.COMPLETED else ""
    if mark == "now":
        if state == State.VERIFIED:
            return _("Type the code that we mailed to you.")
        if state == State.WORKING and progress[1]:
            return _("%(done)s of %(all)s systems are done.") % {"done": progress[0], "all": progress[1]}
        return ""
    # Collecting is over on the day that the review began.
    at = {State.RECEIVED: case.received_at, State.VERIFIED: case.verified_at}.get(state) or days.get(_next_of(state))
    return moment(at)


def _next_of(state: State) -> str:
    return {State.WORKING: State.REVIEW, State.REVIEW: State.APPROVED}.get(state, state).value


def _days(case: Case) -> dict[str, datetime]:
    """When each state was last reached, from the trail."""
    moves = AuditEntry.objects.filter(case_id=case.pk, act="advanced").order_by("seq").values_list("facts", "at")
    return {facts["to"]: at for facts, at in moves}


def _ended(case: Case) -> list[Step]:
    told = [Step(_("Received"), moment(case.received_at), "done")]
    if case.verified_at:
        told.append(Step(_("You proved it is you"), moment(case.verified_at), "done"))
    return [*told, Step(str(State(case.state).label), moment(case.closed_at), "done")]


def _which(chosen: list[str]) -> str:
    current = policy.current()
    titles = [found.title.text(get_language() or "en") for found in current.categories if found.id in set(chosen)]
    return ", ".join(titles) or _("Everything")


def _period(since: str | None, until: str | None) -> str:
    first = plain_day(datetime.fromisoformat(since).date()) if since else ""
    last = plain_day(datetime.fromisoformat(until).date()) if until else ""
    if first and last:
        return _("%(first)s to %(last)s") % {"first": first, "last": last}
    if first:
        return _("From %(first)s") % {"first": first}
    return _("Until %(last)s") % {"last": last} if last else _("All time")


def _relation(value: str) -> str:
    known = relations(policy.current().organisation.short)
    return next((str(label) for relation, label, _hint in known if relation == value), "")
