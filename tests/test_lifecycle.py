from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from dsr import audit, lifecycle
from dsr.lifecycle import MOVES, NotAllowed
from dsr.models import AuditEntry, Case, State
from dsr.models.case import ENDS

pytestmark = pytest.mark.django_db


def new_case(state: State = State.RECEIVED, received_at: datetime | None = None, right: str = "access") -> Case:
    now = received_at or timezone.now()
    return Case.objects.create(
        reference=str(Case.objects.count() + 10_000_000), right=right, state=state, state_at=now, policy_version="1",
        received_at=now, received_on=now.date(), form_index=str(Case.objects.count()),
    )  # fmt: skip


@pytest.mark.parametrize("came_from", list(State))
@pytest.mark.parametrize("to", list(State))
def test_only_the_moves_of_the_table_are_made(came_from: State, to: State) -> None:
    case = new_case(came_from)
    if to in MOVES.get(came_from, ()):
        lifecycle.advance(case, to, by=audit.SYSTEM)
        assert Case.objects.get(pk=case.pk).state == to
        assert AuditEntry.objects.get().facts["to"] == to.value
    else:
        with pytest.raises(NotAllowed):
            lifecycle.advance(case, to, by=audit.SYSTEM)
        assert Case.objects.get(pk=case.pk).state == came_from
        assert not AuditEntry.objects.exists()


def test_ends_have_no_way_out_and_every_open_state_but_confirming_has_one() -> None:
    assert all(not MOVES[end] for end in ENDS)
    assert all(MOVES[state] for state in State if state not in ENDS and state != State.CONFIRMING)


def test_of_two_workers_one_moves_the_case() -> None:
    case = new_case()
    stale = Case.objects.get(pk=case.pk)
    lifecycle.advance(case, State.VERIFIED, by=audit.SYSTEM)
    with pytest.raises(NotAllowed, match="Somebody else"):
        lifecycle.advance(stale, State.WITHDRAWN, by=audit.SUBJECT)
    assert Case.objects.get(pk=case.pk).state == State.VERIFIED
    assert AuditEntry.objects.count() == 1


def test_clocks_run_under_every_rule_and_promise_and_the_earliest_is_due(lumio) -> None:
    case = new_case(received_at=datetime(2026, 10, 6, 18, 25, tzinfo=UTC))
    lifecycle.open_clocks(case)
    assert {clock.rule: clock.due_on for clock in case.clocks.all()} == {
        "promise": date(2026, 11, 5),
        "gdpr": date(2026, 11, 6),
        "ccpa": date(2026, 11, 20),
    }
    assert Case.objects.get(pk=case.pk).due_on == date(2026, 11, 5)
    assert all(clock.steps and clock.rule_version and clock.title for clock in case.clocks.all())


def test_the_day_is_the_controllers_whatever_the_servers_clock_says(lumio) -> None:
    """20:30 in San Francisco on 31 October is already November in UTC; the clocks change that night."""
    late = datetime(2026, 11, 1, 3, 30, tzinfo=UTC)
    assert {due.rule: due.due_on for due in lifecycle.expected("access", late)}["promise"] == date(2026, 11, 30)


def test_clocks_opened_anew_replace_the_old_ones(lumio) -> None:
    case = new_case(received_at=datetime(2026, 10, 6, 18, 25, tzinfo=UTC))
    lifecycle.open_clocks(case)
    case.received_at = datetime(2026, 10, 1, 18, 25, tzinfo=UTC)
    lifecycle.open_clocks(case)
    assert case.clocks.count() == 3
    assert case.due_on == date(2026, 10, 31)
