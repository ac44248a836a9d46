"""The queue: who should act on what, and nobody who asked."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from dsr.admin import left, queue
from dsr.models import Approval, Case, JobState, Note, Relation, State
from tests import cast


def seen(view: str, user: User) -> set[Case]:
    return set(Case.objects.filter(queue.condition(view, user)))


def test_review_is_for_its_assignee_and_of_nobodys_for_everybody(ben: User, cleo: User) -> None:
    mine = cast.make_case(State.REVIEW, assignee=ben)
    nobodys = cast.make_case(State.REVIEW, email="b@example.org")
    hers = cast.make_case(State.REVIEW, email="c@example.org", assignee=cleo)
    assert seen("now", ben) == {mine, nobodys}
    assert seen("waiting", ben) == {hers}


def test_a_second_agreement_is_asked_of_everybody_but_the_first(ben: User, cleo: User) -> None:
    case = cast.make_case(State.REVIEW, assignee=ben)
    Approval.objects.create(case=case, by=ben, round=1, at=timezone.now())
    assert seen("now", ben) == set()
    assert seen("now", cleo) == {case}
    Case.objects.filter(pk=case.pk).update(round=2)
    assert seen("now", ben) == {case}


def test_failed_work_is_for_staff_even_behind_a_closed_request(ben: User) -> None:
    stuck = cast.make_case(State.WORKING, assignee=ben)
    cast.make_job(stuck)
    unsent = cast.make_case(State.REFUSED, email="b@example.org", assignee=ben)
    cast.make_job(unsent, kind="mail", key="k")
    fine = cast.make_case(State.WORKING, email="c@example.org", assignee=ben)
    cast.make_job(fine, JobState.WAITING)
    assert seen("now", ben) == {stuck, unsent}


def test_a_question_waits_until_somebody_answers(ben: User) -> None:
    case = cast.make_case(State.WORKING, assignee=ben)
    assert seen("now", ben) == set()
    cast.make_note(case, Note.Kind.STAFF, "earlier", ben)
    cast.make_note(case, Note.Kind.FROM_PERSON, "When?")
    assert seen("now", ben) == {case}
    cast.make_note(case, Note.Kind.TO_PERSON, "On Monday.", ben)
    assert seen("now", ben) == set()


def test_a_dispute_waits_until_somebody_wrote_what_they_found(ben: User) -> None:
    case = cast.make_case(State.WITHDRAWN, assignee=ben)
    cast.make_job(case, JobState.DONE, kind="remove", key="disputed")
    assert seen("now", ben) == {case}
    cast.make_note(case, Note.Kind.STAFF, "Phoned; it was their son.", ben)
    assert seen("now", ben) == set()


def test_a_new_address_waits_until_it_is_checked(ben: User, cleo: User) -> None:
    case = cast.make_case(State.WORKING, assignee=ben, channel_is_young=True)
    assert seen("now", ben) == {case}
    Case.objects.filter(pk=case.pk).update(channel_cleared_by=cleo)
    assert seen("now", ben) == set()


def test_nobody_looks_after_it(ben: User) -> None:
    case = cast.make_case(State.WORKING)
    assert seen("now", ben) == {case}


def test_unproven_requests_are_in_nobodys_way(ben: User) -> None:
    robot = cast.make_case(State.RECEIVED, due_on=left.today())
    assert seen("now", ben) == seen("waiting", ben) == seen("week", ben) == set()
    assert seen("open", ben) == {robot}
    assert queue.counts(Case.objects.all(), ben)["soon"] == 0


def test_this_week_and_closed(ben: User) -> None:
    soon = cast.make_case(State.WORKING, assignee=ben, due_on=left.today() + timedelta(days=7))
    cast.make_case(State.WORKING, email="b@example.org", assignee=ben, due_on=left.today() + timedelta(days=8))
    done = cast.make_case(State.COMPLETED, email="c@example.org")
    assert seen("week", ben) == {soon}
    assert seen("closed", ben) == {done}


def test_an_unknown_view_holds_nothing(ben: User) -> None:
    cast.make_case(State.REVIEW)
    assert seen("everything", ben) == set()


def test_counts_are_the_views(ben: User, cleo: User) -> None:
    cast.make_case(State.REVIEW, due_on=left.today() - timedelta(days=1))
    cast.make_case(State.REVIEW, email="b@example.org", assignee=cleo, due_on=left.today() + timedelta(days=1))
    cast.make_case(State.COMPLETED, email="c@example.org")
    numbers = queue.counts(Case.objects.all(), ben)
    assert {view: numbers[view] for view in queue.VIEWS} == {v: len(seen(v, ben)) for v in queue.VIEWS}
    assert (numbers["late"], numbers["soon"]) == (1, 1)


def test_what_is_due_first_stands_first(at_ben: Client) -> None:
    later = cast.make_case(State.REVIEW, due_on=left.today() + timedelta(days=9))
    sooner = cast.make_case(State.REVIEW, email="b@example.org", due_on=left.today() + timedelta(days=2))
    html = at_ben.get("/staff/").content.decode()
    assert html.index(sooner.spoken_reference) < html.index(later.spoken_reference)
    assert "None late." in html


@pytest.mark.parametrize("view", list(queue.VIEWS))
def test_the_person_is_in_no_list(at_ben: Client, view: str) -> None:
    for state in State:
        cast.make_case(state, email=f"{state}@people.example", name="Ada Kaya", message="my secret", country="TR")
    html = at_ben.get("/staff/dsr/case/", {"view": view}).content.decode()
    for value in ("people.example", "Ada", "Kaya", "my secret"):
        assert value not in html


def test_a_long_list_takes_no_more_queries(
    at_ben: Client, ben: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        case = cast.make_case(State.REVIEW, email=f"{number}@example.org", assignee=ben if number % 2 else None)
        if number % 3:
            cast.make_job(case, key=str(number))
        if number % 2:
            cast.make_note(case, Note.Kind.FROM_PERSON, "When?")
    with django_assert_max_num_queries(16):
        html = at_ben.get("/staff/").content.decode()
    assert html.count("data-line") == 30


def test_flags(ben: User) -> None:
    case = cast.make_case(State.REVIEW, relation=Relation.CHILD, channel_is_young=True, round=2)
    (line,) = queue.lines([case], ben)
    assert set(line.flags) >= {"By hand", "For a child", "New address", "Sent back"}


def test_what_is_anothers_waits_for_the_other(ben: User, cleo: User) -> None:
    case = cast.make_case(State.WORKING, assignee=cleo)
    cast.make_job(case)
    assert queue.lines([case], ben)[0].waits_for == "cleo"
    assert queue.lines([case], cleo)[0].waits_for == "You"
