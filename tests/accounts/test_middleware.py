"""How long a staff session lives."""

import time_machine

from accounts.models import User
from tests.accounts.conftest import Browser, mailed_code

NOW, MINUTE, HOUR = 1_800_000_000, 60, 3600


def test_a_session_left_alone_for_an_hour_ends(browser: Browser, ben: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        browser.sign_in(ben)
        clock.shift(59 * MINUTE)
        assert browser.reaches_staff_pages()
        clock.shift(59 * MINUTE)
        assert browser.reaches_staff_pages()
        clock.shift(61 * MINUTE)
        assert not browser.reaches_staff_pages()
        assert browser.me()["email"] == ""


def test_a_session_in_use_ends_after_eight_hours(browser: Browser, ben: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        browser.sign_in(ben)
        for _ in range(16):
            clock.shift(30 * MINUTE)
            assert browser.reaches_staff_pages()
        clock.shift(MINUTE)
        assert not browser.reaches_staff_pages()


def test_a_code_typed_in_between_does_not_make_it_young_again(browser: Browser, ben: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        browser.sign_in(ben)
        for _ in range(15):
            clock.shift(30 * MINUTE)
            assert browser.reaches_staff_pages()
        browser.ask(ben.email)
        browser.confirm(mailed_code())
        clock.shift(HOUR - MINUTE)
        assert not browser.reaches_staff_pages()


def test_a_persons_session_is_left_alone(browser: Browser, ada: User) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        browser.ask(ada.email)
        browser.confirm(mailed_code())
        clock.shift(2 * HOUR)
        assert browser.me()["email"] == ada.email


def test_a_page_without_a_cookie_stays_without(browser: Browser) -> None:
    answer = browser.client.get("/me/")
    assert answer.cookies == {}
