"""A browser window that is watched: what a page says on the console, whom it asks, and how it is built."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

CHROMIUM = shutil.which("chromium") or shutil.which("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NARROW, WIDE = 320, 1280
LONGEST_WAIT_MS = 20_000
# Without preloading, axe asks nobody for anything, as the pages' own rules want it.
AXE = {"resultTypes": ["violations"], "preload": False}
in_chromium = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Whoever means to run these says so, and does not pass by skipping.
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("DSR_REQUIRE_BROWSER") != "1",
        reason="Chromium is not installed: apt-get install chromium",
    ),
]
FAILED_TO_LOAD = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


class Window:
    """A browser of its own with one tab: its own cookies, and an eye on whatever happens in it.

    `twin` is a window in which the pages of this one are looked at, for a window whose script is disabled;
    `looked_at` are the pages that other windows looked at already.
    """

    def __init__(
        self,
        browser: Browser,
        origin: str,
        *,
        width: int = WIDE,
        scheme: Literal["light", "dark"] = "light",
        twin: "Window | None" = None,
        looked_at: set[tuple[str, ...]] | None = None,
    ) -> None:
        self.origin = origin
        self.scheme = scheme
        self.width = width
        self.twin = twin
        self.context = browser.new_context(
            java_script_enabled=twin is None, viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self.context.set_default_timeout(LONGEST_WAIT_MS)
        self.page: Page = self.context.new_page()
        self.looked_at = set() if looked_at is None else looked_at
        self.asked: list[str] = []
        self._said: list[str] = []
        self._allowed: set[int] = set()
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self._said.append(str(error.error)))
        self.context.on("request", self._follow)

    def close(self) -> None:
        """Shut it, after a last look at what was said and asked."""
        self._nothing_untoward()
        self.context.close()

    # -- moving about

    def goto(self, address: str, *, status: int = 200) -> None:
        """Open an address of the portal, or a whole one."""
        with self.expecting(status):
            answer = self.page.goto(address if "://" in address else self.origin + address)
            assert answer is not None
            assert (address, answer.status) == (address, status)
            self.look()

    def press(self, name: str | re.Pattern[str], *, status: int = 200) -> None:
        """Press a button that leads to another page."""
        self._leave(self.page.get_by_role("button", name=name, exact=True).first, status)

    def follow(self, name: str, *, status: int = 200) -> None:
        """Follow a link of the page."""
        self._leave(self.page.get_by_role("link", name=name, exact=True).first, status)

    def _leave(self, control: Locator, status: int) -> None:
        with self.expecting(status):
            with self.page.expect_navigation() as left:
                control.click()
            assert (self.page.url, left.value.status) == (self.page.url, status)
            self.look()

    def reload(self) -> None:
        """The same page, anew."""
        self.page.reload()
        self.look()

    def download(self, to: Path) -> Path:
        """Press what says Download, and keep the file."""
        with self.page.expect_download() as awaited:
            self.page.get_by_role("button", name="Download", exact=True).click()
        awaited.value.save_as(to)
        return to

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """The console may say that a page answered with this status, which the test wants."""
        self._allowed = {status} if status >= 400 else set()
        yield
        self._nothing_untoward()
        self._allowed = set()

    # -- reading

    @property
    def title(self) -> str:
        """What the tab is called, without the company."""
        return self.page.title().split(" – ")[0]

    @property
    def heading(self) -> str:
        """The page's first heading."""
        return self.page.locator("h1").inner_text()

    @property
    def text(self) -> str:
        """The words of the page, each gap one space."""
        return " ".join(self.page.locator("body").inner_text().split())

    @property
    def focus(self) -> str:
        """Name, id or role of what has the focus."""
        found = self.page.evaluate(
            "(({name, id, tagName, textContent, role}) => name || id || role || `${tagName} ${textContent.trim()}`)"
            "(document.activeElement)"
        )
        return str(found)

    @property
    def cookies(self) -> list[str]:
        """The names of all cookies of this browser."""
        return [str(cookie.get("name")) for cookie in self.context.cookies()]

    # -- looking closely

    def look(self) -> None:
        """Axe finds nothing; at 320 px nothing is wider than the window; nothing was said on the console.

        A page of one name and company is looked at once in this size and these colours; the console is always heard.
        """
        self._nothing_untoward()
        where = (self.page.title(), self.page.locator("h1").first.inner_text(), self.scheme, str(self.width))
        if where in self.looked_at:
            return
        page = self.page if self.twin is None else self.twin.mirror(self.page)
        assert (where, findings(page)) == (where, [])
        assert (where, width_at(page, NARROW, then=self.width)) == (where, NARROW)
        self._nothing_untoward()
        self.looked_at.add(where)

    def mirror(self, other: Page) -> Page:
        """The other window's page in this one, with its sheets."""
        address = other.url
        self.page.route(address, lambda route: route.fulfill(body=other.content(), content_type="text/html"))
        self.page.goto(address)
        self.page.unroute(address)
        return self.page

    def _nothing_untoward(self) -> None:
        assert self._said == []
        assert [address for address in self.asked if not address.startswith((self.origin + "/", "data:"))] == []

    def _hear(self, message: ConsoleMessage) -> None:
        failed = FAILED_TO_LOAD.match(message.text)
        is_expected = failed is not None and int(failed[1]) in self._allowed
        if message.type in ("error", "warning") and not is_expected:
            self._said.append(f"{message.text} at {message.location.get('url')}")

    def _follow(self, request: Request) -> None:
        self.asked.append(request.url)


def findings(page: Page) -> list[str]:
    """What axe has against the page."""
    violations: list[dict[str, Any]] = Axe().run(page, options=AXE).response["violations"]
    return [f"{found['id']}: {[node['target'] for node in found['nodes']]}" for found in violations]


def width_at(page: Page, width: int, *, then: int) -> int:
    """How wide the page gets in a window of this width."""
    height = 900
    page.set_viewport_size({"width": width, "height": height})
    found: int = page.evaluate("document.documentElement.scrollWidth")
    if then != width:
        page.set_viewport_size({"width": then, "height": height})
    return found
