"""The state machine and its clocks: the only writer of Case.state."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from dsr import audit, policy
from dsr.models import Case, Clock, State
from dsr.models.case import ENDS
from dsr.policy import deadlines

_OUT = {State.WITHDRAWN, State.REFUSED}
MOVES: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.VERIFIED, State.JOINED, State.LAPSED, *_OUT}),
    State.VERIFIED: frozenset({State.WORKING, State.REVIEW, State.JOINED, *_OUT}),
    State.WORKING: frozenset({State.REVIEW, *_OUT}),
    State.CONFIRMING: frozenset(),  # nothing waits for the person yet
    State.REVIEW: frozenset({State.WORKING, State.APPROVED, State.COMPLETED, *_OUT}),
    State.APPROVED: frozenset({State.EXECUTING, *_OUT}),
    State.EXECUTING: frozenset({State.WORKING, State.COMPLETED, *_OUT}),
} | {end: frozenset() for end in ENDS}


class NotAllowed(Exception):
    """The case cannot do that now; the sentence says why and what can be done."""


@audit.recorded()
def advance(case: Case, to: State, *, by: str, why: str = "", **facts: object) -> None:
    """Move a case, once: a compare-and-swap and its entry in the trail, in one transaction.

    Raises NotAllowed when the move is not in MOVES or another worker moved the case first.
    """
    came_from = State(case.state)
    if to not in MOVES[came_from]:
        raise NotAllowed(
            _("A request that is “%(now)s” cannot become “%(then)s”.") % {"now": came_from.label, "then": to.label}
        )
    now = timezone.now()
    changes: dict[str, object] = {"state": to, "state_at": now}
    if to in ENDS:
        changes["closed_at"] = now
    if to == State.VERIFIED:
        changes["verified_at"] = now
    if not Case.objects.filter(pk=case.pk, state=came_from).update(**changes):
        raise NotAllowed(_("Somebody else changed this request just now. Look at it again."))
    for name, value in changes.items():
        setattr(case, name, value)
    audit.append("advanced", actor=by, case=case, came_from=came_from.value, to=to.value, why=why, **facts)


def lock(case: Case) -> Case:
    """The case read anew and locked until the transaction ends: two workers count jobs one after the other."""
    return Case.objects.select_for_update().get(pk=case.pk)


def zone() -> ZoneInfo:
    """The controller's time zone: the one that dates are reckoned in."""
    return ZoneInfo(policy.current().organisation.timezone)


def expected(right: str, received_at: datetime | None = None) -> list[deadlines.Due]:
    """Every deadline that a request under this right has if it arrives then, the earliest first."""
    now_policy = policy.current()
    organisation = now_policy.organisation
    received = (received_at or timezone.now()).astimezone(zone())
    found = [
        deadlines.due(rule, received, country=organisation.country, subdivision=organisation.subdivision)
        for rule in now_policy.rules
    ]
    within = now_policy.right(right).within
    if within is not None:
        found.append(deadlines.due("promise", received, within=within))
    return sorted(found, key=lambda due: due.due_on)


@transaction.atomic
def open_clocks(case: Case) -> None:
    """Open a clock for each rule and promise, or open them anew after the receipt date changed."""
    case.clocks.all().delete()
    Clock.objects.bulk_create(
        Clock(
            case=case,
            rule=due.rule,
            rule_version=deadlines.RULES[due.rule].version,
            title=deadlines.RULES[due.rule].title,
            due_on=due.due_on,
            due_at=due.due_at,
            acknowledge_by=due.acknowledge_by,
            internal_on=due.internal_on,
            latest_on=due.latest_on,
            steps=list(due.steps),
        )
        for due in expected(case.right, case.received_at)
    )
    case.due_on = case.clocks.aggregate(first=Min("due_on"))["first"]
    Case.objects.filter(pk=case.pk).update(due_on=case.due_on)
