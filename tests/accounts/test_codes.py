"""Signing in by a mailed code: what it tells, what it gives, and what it refuses."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import codes
from accounts.models import SignInCode, User
from tests.accounts.conftest import SECRET, Browser, mailed_code, new_browser, wrong


def test_a_right_code_signs_in_a_known_person(browser: Browser, ada: User) -> None:
    browser.ask(" Ada@Example.COM ")
    assert browser.confirm(mailed_code()) == "ada@example.com"
    assert browser.me() == {"email": "ada@example.com", "waiting_for": "", "fresh": True}
    assert User.objects.count() == 1


def test_a_user_is_made_only_when_the_right_code_was_typed(browser: Browser) -> None:
    browser.ask("eve@example.com")
    assert not User.objects.exists()
    assert browser.confirm(wrong(mailed_code())) == "WrongCode 4"
    assert not User.objects.exists()
    assert browser.confirm(mailed_code()) == "eve@example.com"
    user = User.objects.get()
    assert not user.has_usable_password()
    assert not user.is_staff
    assert re.fullmatch("[0-9a-f]{32}", user.pk)
    assert not EmailAddress.objects.exists()


def test_the_mail_holds_the_code_in_its_body_alone(browser: Browser, ada: User) -> None:
    browser.ask(ada.email)
    (message,) = mail.outbox
    assert message.to == ["ada@example.com"]
    assert mailed_code() not in message.subject
    assert "30 minutes" in message.body
    assert "http" not in message.body


def test_neither_code_nor_address_is_stored_in_the_clear(browser: Browser, ada: User) -> None:
    browser.ask(ada.email)
    kept = SignInCode.objects.values_list().get()
    session = browser.client.session.items()
    assert mailed_code() not in str(kept) + str(dict(session))
    assert ada.email not in str(kept)


# ---- is this address known? ------------------------------------------------------------------------------------


def observed(browser: Browser, path: str, data: dict[str, str]) -> Any:
    """All that somebody outside can see of an answer, and the shape of the work behind it."""
    sent = len(mail.outbox)
    with CaptureQueriesContext(connection) as queries:
        answer = browser.client.post(path, data)
    work = [re.sub(r"'[^']*'|\d+(\.\d+)?", "?", query["sql"]) for query in queries.captured_queries]
    content = re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", answer.content)
    return answer.status_code, content, sorted(answer.headers), sorted(answer.cookies), work, len(mail.outbox) - sent


def use_the_network() -> None:
    """Makes the counters of the network both browsers share, so that neither is the first to be counted."""
    somebody = new_browser()
    somebody.ask("somebody@example.com")
    somebody.confirm(wrong(mailed_code()))


def test_asking_tells_nothing_about_an_address(browser: Browser, other: Browser, ada: User) -> None:
    EmailAddress.objects.create(user=ada, email=ada.email, verified=True, primary=True)
    use_the_network()
    known = observed(browser, "/ask/", {"email": "ada@example.com"})
    unknown = observed(other, "/ask/", {"email": "eve@example.com"})
    assert known == unknown
    assert known[-1] == 1
    assert len(known[-2]) > 3


def test_a_wrong_code_tells_nothing_about_an_address(browser: Browser, other: Browser, ada: User) -> None:
    use_the_network()
    browser.ask(ada.email)
    known = observed(browser, "/confirm/", {"code": wrong(mailed_code())})
    other.ask("eve@example.com")
    unknown = observed(other, "/confirm/", {"code": wrong(mailed_code())})
    assert known == unknown
    assert known[1] == b"WrongCode 4"


def test_the_limit_on_codes_tells_nothing_about_an_address(browser: Browser, other: Browser, ada: User) -> None:
    for _ in range(3):
        browser.ask(ada.email)
        other.ask("eve@example.com")
    known = observed(browser, "/ask/", {"email": ada.email})
    assert known == observed(other, "/ask/", {"email": "eve@example.com"})
    assert (known[0], known[-1]) == (429, 0)


def test_staff_pages_tell_nothing_about_an_address(browser: Browser, other: Browser, ben: User) -> None:
    for page, extra in (("sign-in", {"password": "not-this-one"}), ("password/reset", {})):
        answers = [
            observed(who, f"/staff/account/{page}/", {"login": email, "email": email, **extra})[:4]
            for who, email in ((browser, "ben@example.com"), (other, "eve@example.com"))
        ]
        content = [answer[1].replace(b"ben@", b"eve@") for answer in answers]
        assert content[0] == content[1]
        assert [answers[0][i] for i in (0, 2, 3)] == [answers[1][i] for i in (0, 2, 3)]


@pytest.mark.parametrize("page", ["sign-in", "password/reset"])
def test_staff_pages_do_the_same_for_a_person_as_for_nobody(browser: Browser, page: str) -> None:
    browser.ask("ada@example.com")
    assert browser.confirm(mailed_code()) == "ada@example.com"
    asked = []
    for email in ("warm@example.com", "ada@example.com", "eve@example.com"):
        with CaptureQueriesContext(connection) as queries:
            new_browser().send(f"{page}/", {"login": email, "email": email, "password": "not-this-one"})
        asked.append([re.sub(r"'[^']*'|_x\d+|_sync_\d+", "?", query["sql"]) for query in queries.captured_queries])
    assert asked[1] == asked[2]
    assert len(mail.outbox) == 1


# ---- what a code opens -----------------------------------------------------------------------------------------


def test_the_session_is_rotated_and_keeps_the_answers_given_before(browser: Browser, ada: User) -> None:
    session = browser.client.session
    session["answers"] = {"right": "access"}
    session.save()
    before = browser.client.session.session_key
    browser.ask(ada.email)
    browser.confirm(mailed_code())
    after = browser.client.session
    assert after.session_key != before
    assert not SessionStore().exists(before)
    assert after["answers"] == {"right": "access"}


def test_a_session_of_one_person_is_not_carried_into_that_of_another(browser: Browser, ada: User) -> None:
    browser.ask(ada.email)
    browser.confirm(mailed_code())
    session = browser.client.session
    session["answers"] = "of ada"
    session.save()
    browser.ask("eve@example.com")
    browser.confirm(mailed_code())
    assert browser.me()["email"] == "eve@example.com"
    assert "answers" not in browser.client.session


def test_a_code_works_only_in_the_session_that_asked(browser: Browser, other: Browser, ada: User) -> None:
    browser.ask(ada.email)
    code = mailed_code()
    assert other.confirm(code) == "CodeExpired"
    other.ask(ada.email)
    assert other.confirm(code).startswith("WrongCode") or code == mailed_code()
    assert other.me()["email"] == ""
    assert browser.confirm(code) == "ada@example.com"


def test_a_code_for_one_address_never_signs_in_another(browser: Browser, ada: User) -> None:
    browser.ask("eve@example.com")
    code_of_eve = mailed_code()
    browser.ask(ada.email)
    assert browser.me()["waiting_for"] == "ada@example.com"
    assert browser.confirm(code_of_eve).startswith("WrongCode")
    # Nor when the address beside it in the session is changed.
    browser.ask("eve@example.com")
    session = browser.client.session
    session[codes.SESSION_KEY] = {**session[codes.SESSION_KEY], "email": "ada@example.com"}
    session.save()
    assert browser.confirm(mailed_code()).startswith("WrongCode")
    assert browser.me()["email"] == ""


def test_a_code_works_once(browser: Browser, ada: User) -> None:
    browser.ask(ada.email)
    waiting = dict(browser.client.session.items())
    assert browser.confirm(mailed_code()) == "ada@example.com"
    assert browser.confirm(mailed_code()) == "CodeExpired"
    # A second request that read its session before the first one finished.
    late = new_browser()
    session = late.client.session
    session.update(waiting)
    session.save()
    assert late.confirm(mailed_code()) == "CodeExpired"
    assert late.me()["email"] == ""


def test_of_two_requests_with_the_right_code_one_signs_in(browser: Browser, ada: User, monkeypatch: Any) -> None:
    def while_another_is_faster(kept: str, typed: str) -> bool:
        SignInCode.objects.all().delete()
        return kept == typed

    browser.ask(ada.email)
    monkeypatch.setattr(codes, "constant_time_compare", while_another_is_faster)
    assert browser.confirm(mailed_code()) == "CodeExpired"
    assert browser.me()["email"] == ""


def test_a_new_code_ends_the_old_one(browser: Browser, ada: User) -> None:
    browser.ask(ada.email)
    browser.ask(ada.email)
    assert SignInCode.objects.count() == 1


@pytest.mark.parametrize("typed", ["{0} ", "{1}-{2}", " {1} {2}", "٣{rest}"])
def test_digits_count_however_they_are_written(browser: Browser, ada: User, monkeypatch: Any, typed: str) -> None:
    monkeypatch.setattr("accounts.adapter.secrets.randbelow", lambda limit: 312_907)
    browser.ask(ada.email)
    assert browser.confirm(typed.format("312907", "312", "907", rest="12907")) == "ada@example.com"


@pytest.mark.parametrize("typed", ["", "      ", "abcdef", "²²²²²²", "0" * 10_000, "'; drop table", "\x00" * 6])
def test_what_is_no_code_is_a_wrong_one(browser: Browser, ada: User, monkeypatch: Any, typed: str) -> None:
    monkeypatch.setattr("accounts.adapter.secrets.randbelow", lambda limit: 312_907)
    browser.ask(ada.email)
    assert browser.confirm(typed) == "WrongCode 4"


# ---- guessing --------------------------------------------------------------------------------------------------


def test_five_wrong_codes_close_the_attempt(browser: Browser, ada: User) -> None:
    browser.ask(ada.email)
    answers = [browser.confirm(wrong(mailed_code())) for _ in range(5)]
    assert answers == ["WrongCode 4", "WrongCode 3", "WrongCode 2", "WrongCode 1", "TooManyTries"]
    assert browser.confirm(mailed_code()) == "TooManyTries"
    assert browser.me()["email"] == ""


def test_the_fifth_try_may_be_the_right_one(browser: Browser, ada: User) -> None:
    browser.ask(ada.email)
    for _ in range(4):
        browser.confirm(wrong(mailed_code()))
    assert browser.confirm(mailed_code()) == "ada@example.com"


def test_guesses_are_counted_although_the_session_forgets_them(browser: Browser, ada: User) -> None:
    """Parallel requests each save the session as they read it; here every guess begins with it as it was."""
    browser.ask(ada.email)
    waiting = dict(browser.client.session.items())
    answers = []
    for _ in range(7):
        late = new_browser()
        session = late.client.session
        session.update(waiting)
        session.save()
        answers.append(late.confirm(wrong(mailed_code())))
    assert answers[3:] == ["WrongCode 1", "TooManyTries", "TooManyTries", "TooManyTries"]
    assert browser.confirm(mailed_code()) == "TooManyTries"


def test_guesses_for_an_address_are_limited_across_sessions(browser: Browser, ada: User, monkeypatch: Any) -> None:
    monkeypatch.setitem(codes.LIMITS, "ask", "100/h/key")
    monkeypatch.setitem(codes.LIMITS, "anywhere", "100/h/key")
    for _ in range(5):
        guesser = new_browser()
        guesser.ask(ada.email)
        answers = [guesser.confirm(wrong(mailed_code())) for _ in range(4)]
        assert answers[-1] == "WrongCode 1"
    browser.ask(ada.email)
    assert browser.confirm(mailed_code()) == "TooManyTries"
    # Another address is not held up by it.
    browser.ask("eve@example.com")
    assert browser.confirm(mailed_code()) == "eve@example.com"


def test_codes_are_limited_per_address_and_per_network(browser: Browser, monkeypatch: Any) -> None:
    assert [browser.ask("eve@example.com").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert browser.ask("EVE@example.com").status_code == 429
    assert browser.ask("ada@example.com").status_code == 200
    monkeypatch.setitem(codes.LIMITS, "ask", "2/h/ip")
    assert [browser.ask(f"{n}@example.com").status_code for n in range(3)] == [200, 200, 429]
    assert len(mail.outbox) == 6


def test_a_stranger_who_asks_and_guesses_locks_nobody_out(browser: Browser, ada: User) -> None:
    stranger = new_browser(REMOTE_ADDR="192.0.2.7")
    assert [stranger.ask(ada.email).status_code for _ in range(4)] == [200, 200, 200, 429]
    for _ in range(30):
        stranger.confirm("not a code")
    assert browser.ask(ada.email).status_code == 200
    assert browser.confirm(mailed_code()) == ada.email


def test_an_address_gets_so_many_codes_from_all_networks_together(monkeypatch: Any) -> None:
    assert codes.LIMITS["anywhere"] == "10/h/key,20/d/key"
    monkeypatch.setitem(codes.LIMITS, "anywhere", "4/h/key")
    asked = [new_browser(REMOTE_ADDR=f"192.0.2.{n}").ask("ada@example.com").status_code for n in range(6)]
    assert asked == [200] * 4 + [429] * 2
    assert len(mail.outbox) == 4


def test_a_forwarded_address_gets_nobody_round_the_limit(browser: Browser, monkeypatch: Any) -> None:
    monkeypatch.setitem(codes.LIMITS, "ask", "2/h/ip")
    answers = [
        browser.client.post("/ask/", {"email": f"{n}@example.com"}, headers={"X-Forwarded-For": f"192.0.2.{n}"})
        for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_a_refused_code_leaves_the_one_asked_for_before(browser: Browser, ada: User) -> None:
    for _ in range(3):
        browser.ask(ada.email)
    code = mailed_code()
    assert browser.ask(ada.email).status_code == 429
    assert browser.confirm(code) == "ada@example.com"


# ---- time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "answer"), [(29, "ada@example.com"), (31, "CodeExpired")])
def test_a_code_lives_for_thirty_minutes(browser: Browser, ada: User, minutes: int, answer: str) -> None:
    browser.ask(ada.email)
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        assert browser.confirm(mailed_code()) == answer


def test_codes_whose_time_is_up_are_removed(browser: Browser, other: Browser, ada: User) -> None:
    browser.ask(ada.email)
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        other.ask("eve@example.com")
        assert codes.forget_expired() == 1
    assert SignInCode.objects.count() == 1


def test_a_sign_in_is_fresh_only_for_so_long(browser: Browser, ada: User) -> None:
    assert not browser.me()["fresh"]
    browser.ask(ada.email)
    browser.confirm(mailed_code())
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert browser.me() == {"email": "ada@example.com", "waiting_for": "", "fresh": False}
        browser.ask(ada.email)
        browser.confirm(mailed_code())
        assert browser.me()["fresh"]


def test_the_cookie_ends_with_the_browser(browser: Browser, ada: User) -> None:
    browser.ask(ada.email)
    browser.confirm(mailed_code())
    assert len(browser.client.cookies) > 0
    for cookie in browser.client.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert not cookie["expires"]
        assert not cookie["max-age"]


# ---- what may be typed as an address ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["", "ada", "ada@", "a@b.example\r\nBcc: eve@example.com", "a@b.example\nX: y", "a@b.example, c@d.example"]
)
def test_what_is_no_address_gets_no_mail(browser: Browser, typed: str) -> None:
    with pytest.raises(ValidationError):
        browser.ask(typed)
    assert mail.outbox == []
    assert not SignInCode.objects.exists()


def test_the_code_goes_to_the_address_that_is_signed_in(browser: Browser) -> None:
    """A Kelvin sign becomes a k: mail and user must both be of the one or both of the other."""
    browser.ask("kim@ban\N{KELVIN SIGN}.example")
    (message,) = mail.outbox
    assert message.to == ["kim@bank.example"]
    assert browser.confirm(mailed_code()) == "kim@bank.example"


# ---- staff, and accounts that were closed ----------------------------------------------------------------------


def test_a_code_gives_staff_no_staff_rights(browser: Browser, ben: User) -> None:
    browser.ask(ben.email)
    assert browser.confirm(mailed_code()) == "ben@example.com"
    assert not browser.reaches_staff_pages()
    for path in ("factors/", "factors/app/", "factors/keys/add/", "factors/recovery-codes/", "password/change/"):
        assert browser.page(path)["Location"].startswith("/staff/account/sign-in/?next=")


def test_a_code_gives_staff_without_a_factor_no_chance_to_set_one_up(browser: Browser, newcomer: User) -> None:
    """Else whoever reads their mail would get in with an authenticator app of their own."""
    browser.ask(newcomer.email)
    assert browser.confirm(mailed_code()) == "cleo@example.com"
    assert browser.client.get("/protected/")["Location"] == "/staff/account/sign-in/?next=/protected/"
    assert browser.page("factors/app/")["Location"].startswith("/staff/account/sign-in/")


def test_a_code_and_half_a_staff_sign_in_do_not_add_up(browser: Browser, ben: User) -> None:
    browser.password(ben)
    browser.ask(ben.email)
    browser.confirm(mailed_code())
    assert browser.me()["email"] == ben.email
    assert not browser.reaches_staff_pages()
    assert browser.page("confirm/second-factor/").status_code == 302
    # It is a person's session: the password typed before is forgotten, and with it the hour of a staff session.
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert browser.me()["email"] == ben.email


def test_staff_with_a_session_by_code_can_sign_in_fully(browser: Browser, ben: User) -> None:
    browser.ask(ben.email)
    browser.confirm(mailed_code())
    assert browser.page("sign-in/").status_code == 200
    browser.sign_in(ben)
    assert browser.reaches_staff_pages()
    assert SECRET not in str(dict(browser.client.session.items()))


def test_a_closed_account_is_not_signed_in(browser: Browser, ada: User) -> None:
    ada.is_active = False
    ada.save()
    browser.ask(ada.email)
    assert browser.confirm(mailed_code()) == "AccountClosed"
    assert browser.me()["email"] == ""
