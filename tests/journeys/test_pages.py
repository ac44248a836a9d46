"""What every page must be in a real Chromium: clean, usable by keys, without script, with Back, and kind in error."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import User
from dsr import policy, samples
from dsr.models import Case, State
from dsr.portal import limits
from tests.journeys import acts
from tests.journeys.conftest import OpenWindow
from tests.journeys.post import Post
from tests.journeys.window import NARROW, Window, findings, in_chromium, width_at

pytestmark = in_chromium
Company = Callable[[str], policy.Policy]
ADA = samples.person("lumio")

NAME_OF_FOCUS = """(() => {
  const now = document.activeElement;
  return (now.labels?.[0] ?? now).textContent.trim().replace(/\\s+/g, " ");
})()"""
# A radio is described by its group too.
DESCRIPTION_OF_FOCUS = """[document.activeElement, document.activeElement.closest("fieldset")]
  .flatMap(element => (element?.getAttribute("aria-describedby") ?? "").split(" "))
  .map(id => document.getElementById(id)?.textContent ?? "").join(" ")"""
FOCUS_IS_SEEN = """(() => {
  const look = getComputedStyle(document.activeElement);
  return look.outlineStyle !== "none" || look.boxShadow !== "none";
})()"""


@pytest.mark.parametrize("name", samples.NAMES)
def test_public_pages_are_clean(company: Company, window: OpenWindow, name: str) -> None:
    held = company(name)
    by_code = "code" in held.identity.ways
    for scheme, pages in (("dark", ("", "policy/", "accessibility/", "follow/" if by_code else "claim/")),
                          ("light", ("policy/",))):  # fmt: skip
        one = window(scheme=scheme, width=NARROW)
        for page in pages:
            one.goto(f"/en/{page}")
        assert held.organisation.name in one.text
        assert one.cookies == []


def test_pages_around_a_request_are_clean(
    company: Company, window: OpenWindow, outbox: Post, work: Callable[[], int]
) -> None:
    company("lumio")
    hers = window(width=NARROW)
    case = acts.ask(hers, ADA)
    here = f"/en/r/{case.pk}/"
    hers.page.get_by_label("Code from our mail").fill("000000")
    hers.press("Continue")
    assert hers.title.startswith("Error: ")
    acts.type_code(hers, outbox.code(ADA.email))
    work()
    for page in ("withdraw/", "dispute/"):
        hers.goto(here + page)
        hers.follow("Go back, change nothing")
    hers.follow("Write a message")
    hers.press(re.compile("^Send"))
    assert hers.title.startswith("Error: ")
    hers.page.get_by_label("Your message").fill("When? <b>\u202esoon")
    hers.press(re.compile("^Send"))
    assert "When? <b>" in hers.text
    hers.follow("Withdraw")
    hers.press("Withdraw")
    assert hers.heading == "This request was stopped"
    hers.follow("All your requests")
    hers.press(re.compile("^Leave"))
    hers.goto(here)
    assert hers.title == "Open a request"


def test_the_outbox_is_clean(company: Company, window: OpenWindow, outbox: Post) -> None:
    company("lumio")
    one = window()
    acts.ask(one, ADA)
    outbox.code(ADA.email)
    one.goto("/outbox/")
    one.page.locator("main li a").first.click()
    one.look()
    one.page.get_by_role("link", name="As HTML").click()
    assert "your code is" in one.text
    one.page.go_back()


def test_pages_about_errors_are_clean(
    company: Company, window: OpenWindow, cleo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    company("lumio")
    monkeypatch.setitem(limits.LIMITS, "claim", "1/h/ip")
    one = window()
    one.goto("/en/nothing/", status=404)
    one.goto("/en/ask/?right=access")
    one.page.locator("input[name=state]").evaluate("field => { field.value = 'changed' }")
    one.page.get_by_label("Me", exact=True).check()
    one.press("Continue", status=400)
    assert one.heading == "Please begin again"
    one.goto("/en/ask/?right=access")
    one.page.locator("main form").evaluate(
        "form => form.insertAdjacentHTML('beforeend', '<input type=hidden name=more value=1>'.repeat(200))"
    )
    one.press("Continue", status=400)
    assert one.heading == "This page could not be opened"
    one.goto("/en/claim/")
    one.press("Open")
    assert one.title == "Error: Open your request"
    one.press("Open", status=429)
    assert one.heading == "Please wait a little"
    one.page.goto("about:blank")
    one.page.set_content(f"<form method=post action='{one.origin}/en/claim/'><button>Open</button></form>")
    one.press("Open", status=403)
    acts.sign_in(one, cleo)
    one.goto("/staff/nothing/", status=404)


def test_asking_by_keyboard_alone(company: Company, window: OpenWindow, outbox: Post, work: Callable[[], int]) -> None:
    held = company("lumio")
    hers = window()
    hers.goto("/en/")
    keys = hers.page.keyboard
    keys.press("Tab")
    assert hers.page.evaluate(NAME_OF_FOCUS) == "Skip to the content"
    tab_to(hers, str(held.right("access").title))
    enter(hers)
    tab_to(hers, "Me")
    keys.press("Space")
    enter(hers)
    tab_to(hers, "Your e-mail address")
    keys.type(ADA.email)
    enter(hers)
    tab_to(hers, "As tables (CSV)")
    keys.press("ArrowDown")
    assert hers.page.get_by_label("As JSON Lines").is_checked()
    tab_to(hers, "Your name (optional)")
    keys.type(ADA.name)
    tab_to(hers, "Continue")
    enter(hers)
    assert hers.title == "Check your answers"
    tab_to(hers, "Send my request")
    enter(hers)
    tab_to(hers, "Code from our mail")
    keys.type(outbox.code(ADA.email))
    enter(hers)
    assert hers.heading == "We are collecting your data"
    case = Case.objects.get()
    assert (case.details["email"], case.details["name"], case.details["format"]) == (ADA.email, ADA.name, "jsonl")


def tab_to(window: Window, name: str) -> None:
    """Press Tab until what has this name has the focus, and is seen to have it."""
    passed = []
    for _press in range(60):
        window.page.keyboard.press("Tab")
        passed.append(window.page.evaluate(NAME_OF_FOCUS))
        assert (passed[-1], window.page.evaluate(FOCUS_IS_SEEN)) == (passed[-1], True)
        if passed[-1] == name:
            return
    raise AssertionError(f"Tab does not lead to {name}, but to {passed}")


def enter(window: Window) -> None:
    """Press Enter, and wait for the next page."""
    with window.page.expect_navigation():
        window.page.keyboard.press("Enter")


def test_asking_without_script(company: Company, window: OpenWindow, outbox: Post, work: Callable[[], int]) -> None:
    company("lumio")
    hers = window(javascript=False, width=NARROW)
    case = acts.ask(hers, ADA)
    acts.type_code(hers, outbox.code(ADA.email))
    work()
    hers.reload()
    assert hers.heading == "A person is looking at your request"
    case.refresh_from_db()
    assert case.state == State.REVIEW


def test_back_keeps_the_answers(company: Company, window: OpenWindow) -> None:
    company("lumio")
    hers = window()
    hers.goto("/en/ask/?right=access")
    hers.page.get_by_label("Me", exact=True).check()
    hers.press("Continue")
    hers.page.get_by_label("Your e-mail address").fill(ADA.email)
    hers.press("Continue")
    hers.page.get_by_label("Your name (optional)").fill(ADA.name)
    # The browser's own way back, over two pages, and forward again by the form.
    hers.page.go_back()
    assert hers.page.get_by_label("Your e-mail address").input_value() == ADA.email
    hers.page.go_back()
    assert hers.page.get_by_label("Me", exact=True).is_checked()
    hers.press("Continue")
    hers.page.get_by_label("Your e-mail address").fill(ADA.email)
    hers.press("Continue")
    hers.page.get_by_label("Your name (optional)").fill(ADA.name)
    # The form's way back.
    hers.press("Back")
    assert hers.page.get_by_label("Your e-mail address").input_value() == ADA.email
    hers.press("Continue")
    assert hers.page.get_by_label("Your name (optional)").input_value() == ADA.name
    hers.press("Continue")
    assert hers.title == "Check your answers"
    for answer in (ADA.email, ADA.name, "Me"):
        assert hers.page.get_by_text(answer, exact=True).first.is_visible()
    hers.press(re.compile("^Change Your name"))
    hers.page.get_by_label("Your name (optional)").fill("Ada")
    hers.press("Continue")
    assert hers.title == "Check your answers"
    # Sent, and then sent again from the page before: one request.
    hers.press("Send my request")
    hers.page.go_back()
    hers.press("Send my request")
    assert Case.objects.count() == 1


def test_errors_are_summed_up_on_top(company: Company, window: OpenWindow) -> None:
    company("lumio")
    hers = window(width=NARROW)
    hers.goto("/en/ask/?right=access")
    wrong(hers, "Say whose data this is about: choose the one that fits best.", "relation")
    hers.page.get_by_label("Me", exact=True).check()
    hers.press("Continue")
    hers.page.get_by_label("Your e-mail address").fill("ada@")
    wrong(hers, "Enter an e-mail address such as name@example.com.", "email")
    assert hers.page.get_by_label("Your e-mail address").input_value() == "ada@"
    hers.page.get_by_label("Your e-mail address").fill(ADA.email)
    hers.press("Continue")
    hers.page.get_by_label("From (optional)").fill("2026-03-27")
    hers.page.get_by_label("Until (optional)").fill("2026-03-01")
    wrong(hers, "The last day is before the first one. Change one of them.", "until")
    assert hers.page.get_by_label("From (optional)").input_value() == "2026-03-27"


def wrong(window: Window, sentence: str, field: str) -> None:
    """Go on; the same page comes back with the summary in focus, and the summary leads to the field."""
    window.press("Continue")
    assert window.title.startswith("Error: ")
    assert window.focus == "alert"
    window.page.get_by_role("alert").get_by_role("link", name=sentence).click()
    assert window.focus == field
    assert sentence in window.page.evaluate(DESCRIPTION_OF_FOCUS)


def test_two_different_people_must_agree(
    company: Company, window: OpenWindow, outbox: Post, cleo: User, work: Callable[[], int], tmp_path: Path
) -> None:
    company("lumio")
    careful = tmp_path / "policy.toml"
    words = samples.policy_path("lumio").read_text()
    careful.write_text(words.replace('review = "one"', 'review = "two"', 1))
    policy.configure(careful, samples.systems_path("lumio"))
    hers = window()
    case = acts.ask(hers, ADA)
    acts.type_code(hers, outbox.code(ADA.email))
    work()
    desk = window()
    acts.sign_in(desk, cleo)
    acts.review(desk, case, last=False)
    assert "The policy asks for 2 different people to agree." in desk.text
    assert desk.page.get_by_role("button", name=re.compile("^Agree")).count() == 0
    work()
    hers.reload()
    assert hers.heading == "A person is looking at your request"
    other = window()
    acts.sign_in(other, acts.member("dora"))
    assert "Look at the first rows" not in acts.review(other, case, last=True)
    work()
    hers.reload()
    assert hers.heading == "Your data is ready"


def test_a_password_alone_opens_nothing(company: Company, window: OpenWindow, cleo: User) -> None:
    company("lumio")
    desk = window()
    desk.goto("/staff/")
    desk.page.get_by_label("E-mail").fill(cleo.email)
    desk.page.get_by_label("Password").fill(acts.PASSWORD)
    desk.press("Sign in")
    desk.page.locator("input[name=code]").fill("000000")
    desk.press("Sign in")
    assert desk.title == "Error: Your second factor"
    desk.goto("/staff/")
    assert desk.heading in ("Staff sign-in", "Your second factor")


def test_forced_colours_and_right_to_left(company: Company, window: OpenWindow) -> None:
    company("lumio")
    one = window(width=NARROW)
    one.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    for page in ("/en/", "/en/ask/?right=access", "/en/follow/"):
        one.goto(page)
        one.page.evaluate("document.documentElement.dir = 'rtl'")
        assert (page, findings(one.page)) == (page, [])
        assert (page, width_at(one.page, NARROW, then=NARROW)) == (page, NARROW)
