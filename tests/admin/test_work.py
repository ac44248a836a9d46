"""Jobs that failed: what is wrong, what helps, and the one button."""

from django.test import Client
from django.urls import reverse

from dsr.models import AuditEntry, JobState, State
from tests import cast

LIST = "admin:dsr_job_changelist"


def test_what_failed_is_listed_with_what_helps(at_ben: Client) -> None:
    case = cast.make_case(State.WORKING)
    cast.make_job(case)
    cast.make_job(None, kind="mail", key="k", problem="The mail server refused this address for good.")
    cast.make_job(case, JobState.DONE, system="fine-system")
    html = at_ben.get(reverse(LIST)).content.decode()
    for text in ("no column user_id", "Change the systems file", "refused this address", case.spoken_reference):
        assert text in html
    assert "fine-system" not in html


def test_other_states(at_ben: Client) -> None:
    case = cast.make_case(State.WORKING)
    cast.make_job(case, JobState.WAITING, system="stripe", problem="Answered 429.")
    cast.make_job(case, JobState.WAITING, system="logs")
    assert "429" not in at_ben.get(reverse(LIST)).content.decode()
    trying = at_ben.get(reverse(LIST), {"is": "trying"}).content.decode()
    assert "429" in trying
    assert "logs" not in trying
    assert "logs" in at_ben.get(reverse(LIST), {"is": "unfinished"}).content.decode()


def test_it_is_tried_again_once(at_ben: Client) -> None:
    job = cast.make_job(cast.make_case(State.WORKING))
    path = reverse("admin:dsr_job_again", args=[job.pk])
    assert at_ben.get(path).status_code == 405
    assert "tried again now" in at_ben.post(path, follow=True).content.decode()
    assert "already" in at_ben.post(path, follow=True).content.decode()
    job.refresh_from_db()
    assert job.state == JobState.WAITING
    assert AuditEntry.objects.filter(act="tried again").count() == 1


def test_it_takes_a_permission(at_eve: Client) -> None:
    job = cast.make_job(cast.make_case(State.WORKING))
    assert at_eve.get(reverse(LIST)).status_code == 403
    assert at_eve.post(reverse("admin:dsr_job_again", args=[job.pk])).status_code == 404
    reader = cast.signed_in_staff_client(cast.staff("reader", "view_job"))
    assert reader.get(reverse(LIST)).status_code == 200
    assert reader.post(reverse("admin:dsr_job_again", args=[job.pk])).status_code == 404
    job.refresh_from_db()
    assert job.state == JobState.FAILED
