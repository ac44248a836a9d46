"""Staff reach nothing without a second factor, whichever way they try."""

import re
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator

from accounts import second_factor, staff
from accounts.models import User
from tests.accounts.conftest import PASSWORD, SECRET, Browser, mailed_code, new_browser


def secret_shown(browser: Browser) -> str:
    """The key on the page that sets up an authenticator app."""
    found = re.search(r"<code>([A-Z2-7]+)</code>", browser.page("factors/app/").content.decode())
    assert found
    return found[1]


def test_password_and_code_reach_the_staff_pages(browser: Browser, ben: User) -> None:
    assert browser.client.get("/protected/")["Location"] == "/staff/account/sign-in/?next=/protected/"
    assert browser.password(ben, next_url="/protected/")["Location"] == "/staff/account/sign-in/second-factor/"
    assert not browser.reaches_staff_pages()
    assert browser.factor(second_factor.current_totp(SECRET))["Location"] == "/protected/"
    assert browser.reaches_staff_pages()
    # The sign-in page has nothing more to ask.
    assert browser.page("sign-in/")["Location"] == "/protected/"


def test_a_wrong_second_factor_reaches_nothing(browser: Browser, ben: User) -> None:
    browser.password(ben)
    answer = browser.factor("000000" if second_factor.current_totp(SECRET) != "000000" else "111111")
    assert answer.status_code == 200
    assert b"<title>Error: " in answer.content.replace(b"\n", b"")
    assert not browser.reaches_staff_pages()


def test_second_factors_are_guessed_a_few_times_only(browser: Browser, ben: User) -> None:
    for _ in range(6):
        browser.password(ben)
        browser.factor("no code")
    browser.password(ben)
    assert browser.factor(second_factor.current_totp(SECRET)).status_code == 200
    assert not browser.reaches_staff_pages()


def test_staff_without_a_factor_set_one_up_first(browser: Browser, newcomer: User) -> None:
    assert browser.password(newcomer).status_code == 302
    assert not browser.reaches_staff_pages()
    assert browser.client.get("/protected/")["Location"] == "/staff/account/factors/app/"
    secret = secret_shown(browser)
    answer = browser.send("factors/app/", {"code": second_factor.current_totp(secret)})
    assert answer["Location"] == "/staff/account/factors/recovery-codes/"
    assert browser.reaches_staff_pages()


def test_recovery_codes_are_shown_once_and_each_signs_in_once(browser: Browser, other: Browser, newcomer: User) -> None:
    browser.password(newcomer)
    secret = secret_shown(browser)
    browser.send("factors/app/", {"code": second_factor.current_totp(secret)})
    page = browser.page("factors/recovery-codes/").content.decode()
    shown = re.findall(r"<code>(\d{8})</code>", page)
    assert len(shown) == 10
    assert re.findall(r"\d{8}", browser.page("factors/recovery-codes/").content.decode()) == []
    other.password(newcomer)
    assert other.factor(shown[0]).status_code == 302
    assert other.reaches_staff_pages()
    third = new_browser()
    third.password(newcomer)
    assert third.factor(shown[0]).status_code == 200
    assert not third.reaches_staff_pages()


def test_the_qr_code_needs_neither_style_nor_data_address(browser: Browser, newcomer: User) -> None:
    browser.password(newcomer)
    page = browser.page("factors/app/").content.decode()
    assert '<svg class="qr"' in page
    assert "data:" not in page
    assert "style=" not in page
    assert "<style" not in page


def test_a_code_signs_in_once_for_as_long_as_it_is_accepted(browser: Browser, other: Browser, ben: User) -> None:
    """With a tolerance of a step a code is good for 90 seconds; whoever read it over a shoulder has none of them."""
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        code = second_factor.current_totp(SECRET)
        browser.password(ben)
        browser.factor(code)
        assert browser.reaches_staff_pages()
        clock.shift(35)
        other.password(ben)
        assert other.factor(code).status_code == 200
        assert other.factor(f"{code[:3]} {code[3:]}").status_code == 200
        assert not other.reaches_staff_pages()
        assert other.factor(second_factor.current_totp(SECRET)).status_code == 302


def test_the_next_code_is_accepted_for_clocks_that_run_fast(browser: Browser, ben: User) -> None:
    browser.sign_in(ben, ahead=1)
    assert browser.reaches_staff_pages()


def test_a_session_by_password_alone_ends_to_count_when_the_factor_exists(
    browser: Browser, other: Browser, newcomer: User
) -> None:
    """Somebody who stole the password waits, signed in, until its owner sets up a factor."""
    other.password(newcomer)
    assert other.page("factors/keys/add/").status_code == 200
    second_factor.set_totp(newcomer, SECRET)
    assert not other.reaches_staff_pages()
    for path in ("factors/keys/add/", "factors/", "factors/app/remove/", "factors/recovery-codes/new/"):
        assert other.page(path)["Location"].startswith("/staff/account/sign-in/?next=")
    assert other.send("factors/app/remove/")["Location"].startswith("/staff/account/sign-in/?next=")
    assert Authenticator.objects.filter(user=newcomer).count() == 1


def test_a_removed_factor_ends_staff_rights_until_there_is_a_new_one(browser: Browser, ben: User) -> None:
    browser.sign_in(ben)
    staff.forget_factors(ben)
    assert browser.client.get("/protected/")["Location"] == "/staff/account/factors/app/"


def test_somebody_who_is_no_longer_staff_reaches_nothing(browser: Browser, ben: User) -> None:
    browser.sign_in(ben)
    User.objects.filter(pk=ben.pk).update(is_staff=False)
    assert not browser.reaches_staff_pages()
    assert browser.page("factors/")["Location"].startswith("/staff/account/sign-in/")


def test_a_person_reaches_no_staff_page(browser: Browser, ada: User) -> None:
    browser.ask(ada.email)
    browser.confirm(mailed_code())
    assert browser.client.get("/protected/")["Location"] == "/staff/account/sign-in/?next=/protected/"
    assert browser.me()["email"] == ada.email


def test_a_password_is_confirmed_again_before_factors_change(browser: Browser, ben: User) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        browser.sign_in(ben)
        clock.shift(600)
        answer = browser.send("factors/app/remove/")
        assert answer["Location"].startswith("/staff/account/confirm/password/")
        assert Authenticator.objects.filter(user=ben).exists()
        browser.send("confirm/password/", {"password": "not-this-one"})
        browser.send("factors/app/remove/")
        assert Authenticator.objects.filter(user=ben).exists()
        browser.send("confirm/password/", {"password": PASSWORD})
        browser.send("factors/app/remove/")
        assert not Authenticator.objects.filter(user=ben).exists()


def test_what_the_app_shows_is_what_the_standard_says(monkeypatch: Any) -> None:
    """RFC 6238, appendix B, SHA-1, at 59 seconds and at 1111111109 seconds; the last six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    with time_machine.travel(59, tick=False):
        assert second_factor.current_totp(secret) == "287082"
    with time_machine.travel(1_111_111_109, tick=False):
        assert second_factor.current_totp(secret) == "081804"


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere_after_sign_in(browser: Browser, ben: User, next_url: str) -> None:
    browser.password(ben, next_url=next_url)
    assert browser.factor(second_factor.current_totp(SECRET))["Location"] == "/protected/"
