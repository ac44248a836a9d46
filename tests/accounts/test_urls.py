"""What the staff's pages offer, and what they do not."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.models import User
from tests.accounts.conftest import PASSWORD, SECRET, Browser, new_browser


@pytest.mark.parametrize("name", ["account_signup", "account_email", "account_set_password", "mfa_trust"])
def test_what_is_not_offered_has_no_address(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.parametrize("path", ["signup/", "sign-up/", "email/", "login/code/", "password/set-password/"])
def test_there_is_no_sign_up(browser: Browser, path: str) -> None:
    form = {"email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD}
    answer = browser.send(path, form)
    # Behind our addresses lie the admin's, which sends strangers to a sign-in page.
    assert answer.status_code in (302, 404)
    assert not User.objects.exists()


def test_signing_out_takes_a_post(browser: Browser, ben: User) -> None:
    browser.sign_in(ben)
    assert browser.page("sign-out/").status_code == 200
    assert browser.client.head("/staff/account/sign-out/").status_code == 200
    assert browser.reaches_staff_pages()
    before = browser.client.session.session_key
    browser.send("sign-out/")
    assert not browser.reaches_staff_pages()
    assert browser.client.session.session_key != before


def test_signing_out_from_another_site_is_refused(ben: User) -> None:
    browser = new_browser(enforce_csrf_checks=True)
    assert browser.send("sign-out/").status_code == 403
    assert browser.password(ben).status_code == 403


def link_in_mail() -> str:
    found = re.search(r"http\S+", str(mail.outbox[-1].body))
    assert found
    return found[0]


def test_a_link_sets_a_new_password_once_and_ends_other_sessions(browser: Browser, other: Browser, ben: User) -> None:
    other.sign_in(ben)
    answer = browser.send("password/reset/", {"email": ben.email}, Host="testserver")
    assert answer["Location"] == "/staff/account/password/reset/sent/"
    link = link_in_mail()
    assert link.startswith("http://localhost:8000/staff/account/password/reset/key/")
    path = link.removeprefix("http://localhost:8000")
    # Opening it, as mail scanners do, uses nothing up.
    Client().get(path)
    form_path = browser.client.get(path)["Location"]
    assert browser.client.get(form_path).status_code == 200
    form = {"password1": "copper-lantern-88", "password2": "copper-lantern-88"}
    assert browser.client.post(form_path, form)["Location"] == "/staff/account/password/set/"
    assert not browser.reaches_staff_pages()
    assert not other.reaches_staff_pages()
    assert b"does not work" in Client().get(path).content
    assert browser.password(ben).status_code == 200
    assert browser.password(ben, "copper-lantern-88").status_code == 302


def test_a_poisoned_host_makes_no_link(browser: Browser, ben: User) -> None:
    answer = browser.send("password/reset/", {"email": ben.email}, Host="evil.example")
    assert answer.status_code == 400
    answer = browser.send("password/reset/", {"email": ben.email}, **{"X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 302
    assert "evil" not in str(mail.outbox[-1].body)


def test_only_staff_get_a_link(browser: Browser, ada: User, ben: User) -> None:
    for email in (ada.email, "eve@example.com"):
        assert browser.send("password/reset/", {"email": email}).status_code == 302
    assert mail.outbox == []
    browser.send("password/reset/", {"email": ben.email})
    assert [message.to for message in mail.outbox] == [[ben.email]]


def test_passwords_are_guessed_a_few_times_only(browser: Browser, ben: User) -> None:
    for _ in range(6):
        assert browser.password(ben, "not-this-one").status_code == 200
    assert browser.password(ben).status_code == 200


def test_staff_hear_of_a_removed_factor(browser: Browser, ben: User) -> None:
    browser.sign_in(ben)
    browser.send("factors/app/remove/")
    (message,) = mail.outbox
    assert message.to == ["ben@example.com"]
    assert "If this was not you" in str(message.body)
    assert SECRET not in str(message.body)


@pytest.mark.parametrize(
    "path",
    [
        "sign-in/", "sign-out/", "closed/", "password/reset/", "password/reset/sent/", "password/set/",
        "password/reset/key/0123-abc/", "password/change/", "factors/", "factors/app/remove/", "factors/keys/",
        "factors/keys/add/", "factors/recovery-codes/new/", "confirm/password/", "confirm/second-factor/",
    ],
)  # fmt: skip
def test_every_page_stands_without_inline_script_or_style(browser: Browser, ben: User, path: str) -> None:
    if not path.startswith(("sign-in", "closed", "password/reset", "password/set")):
        browser.sign_in(ben)
    answer = browser.page(f"{path}")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert re.findall(r"<h1[^>]*>", page) == ["<h1>"]
    assert "style=" not in page
    assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", page)
    assert not re.search(r"\son\w+=", page)
    assert "placeholder" not in page


def test_what_was_typed_is_shown_as_text(browser: Browser) -> None:
    typed = '"><script>alert(1)</script>'
    page = browser.send("sign-in/", {"login": typed, "password": "x", "next": typed}).content.decode()
    assert "<script>alert" not in page
    assert "Error: Staff sign-in" in page
