"""Staff pages in a real Chromium: nothing that the policy of the page forbids, nothing that axe finds, and the keys."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as live
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts import second_factor, staff
from accounts.models import User
from dsr import audit
from dsr.models import Case, JobState, Note, Relation, State
from tests import cast

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]


@pytest.fixture
def server(live_server: LiveServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    settings.DSR_ORIGIN = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    settings.DSR_DEMO = True
    return str(live_server.url)


@pytest.fixture
def desk(server: str, cleo: User) -> Iterator[BrowserContext]:
    """cleo's browser, signed in."""
    cookie = cast.signed_in_staff_client(cleo).cookies[live.SESSION_COOKIE_NAME].value
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context()
        context.add_cookies([{"name": live.SESSION_COOKIE_NAME, "value": cookie, "url": server}])
        yield context
        browser.close()


@pytest.fixture
def cases(cleo: User) -> dict[str, Case]:
    """One of each that draws something of its own."""
    broken = cast.make_case(State.WORKING, assignee=cleo)
    cast.make_job(broken)
    cast.make_job(broken, JobState.WAITING, system="billing", problem="Answered 429.", attempts=2)
    review = cast.make_case(State.REVIEW, email="b@example.org", channel_is_young=True)
    cast.make_part(review, [{"id": 1, "text": "<b>\u202ex" * 200}])
    cast.make_note(review, Note.Kind.FROM_PERSON, "When?")
    by_hand = cast.make_case(State.REVIEW, email="c@example.org", relation=Relation.CHILD)
    closed = cast.make_case(State.COMPLETED, email="d@example.org")
    audit.append("looked at person", actor=audit.staff(cleo), case=review)
    return {"broken": broken, "review": review, "by-hand": by_hand, "closed": closed}


def complaints(page: Page) -> list[str]:
    """What the console says from here on."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def findings(page: Page) -> list[str]:
    return [f"{v['id']}: {[node['target'] for node in v['nodes']]}" for v in Axe().run(page).response["violations"]]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 320)])
def test_every_page_is_clean(
    server: str, desk: BrowserContext, cases: dict[str, Case], cleo: User, scheme: Any, width: int
) -> None:
    User.objects.filter(pk=cleo.pk).update(is_superuser=True)
    page = desk.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    said = complaints(page)
    paths = [f"/staff/dsr/case/?view={view}" for view in ("now", "waiting", "open", "closed")]
    paths += [reverse("admin:dsr_case_change", args=[case.pk]) for case in cases.values()]
    paths += ["/staff/", "/staff/dsr/auditentry/", "/staff/dsr/job/", "/staff/accounts/user/"]
    paths += [reverse("admin:accounts_user_change", args=[cleo.pk])]
    for path in paths:
        page.goto(server + path)
        assert (path, findings(page)) == (path, [])
        assert (path, page.evaluate("document.documentElement.scrollWidth")) == (path, width)
    review = server + reverse("admin:dsr_case_change", args=[cases["review"].pk])
    for button in ("Show the person", "Look"):
        page.goto(review)
        with page.expect_navigation():
            page.get_by_role("button", name=button).first.click()
        assert "This look was recorded." in page.content()
        assert (button, findings(page)) == (button, [])
    assert said == []


def test_keys(server: str, desk: BrowserContext, cases: dict[str, Case], cleo: User) -> None:
    page = desk.new_page()
    page.goto(f"{server}/staff/dsr/case/?view=open")
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") != first
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.textContent") == first
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("jank?")
    assert page.get_by_label("Reference or exact e-mail").input_value() == "jank?"


def test_a_takes_and_n_writes(server: str, desk: BrowserContext, cases: dict[str, Case], cleo: User) -> None:
    case = cases["by-hand"]
    page = desk.new_page()
    page.goto(server + reverse("admin:dsr_case_change", args=[case.pk]))
    page.keyboard.press("a")
    page.wait_for_selector("text=looks after it now")
    page.keyboard.press("n")
    page.keyboard.type("Phoned the school.")
    page.get_by_role("button", name="Write the note").click()
    page.wait_for_selector("text=The note is written")
    case.refresh_from_db()
    assert case.assignee == cleo
    assert case.notes.get().body == {"text": "Phoned the school."}


def test_signing_in_is_clean(server: str, desk: BrowserContext, settings: Any) -> None:
    user = staff.add("dora@staff.example", name="dora", is_superuser=True, password="violet-harbour-41")
    second_factor.set_totp(user, cast.TOTP_SECRET)
    desk.clear_cookies()
    page = desk.new_page()
    said = complaints(page)
    page.goto(f"{server}/staff/")
    assert (page.url, findings(page)) == (f"{server}/staff/account/sign-in/?next=/staff/login/%3Fnext%3D/staff/", [])
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill("violet-harbour-41")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/second-factor/**")
    assert findings(page) == []
    page.locator("input[name=code]").fill(second_factor.current_totp(cast.TOTP_SECRET))
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(f"{server}/staff/")
    page.goto(f"{server}/staff/account/factors/")
    assert findings(page) == []
    page.goto(f"{server}/staff/account/confirm/password/")
    assert findings(page) == []
    assert said == []
