"""Who gets to the staff side, and which doors it has."""

import time
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts import second_factor, sessions, staff
from accounts.models import User
from dsr.models import AuditEntry, Case, Job, State
from tests import cast

INDEX = "/staff/"


def test_two_factors_open_the_queue(at_ben: Client) -> None:
    answer = at_ben.get(INDEX)
    assert answer.status_code == 200
    assert "What I should do now" in answer.content.decode()


def test_a_real_sign_in_leads_back_to_where_one_was_going() -> None:
    user = staff.add("ben@staff.example", name="ben", is_superuser=True, password="violet-harbour-41")
    second_factor.set_totp(user, cast.TOTP_SECRET)
    case = cast.make_case(State.REVIEW)
    wanted = reverse("admin:dsr_case_change", args=[case.pk])
    client = Client(headers={"origin": "http://localhost:8000"}, SERVER_NAME="localhost")
    sign_in = client.get(wanted, follow=True).redirect_chain[-1][0]
    form = {"login": user.email, "password": "violet-harbour-41"}
    factor = client.post(sign_in, form, follow=True)
    assert factor.request["PATH_INFO"] == reverse("mfa_authenticate")
    arrived = client.post(
        factor.redirect_chain[-1][0], {"code": second_factor.current_totp(cast.TOTP_SECRET)}, follow=True
    )
    assert arrived.redirect_chain[-1][0] == wanted
    assert case.spoken_reference in arrived.content.decode()


def test_a_password_alone_opens_nothing(ben: User) -> None:
    case = cast.make_case(State.REVIEW)
    client = cast.signed_in_staff_client(ben, with_factor=False)
    for path in (INDEX, reverse("admin:dsr_case_change", args=[case.pk]), reverse("admin:dsr_auditentry_changelist")):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/staff/login/")


def test_a_lost_factor_closes_the_running_session(ben: User, at_ben: Client) -> None:
    assert at_ben.get(INDEX).status_code == 200
    staff.forget_factors(ben)
    assert at_ben.get(INDEX).status_code == 302


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_former_staff_are_out_at_once(ben: User, at_ben: Client, change: dict[str, bool]) -> None:
    User.objects.filter(pk=ben.pk).update(**change)
    assert at_ben.get(INDEX).status_code == 302


def test_a_person_with_a_mailed_code_is_not_staff() -> None:
    ada = cast.person()
    User.objects.filter(pk=ada.pk).update(is_staff=False)
    client = cast.signed_in_staff_client(ada)
    assert client.get(INDEX).status_code == 302


def test_a_session_left_alone_ends(at_ben: Client) -> None:
    session = at_ben.session
    session[sessions.STAFF_SEEN] = time.time() - 86_400
    session.save()
    assert at_ben.get(INDEX).status_code == 302


def test_staff_without_permissions_see_nothing(at_eve: Client) -> None:
    case = cast.make_case(State.REVIEW)
    answer = at_eve.get(INDEX)
    assert answer.status_code == 200
    assert case.spoken_reference not in answer.content.decode()
    assert "nobody gave you anything" in answer.content.decode()


def test_only_what_we_list_is_in_the_admin() -> None:
    assert set(admin.site._registry) == {Case, Job, AuditEntry, User}


@pytest.mark.parametrize(
    "path",
    [
        "dsr/case/add/",
        "dsr/case/{case}/delete/",
        "dsr/case/{case}/history/",
        "dsr/auditentry/add/",
        "dsr/auditentry/1/change/",
        "dsr/job/add/",
        "accounts/user/add/",
        "accounts/user/{user}/password/",
        "accounts/user/{user}/delete/",
        "auth/group/",
        "mfa/authenticator/",
        "account/emailaddress/",
    ],
)
def test_stock_doors_are_walled_up(path: str) -> None:
    root = cast.staff("root", is_superuser=True)
    client = cast.signed_in_staff_client(root)
    case = cast.make_case(State.REVIEW)
    assert client.get(INDEX + path.format(case=case.pk, user=root.pk)).status_code == 404


def test_signing_out_takes_a_post(at_ben: Client) -> None:
    assert at_ben.get("/staff/logout/").status_code == 405
    assert at_ben.get(INDEX).status_code == 200
    assert at_ben.post("/staff/logout/").status_code == 302
    assert at_ben.get(INDEX).status_code == 302


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_sign_in_leads_to_no_other_site(at_ben: Client, where: str) -> None:
    assert at_ben.get("/staff/login/", {"next": where})["Location"] == INDEX


def test_the_policy_of_the_page_allows_nothing_inline(at_ben: Client) -> None:
    answer = at_ben.get(INDEX)
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    html = answer.content.decode()
    for inline in ("<style", " style=", " onclick=", "<script>"):
        assert inline not in html


def test_staff_pages_are_not_kept_by_the_browser(at_ben: Client) -> None:
    cached: Any = at_ben.get(INDEX)["Cache-Control"]
    assert "no-store" in cached


@pytest.mark.parametrize(
    ("where", "lookup"),
    [
        ("admin:accounts_user_changelist", "password__startswith=argon2"),
        ("admin:dsr_case_changelist", "who_index__lt=8"),
        ("admin:dsr_case_changelist", "reference__regex=(1%2B)%2B$"),
        ("admin:dsr_job_changelist", "lease__startswith=a"),
        ("admin:dsr_auditentry_changelist", "mac__startswith=a"),
    ],
)
def test_no_list_lets_a_value_be_felt_out_by_the_address(where: str, lookup: str) -> None:
    cast.make_case(State.REVIEW)
    client = cast.signed_in_staff_client(cast.staff("root", is_superuser=True))
    assert client.get(reverse(where)).status_code == 200
    assert client.get(f"{reverse(where)}?{lookup}").status_code == 400
