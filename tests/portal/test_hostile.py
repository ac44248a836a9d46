"""What no browser sends: NULs, absurd lengths and other letters in every place that reaches the database."""

import pytest
from django.conf import settings
from django.urls import reverse

from dsr.models import Case
from tests import cast
from tests.portal.browsing import answer, browser, to_check

pytestmark = pytest.mark.django_db

STRANGE = ["%00", "a%00b", "x" * 300, "%EF%BF%BE", "%F0%9F%98%80", "0" * 31 + "%00", "%ED%A0%80", "٣" * 32]


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("page", ["", "code/", "download/", "note/", "withdraw/", "answer-due.ics"])
def test_an_id_that_is_none_is_not_there(lumio, strange: str, page: str) -> None:
    for client in (browser(), signed_in()):
        for send in (client.get, client.post):
            assert send(f"/en/r/{strange}/{page}").status_code < 500
            assert send(f"/en/o/{strange}/{page}").status_code < 500
    assert not Case.objects.filter(state="withdrawn").exists()


@pytest.mark.parametrize("value", ["\\000", '"a\\000b"', "x" * 5000, "é", '"\\377"'])
def test_a_session_that_is_none_is_nobodys(lumio, value: str) -> None:
    client = browser()
    client.cookies[settings.SESSION_COOKIE_NAME] = "x"
    header = f"{settings.SESSION_COOKIE_NAME}={value}"
    for path in ("/en/follow/", "/staff/", "/en/r/" + "0" * 32 + "/"):
        assert client.get(path, headers={"cookie": header}).status_code < 500


@pytest.mark.parametrize("value", ["\0", "a\0@example.com", "a@example.com\0", "\ud800@example.com"])
def test_answers_with_nuls_are_refused_or_neutral(lumio, value: str) -> None:
    client = browser()
    value = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    assert answer(client, to_check(client), "address", email=value).status_code < 500
    assert client.post("/en/follow/", {"email": value}).status_code < 500
    assert client.post("/en/claim/", {"claim": value}).status_code < 500
    done = answer(client, to_check(client, name=value), "check", "send")
    assert done.status_code < 500


@pytest.mark.parametrize("value", ["\0", "9" * 40, "٣", "a\0", "-1"])
def test_staff_pages_take_no_nul(lumio, value: str) -> None:
    case = cast.make_case()
    client = cast.signed_in_staff_client(cast.staff("root", is_superuser=True))
    page = reverse("admin:dsr_case_change", args=[case.pk])
    here = page.removesuffix("change/")
    assert client.post(reverse("admin:dsr_case_find"), {"wanted": value}).status_code < 500
    assert client.post(reverse("admin:dsr_case_find"), {"wanted": f"{value}@x"}).status_code < 500
    for act in ("try-again", "leave-out", "assign", "note", "approve"):
        said = {"job": value, "to": value, "text": value, "id": value, "why": value, "round": value}
        assert client.post(f"{here}do/{act}/", said).status_code < 500
    for listing in (
        "dsr_case_changelist",
        "dsr_job_changelist",
        "dsr_auditentry_changelist",
        "accounts_user_changelist",
    ):
        for query in ("view", "is", "did", "who", "q", "p", "o", "e"):
            assert client.get(reverse(f"admin:{listing}"), {query: value}).status_code < 500


def signed_in():
    client = browser()
    user = cast.person("ada@example.com")
    client.force_login(user)
    return client
