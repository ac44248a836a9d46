"""The page of a request, in each state, and what its owner can do there."""

import pytest
from django.test import Client

from dsr import notify
from dsr.models import Case, JobState, Mail, Note, State
from dsr.models.case import ENDS
from dsr.portal import steps
from tests.cast import ben, make_job
from tests.portal.browsing import ADA, browser, file, text, title, verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Client:
    return browser()


@pytest.fixture
def case(ada: Client) -> Case:
    return verified(ada)


def page(client: Client, case: Case, rest: str = ""):
    return client.get(f"/en/r/{case.pk}/{rest}")


def put(case: Case, **changes) -> None:
    Case.objects.filter(pk=case.pk).update(**changes)


@pytest.mark.parametrize("state", [state for state in State if state not in (State.JOINED, State.RECEIVED)])
@pytest.mark.parametrize("relation", ["self", "child"])
def test_every_state_has_its_page(ada: Client, case: Case, state: State, relation: str) -> None:
    put(case, state=state, relation=relation, closed_at=case.verified_at if state in ENDS else None)
    shown = page(ada, case)
    assert shown.status_code == 200
    assert case.spoken_reference in text(shown)
    if state not in ENDS:
        assert "We answer <strong>by" in text(shown)


def test_it_renews_itself_only_while_work_runs(ada: Client, case: Case) -> None:
    assert page(ada, case)["Refresh"] == "15"
    assert "Refresh" not in page(ada, case, "?still")
    put(case, state=State.REVIEW)
    assert "Refresh" not in page(ada, case)


def test_it_is_not_kept_by_the_browser(ada: Client, case: Case) -> None:
    assert page(ada, case)["Cache-Control"] == "no-store"


def test_each_clock_says_its_day_and_why(ada: Client, case: Case) -> None:
    shown = text(page(ada, case))
    assert case.clocks.count() == 3
    for clock in case.clocks.all():
        assert clock.title in shown
        assert clock.steps[0] in shown
    assert "Our own promise: 30 days" in shown


def test_each_system_says_how_far_it_is(ada: Client, case: Case) -> None:
    put(case, state=State.WORKING)
    make_job(case, JobState.DONE, system="app")
    trying = make_job(case, JobState.WAITING, system="billing", problem="connection refused by 10.0.0.7")
    make_job(case, JobState.FAILED, system="support")
    shown = text(page(ada, case))
    assert "1 of 3 systems" in shown
    assert "We could not reach this yet." in shown
    assert "With a person" in shown
    assert trying.problem not in shown  # what went wrong is for staff


def test_a_late_answer_is_owned_up_to(ada: Client, case: Case) -> None:
    put(case, due_on="2020-01-01")
    assert "We are late, and we are sorry." in text(page(ada, case))


def test_messages_go_both_ways(ada: Client, case: Case) -> None:
    notify.note(case, Note.Kind.TO_PERSON, "Which products?\n<b>Both?</b>", ben())
    notify.note(case, Note.Kind.STAFF, "looks like a journalist", None)
    response = ada.post(f"/en/r/{case.pk}/note/", {"words": "Both.\u202e<img src=x>"})
    assert response["Location"].endswith("#messages")
    shown = text(page(ada, case))
    assert "Which products?<br>&lt;b&gt;Both?&lt;/b&gt;" in shown
    assert "&lt;img src=x&gt;" in shown
    assert "journalist" not in shown
    assert case.notes.get(kind=Note.Kind.FROM_PERSON).body == {"text": "Both.\u202e<img src=x>"}


@pytest.mark.parametrize("words", ["", "   ", "x" * 4001])
def test_an_empty_or_endless_message_is_not_taken(ada: Client, case: Case, words: str) -> None:
    assert title(ada.post(f"/en/r/{case.pk}/note/", {"words": words})).startswith("Error:")
    assert not case.notes.exists()


def test_messages_are_bounded(ada: Client, case: Case) -> None:
    statuses = [ada.post(f"/en/r/{case.pk}/note/", {"words": f"{n}"}).status_code for n in range(21)]
    assert statuses[-1] == 429
    assert case.notes.count() == 20


@pytest.mark.parametrize(("act", "told"), [("withdraw", False), ("dispute", True)])
def test_stopping_it(ada: Client, case: Case, act: str, told: bool) -> None:
    assert page(ada, case, f"{act}/").status_code == 200
    case.refresh_from_db()
    assert case.state == State.VERIFIED
    assert ada.post(f"/en/r/{case.pk}/{act}/").status_code == 303
    case.refresh_from_db()
    assert case.state == State.WITHDRAWN
    assert Mail.objects.get(message="withdrawn").content["values"]["disputed"] is told
    assert title(page(ada, case)) == "This request was stopped"


def test_what_is_over_cannot_be_stopped(ada: Client, case: Case) -> None:
    put(case, state=State.REFUSED)
    response = ada.post(f"/en/r/{case.pk}/withdraw/")
    assert response.status_code == 409
    assert "This request is closed already." in text(response)


def test_the_date_as_a_calendar_entry(ada: Client, case: Case) -> None:
    """ical: the reference and the day; neither the right nor anything of the person."""
    entry = text(page(ada, case, "answer-due.ics"))
    assert entry.startswith("BEGIN:VCALENDAR\r\n")
    assert f"DTSTART;VALUE=DATE:{case.due_on:%Y%m%d}\r\n" in entry
    assert case.spoken_reference in entry
    assert not [word for word in (ADA, "access", "copy", case.pk) if word in entry]


def test_who_filed_may_save_the_date_before_the_code() -> None:
    client = browser()
    _, filed = file(client)
    assert page(client, filed, "answer-due.ics").status_code == 200
    assert page(browser(), filed, "answer-due.ics").status_code == 404


def test_the_authority_is_the_persons_own(ada: Client) -> None:
    assert "Data Protection Commission" in text(page(ada, verified(ada, country="IE")))


def test_the_steps_in_order() -> None:
    """One step is on, those before it are done, those behind it to come."""
    expected = {
        State.RECEIVED: "done now todo todo todo",
        State.VERIFIED: "done done now todo todo",
        State.WORKING: "done done now todo todo",
        State.REVIEW: "done done done now todo",
        State.APPROVED: "done done done now todo",
        State.EXECUTING: "done done done done now",
        State.COMPLETED: "done done done done done",
    }
    for state, marks in expected.items():
        case = Case(right="access", state=state)
        assert " ".join(step.mark for step in steps.taken(case)) == marks
        without_review = [step.mark for step in steps.taken(case, has_review=False)]
        assert len(without_review) == 4
        assert without_review.count("now") == (state != State.COMPLETED)
