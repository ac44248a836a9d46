"""What staff can do: once, with the right to do it, and told in words."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from accounts.models import User
from dsr import audit, policy
from dsr.admin import actions
from dsr.models import Approval, AuditEntry, Case, Job, JobState, Mail, Note, Outcome, Relation, State
from tests import cast


def do(client: Client, case: Case, name: str, **said: Any) -> str:
    """Do it over HTTP; what staff are told."""
    answer = client.post(reverse("admin:dsr_case_do", args=[case.pk, name]), said)
    assert answer.status_code == 302, answer.status_code
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def reviewed(**changes: Any) -> Case:
    """A case that was gathered and waits for agreement."""
    case = cast.make_case(State.REVIEW, **changes)
    case.findings = {"identifiers": {"email": ["ada@example.org"]}, "channels": [], "unreachable": []}
    case.save()
    cast.make_part(case, [{"id": 1}])
    return case


@pytest.fixture
def two_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy asks for two people to agree to a copy of data."""
    now = policy.current()
    entries = {**now.right_entries, "access": now.right_entries["access"].model_copy(update={"review": "two"})}
    changed = now.model_copy(update={"right_entries": entries})
    changed.__dict__.pop("rights", None)
    monkeypatch.setattr(policy, "current", lambda: changed)


@pytest.fixture
def whole_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are not about the letter."""
    monkeypatch.setattr("dsr.deliver.contents.missing", lambda case: [])
    monkeypatch.setattr("dsr.deliver.review.contents.missing", lambda case: [])


pytestmark = pytest.mark.usefixtures("whole_letter")


def test_one_person_agrees(at_cleo: Client) -> None:
    case = reviewed()
    told = do(at_cleo, case, "approve", round=1)
    case.refresh_from_db()
    assert case.state == State.EXECUTING
    assert "The answer is being prepared" in told
    assert Job.objects.filter(case=case, kind="seal").count() == 1


def test_a_double_click_agrees_once(at_cleo: Client) -> None:
    case = reviewed()
    do(at_cleo, case, "approve", round=1)
    told = do(at_cleo, case, "approve", round=1)
    assert "not waiting" in told
    assert Approval.objects.filter(case=case).count() == 1
    assert AuditEntry.objects.filter(case_id=case.pk, act="approved").count() == 1


@pytest.mark.usefixtures("two_people")
def test_two_people_are_two_people(at_cleo: Client) -> None:
    case = reviewed()
    assert "second person" in do(at_cleo, case, "approve", round=1)
    assert "agreed already" in do(at_cleo, case, "approve", round=1)
    case.refresh_from_db()
    assert case.state == State.REVIEW
    page = at_cleo.get(reverse("admin:dsr_case_change", args=[case.pk])).content.decode()
    assert "do/approve/" not in page
    other = cast.signed_in_staff_client(cast.staff("dora", *cast.APPROVES))
    page = other.get(reverse("admin:dsr_case_change", args=[case.pk])).content.decode()
    assert "Agree to the release that cleo prepared" in page
    do(other, case, "approve", round=1)
    case.refresh_from_db()
    assert case.state == State.EXECUTING


def test_what_was_sent_back_meanwhile_is_not_agreed_to(at_cleo: Client) -> None:
    case = reviewed()
    Case.objects.filter(pk=case.pk).update(round=2)
    assert "sent back" in do(at_cleo, case, "approve", round=1)
    assert not Approval.objects.exists()


def test_a_new_address_holds_the_release(at_cleo: Client, cleo: User) -> None:
    case = reviewed(channel_is_young=True)
    assert "Check who it is" in do(at_cleo, case, "approve", round=1)
    assert "Give a reason" in do(at_cleo, case, "clear-channel", why=" ")
    do(at_cleo, case, "clear-channel", why="Phoned the number on the invoice.")
    case.refresh_from_db()
    assert case.channel_cleared_by == cleo
    assert "already" in do(at_cleo, case, "clear-channel", why="Again.")
    assert AuditEntry.objects.filter(act="cleared a young address").count() == 1
    do(at_cleo, case, "approve", round=1)
    case.refresh_from_db()
    assert case.state == State.EXECUTING


def test_sending_back_needs_a_reason_and_starts_a_round(at_ben: Client) -> None:
    case = reviewed()
    assert "Give a reason" in do(at_ben, case, "send-back", why="")
    do(at_ben, case, "send-back", why="Stripe looks thin.")
    do(at_ben, case, "send-back", why="Stripe looks thin.")
    case.refresh_from_db()
    assert (case.state, case.round) == (State.WORKING, 2)
    assert not case.parts.exists()


def test_refusing_tells_the_person_why(at_cleo: Client) -> None:
    case = reviewed()
    do(at_cleo, case, "refuse", why="The same was answered last week.")
    do(at_cleo, case, "refuse", why="The same was answered last week.")
    case.refresh_from_db()
    assert case.state == State.REFUSED
    assert [mail.message for mail in Mail.objects.filter(case=case, message="refused")] == ["refused"]


def test_reasons_stay_out_of_the_trail(at_cleo: Client) -> None:
    case = reviewed()
    do(at_cleo, case, "note", id=secrets.token_hex(16), text="violet secret")
    do(at_cleo, case, "message", id=secrets.token_hex(16), text="violet secret")
    do(at_cleo, case, "send-back", why="violet secret")
    do(at_cleo, case, "refuse", why="violet secret")
    assert "violet" not in str(list(AuditEntry.objects.values_list("facts", flat=True)))
    assert audit.verify() == []


def test_answered_by_hand(at_cleo: Client) -> None:
    case = cast.make_case(State.REVIEW, relation=Relation.CHILD)
    do(at_cleo, case, "by-hand", why="We sent it by post.")
    case.refresh_from_db()
    assert (case.state, case.outcome) == (State.COMPLETED, Outcome.BY_HAND)
    assert case.notes.get().body == {"text": "We sent it by post."}


def test_a_failed_system_is_tried_again(at_ben: Client) -> None:
    case = cast.make_case(State.WORKING)
    job = cast.make_job(case)
    do(at_ben, case, "try-again", job=job.pk)
    assert "already" in do(at_ben, case, "leave-out", job=job.pk, why="Too late.")
    assert "already" in do(at_ben, case, "try-again", job=job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.WAITING, 0)
    assert AuditEntry.objects.filter(act="tried again").count() == 1


def test_a_system_is_left_out_with_a_reason(at_ben: Client) -> None:
    case = cast.make_case(State.WORKING)
    case.findings = {"identifiers": {}, "channels": [], "unreachable": []}
    case.save()
    job = cast.make_job(case)
    assert "Give a reason" in do(at_ben, case, "leave-out", job=job.pk)
    do(at_ben, case, "leave-out", job=job.pk, why="Shut down in May.")
    job.refresh_from_db()
    case.refresh_from_db()
    assert (job.state, case.state) == (JobState.LEFT_OUT, State.REVIEW)


@pytest.mark.parametrize("name", ["try-again", "leave-out"])
def test_the_job_of_another_case_is_not_there(at_ben: Client, name: str) -> None:
    mine, other = cast.make_case(State.WORKING), cast.make_case(State.WORKING, email="b@example.org")
    job = cast.make_job(other)
    for pk in (job.pk, "x", ""):
        answer = at_ben.post(reverse("admin:dsr_case_do", args=[mine.pk, name]), {"job": pk, "why": "x"})
        assert answer.status_code == 404
    job.refresh_from_db()
    assert job.state == JobState.FAILED


def test_assigning(at_ben: Client, ben: User, cleo: User) -> None:
    case = cast.make_case(State.WORKING)
    do(at_ben, case, "assign", to=ben.pk, was="")
    do(at_ben, case, "assign", to=ben.pk, was="")
    case.refresh_from_db()
    assert case.assignee == ben
    assert AuditEntry.objects.filter(act="assigned").count() == 1
    assert "Somebody else changed" in do(at_ben, case, "assign", to=cleo.pk, was="")
    do(at_ben, case, "assign", to=cleo.pk, was=ben.pk)
    case.refresh_from_db()
    assert case.assignee == cleo


def test_only_staff_are_assigned(at_ben: Client) -> None:
    case, ada = cast.make_case(State.WORKING), cast.person("x@example.org")
    gone = cast.staff("gone", is_active=False)
    for to in (ada.pk, gone.pk, "", "1' OR 1=1"):
        assert "Choose a member of staff" in do(at_ben, case, "assign", to=to, was="")
    case.refresh_from_db()
    assert case.assignee is None


def test_a_message_is_written_and_mailed_once(at_ben: Client, ben: User) -> None:
    case = cast.make_case(State.WORKING)
    said = {"id": secrets.token_hex(16), "text": "Which years do you mean?"}
    do(at_ben, case, "message", **said)
    do(at_ben, case, "message", **said)
    note = case.notes.get()
    assert (note.kind, note.by, note.body) == (Note.Kind.TO_PERSON, ben, {"text": "Which years do you mean?"})
    assert Mail.objects.filter(case=case, message="note").count() == 1
    assert "years" not in str(Mail.objects.get(message="note").content)


def test_a_note_is_for_staff(at_ben: Client) -> None:
    case = cast.make_case(State.WORKING)
    do(at_ben, case, "note", id=secrets.token_hex(16), text="Knows Cleo.")
    assert case.notes.get().kind == Note.Kind.STAFF
    assert not Mail.objects.filter(message="note").exists()


@pytest.mark.parametrize("said", [{"text": " "}, {"text": "x" * 5001}, {"text": "x", "id": "../../etc"}, {"text": "x"}])
def test_a_note_that_cannot_be(at_ben: Client, said: dict[str, str]) -> None:
    case = cast.make_case(State.WORKING)
    pk = {} if said["text"] == "x" else {"id": "a" * 32}
    do(at_ben, case, "note", **(pk | said))
    assert not case.notes.exists()


def test_a_form_of_another_case_writes_nothing(at_ben: Client) -> None:
    mine, other = cast.make_case(State.WORKING), cast.make_case(State.WORKING, email="b@example.org")
    known = cast.make_note(other, Note.Kind.STAFF, "hers")
    assert "not complete" in do(at_ben, mine, "note", id=known.pk, text="mine")
    known.refresh_from_db()
    assert known.body == {"text": "hers"}
    assert not mine.notes.exists()


WITH_EVERYTHING = {"round": 1, "why": "x", "text": "x", "id": "a" * 32, "was": ""}


@pytest.mark.parametrize("name", list(actions.ACTS))
@pytest.mark.parametrize("who", ["eve", "reader"])
def test_each_act_needs_its_permission(name: str, who: str) -> None:
    user = cast.eve() if who == "eve" else cast.staff("reader", "view_case", "see_person")
    case, job = reviewed(channel_is_young=True), None
    job = cast.make_job(case)
    before = AuditEntry.objects.count()
    said = {**WITH_EVERYTHING, "to": user.pk, "job": job.pk}
    answer = cast.signed_in_staff_client(user).post(reverse("admin:dsr_case_do", args=[case.pk, name]), said)
    assert answer.status_code == 404
    assert AuditEntry.objects.count() == before
    assert not case.notes.exists()


def test_who_triages_does_not_release(at_ben: Client) -> None:
    case = reviewed()
    for name in ("approve", "refuse", "by-hand", "clear-channel"):
        answer = at_ben.post(reverse("admin:dsr_case_do", args=[case.pk, name]), WITH_EVERYTHING)
        assert answer.status_code == 404
    case.refresh_from_db()
    assert case.state == State.REVIEW
    html = at_ben.get(reverse("admin:dsr_case_change", args=[case.pk])).content.decode()
    assert "do/approve/" not in html
    assert "do/refuse/" not in html


@pytest.mark.parametrize("name", list(actions.ACTS))
def test_reading_the_address_of_an_act_does_nothing(at_cleo: Client, name: str) -> None:
    case = reviewed()
    before = AuditEntry.objects.count()
    assert at_cleo.get(reverse("admin:dsr_case_do", args=[case.pk, name])).status_code == 405
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {}])
def test_another_site_asks_in_vain(cleo: User, headers: dict[str, str]) -> None:
    case = reviewed()
    client = cast.signed_in_staff_client(cleo)
    client.defaults.pop("HTTP_ORIGIN", None)
    answer = client.post(reverse("admin:dsr_case_do", args=[case.pk, "approve"]), {"round": 1}, headers=headers)
    assert answer.status_code == 403
    case.refresh_from_db()
    assert case.state == State.REVIEW


def test_without_a_token_nothing_happens(cleo: User) -> None:
    case = reviewed()
    client = cast.signed_in_staff_client(cleo, enforce_csrf_checks=True)
    answer = client.post(reverse("admin:dsr_case_do", args=[case.pk, "approve"]), {"round": 1})
    assert answer.status_code == 403
    case.refresh_from_db()
    assert case.state == State.REVIEW


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_an_act_leads_to_no_other_site(at_ben: Client, back: str) -> None:
    case = cast.make_case(State.WORKING)
    answer = at_ben.post(
        reverse("admin:dsr_case_do", args=[case.pk, "note"]), {"id": "a" * 32, "text": "x", "back": back}
    )
    assert answer["Location"] == reverse("admin:dsr_case_change", args=[case.pk])


def test_an_act_that_does_not_exist(at_cleo: Client) -> None:
    case = cast.make_case(State.REVIEW)
    assert at_cleo.post(reverse("admin:dsr_case_do", args=[case.pk, "delete"])).status_code == 404


def test_a_whole_case_from_question_to_release(
    at_cleo: Client, cleo: User, company: Callable[[str], policy.Policy]
) -> None:
    case = reviewed()
    do(at_cleo, case, "assign", to=cleo.pk, was="")
    at_cleo.post(reverse("admin:dsr_case_person", args=[case.pk]))
    at_cleo.post(reverse("admin:dsr_case_look", args=[case.pk, "app", "account"]))
    do(at_cleo, case, "approve", round=1)
    html = at_cleo.get(reverse("admin:dsr_case_change", args=[case.pk])).content.decode()
    for sentence in ("looked at who asked", "looked at rows", "agreed to the release", "Approved → Preparing"):
        assert sentence in html


@pytest.mark.parametrize("name", ["approve", "refuse", "by-hand"])
def test_a_screen_left_alone_cannot_do_what_cannot_be_undone(cleo: User, name: str) -> None:
    case = reviewed(relation=Relation.CHILD if name == "by-hand" else Relation.SELF)
    client = cast.signed_in_staff_client(cleo, minutes_ago=31)
    said = {"round": 1} if name == "approve" else {"why": "x"}
    answer = client.post(reverse("admin:dsr_case_do", args=[case.pk, name]), said)
    assert answer["Location"].startswith("/staff/account/confirm/")
    case.refresh_from_db()
    assert case.state == State.REVIEW
    assert "why=" not in str(client.session.get("account_reauthentication_state", ""))
    # What can be undone goes on.
    do(client, case, "note", id="b" * 32, text="x")
    assert case.notes.count() == 1


def test_after_the_password_it_is_done(cleo: User) -> None:
    case = reviewed()
    client = cast.signed_in_staff_client(cleo, minutes_ago=31, enforce_csrf_checks=True)
    page = reverse("admin:dsr_case_change", args=[case.pk])
    said = {"round": 1, "csrfmiddlewaretoken": client.get(page).context["csrf_token"]}
    asked = client.post(reverse("admin:dsr_case_do", args=[case.pk, "approve"]), said)
    form = client.get(asked["Location"])
    next_url = form.context["redirect_field_value"]
    confirmed = {"password": "a long password", "next": next_url, "csrfmiddlewaretoken": form.context["csrf_token"]}
    answer = client.post(asked["Location"], confirmed)
    assert answer["Location"] == page
    case.refresh_from_db()
    assert case.state == State.EXECUTING
