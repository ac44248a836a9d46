"""`manage.py staff`."""

import io
import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from accounts.models import User
from tests.accounts.conftest import PASSWORD, Browser, mailed_code


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("staff", *words, stdout=out)
    return out.getvalue()


def test_a_new_member_sets_a_password_by_the_printed_link_and_a_factor_at_sign_in(browser: Browser) -> None:
    printed = run("add", "Cleo@example.com", "--name", "Cleo (sample)")
    user = User.objects.get(email="cleo@example.com")
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (True, False, False)
    found = re.search(r"http://localhost:8000(/staff/account/password/reset/key/\S+)", printed)
    assert found
    form_path = browser.client.get(found[1])["Location"]
    browser.client.post(form_path, {"password1": PASSWORD, "password2": PASSWORD})
    browser.password(user)
    assert browser.client.get("/protected/")["Location"] == "/staff/account/factors/app/"
    assert browser.page("factors/app/").status_code == 200


def test_a_person_who_becomes_staff_stays_the_same_user(browser: Browser) -> None:
    browser.ask("cleo@example.com")
    browser.confirm(mailed_code())
    person = User.objects.get()
    run("add", "cleo@example.com", "--name", "Cleo (sample)", "--superuser")
    user = User.objects.get()
    assert (user.pk, user.is_staff, user.is_superuser) == (person.pk, True, True)
    assert EmailAddress.objects.get().verified


def test_a_password_can_be_typed_instead(monkeypatch: Any, browser: Browser) -> None:
    monkeypatch.setattr("accounts.management.commands.staff.getpass", lambda prompt: PASSWORD)
    assert "http" not in run("add", "cleo@example.com", "--name", "Cleo (sample)", "--ask-password")
    assert browser.password(User.objects.get()).status_code == 302


def test_a_password_that_is_too_weak_is_refused(monkeypatch: Any, settings: Any) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [
        {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}}
    ]
    monkeypatch.setattr("accounts.management.commands.staff.getpass", lambda prompt: "short")
    with pytest.raises(CommandError, match="at least 12 characters"):
        run("add", "cleo@example.com", "--name", "Cleo (sample)", "--ask-password")
    assert not User.objects.exists()


def test_lost_factors_are_forgotten(ben: User) -> None:
    assert run("list") == "ben@example.com  Ben (sample)\n"
    run("forget-factors", ben.email)
    assert not Authenticator.objects.filter(user=ben).exists()
    assert "no second factor yet" in run("list")


def test_somebody_removed_is_out_at_once_and_can_still_ask_for_their_data(browser: Browser, ben: User) -> None:
    browser.sign_in(ben)
    assert browser.reaches_staff_pages()
    run("remove", ben.email)
    assert not browser.reaches_staff_pages()
    assert browser.me()["email"] == ""
    assert browser.password(ben).status_code == 200
    browser.ask(ben.email)
    assert browser.confirm(mailed_code()) == ben.email
    assert not browser.reaches_staff_pages()


@pytest.mark.parametrize(
    "words", [["link", "ada@example.com"], ["remove", "eve@example.com"], ["add", "x", "--name", "X"]]
)
def test_what_cannot_be_done_is_said(ada: User, words: list[str]) -> None:
    with pytest.raises(CommandError, match=r"is not (staff|an e-mail address)\."):
        run(*words)
