"""Which requests need whom now: the views of the queue, and a line for each request. Who asked is in none of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from dsr import policy
from dsr.admin import left, steps
from dsr.admin.left import Left
from dsr.admin.steps import Facts, Step
from dsr.models import Approval, Case, Outcome, Relation, State
from dsr.models.case import ENDS

VIEWS = {
    "now": gettext_lazy("Do now"),
    "waiting": gettext_lazy("Waiting for others"),
    "week": gettext_lazy("Due this week"),
    "open": gettext_lazy("All open"),
    "closed": gettext_lazy("Closed"),
}
RIGHTS = {
    "access": gettext_lazy("Access"),
    "export": gettext_lazy("Export"),
    "correction": gettext_lazy("Correction"),
    "deletion": gettext_lazy("Deletion"),
    "restriction": gettext_lazy("Restriction"),
    "objection": gettext_lazy("Objection"),
    "opt-out": gettext_lazy("Opt-out"),
    "withdrawal": gettext_lazy("Withdrawal of consent"),
}
RELATIONS = {
    "self": gettext_lazy("For themselves"),
    "child": gettext_lazy("For a child"),
    "agent": gettext_lazy("Through an agent"),
    "user": gettext_lazy("Customer’s user"),
    "mentioned": gettext_lazy("In others’ data"),
}


@dataclass(frozen=True)
class Line:
    """One request in the list."""

    case: Case
    right: str
    left: Left
    step: Step
    waits_for: str
    flags: list[str]


class ViewFilter(SimpleListFilter):
    """Narrows the list to one view; without a choice, to what the reader should do now."""

    title = gettext_lazy("view")
    parameter_name = "view"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """The views by name."""
        return VIEWS.items()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        """The requests of the chosen view."""
        return queryset.filter(condition(self.value() or "now", reader(request)))


def condition(view: str, user: User) -> Q:
    """Which requests belong to a view. A view that does not exist holds none."""
    # An unproven request may come from a robot, ten thousand at once: it waits where it is in nobody's way.
    is_open = ~Q(state__in=ENDS)
    is_proven = is_open & ~Q(state=State.RECEIVED)
    conditions = {
        "now": needs(user),
        "waiting": is_proven & ~needs(user),
        "week": is_proven & Q(due_on__lte=left.today() + timedelta(days=7)),
        "open": is_open,
        "closed": Q(state__in=ENDS),
    }
    return conditions.get(view, Q(pk__in=[]))


def needs(user: User) -> Q:
    """Requests that this member of staff should act on: theirs and nobody's, and those that lack their agreement."""
    mine = Q(assignee=user) | Q(assignee=None)
    of_round = Approval.objects.filter(case=OuterRef("pk"), round=OuterRef("round"))
    agreed_by_me, agreed_by_other = Exists(of_round.filter(by=user)), Exists(of_round.exclude(by=user))
    in_review = Q(state=State.REVIEW) & ~Q(agreed_by_me)
    young = Q(channel_is_young=True, channel_cleared_by=None) & ~Q(state__in=[State.RECEIVED, *ENDS])
    untaken = Q(assignee=None) & ~Q(state__in=[State.RECEIVED, *ENDS]) & ~Q(state=State.REVIEW)
    wrong = steps.failed() | steps.disputed() | steps.unanswered() | young
    return (mine & (wrong | in_review)) | (in_review & Q(agreed_by_other)) | untaken


def counts(cases: QuerySet[Case], user: User) -> dict[str, int]:
    """How many requests each view holds, in one query; and how many are late or due within a day."""
    is_proven = ~Q(state__in=[State.RECEIVED, *ENDS])
    today = left.today()
    wanted = {view: condition(view, user) for view in VIEWS} | {
        "late": is_proven & Q(due_on__lt=today),
        "soon": is_proven & Q(due_on__gte=today, due_on__lte=today + timedelta(days=1)),
    }
    return cases.aggregate(**{name: Count("pk", filter=chosen) for name, chosen in wanted.items()})


def lines(cases: list[Case], user: User) -> list[Line]:
    """A line for each request, with a number of queries that does not grow with the list."""
    prefetch_related_objects(cases, "clocks")
    known = steps.facts(cases)
    return [_line(case, user, known[case.pk]) for case in cases]


def _line(case: Case, user: User, known: Facts) -> Line:
    step = steps.next_step(case, user, known)
    return Line(case, str(RIGHTS[case.right]), left.of(case), step, _waits_for(case, user, step), flags(case, known))


def _waits_for(case: Case, user: User, step: Step) -> str:
    if step.is_mine and case.assignee is not None and case.assignee_id != user.pk and step.kind != steps.Kind.APPROVE:
        return str(case.assignee)
    return step.waits_for


def flags(case: Case, known: Facts) -> list[str]:
    """What is out of the ordinary, a few words each."""
    found = {
        _("By hand"): steps.is_by_hand(case),
        str(RELATIONS[case.relation]): case.relation != Relation.SELF,
        _("Two people"): case.is_open and policy.current().right(case.right).review == "two",
        _("New address"): steps.has_uncleared_channel(case),
        _("Sent back"): case.is_open and case.round > 1,
        _("In part"): case.outcome == Outcome.PARTIAL,
        _("Disputed"): known.is_disputed,
    }
    return [words for words, is_so in found.items() if is_so]


def reader(request: HttpRequest) -> User:
    """The member of staff who reads this page."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("only staff who signed in reach the queue")
    return user
