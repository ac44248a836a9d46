"""The archive's pages in a real Chromium, from the disk: nothing asked for, nothing run, readable by everyone."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.files.storage import FileSystemStorage
from playwright.sync_api import Browser, Page, sync_playwright

from dsr.bundle import archive
from tests.bundle.sample import CONTENTS, HOSTILE, rows, source, with_files

CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.enable_socket,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield started
        started.close()


@pytest.fixture
def folder(storage: FileSystemStorage, tmp_path: Path) -> Path:
    sources = [
        source(storage, rows(2500, minutes=300), title=f"Usage {HOSTILE[0]}"),
        source(storage, with_files([("<b>.png", b"x")]), collection="pictures", title="Pictures", columns=()),
    ]
    contents = replace(CONTENTS, person=HOSTILE[5] + HOSTILE[2], gaps=CONTENTS.withheld)
    content = b"".join(archive.build(contents, sources, storage, format="csv", letter=b"%PDF"))
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path / "archive")
    return tmp_path / "archive"


def opened(browser: Browser, file: Path, width: int, **options: Any) -> tuple[Page, list[str], list[str]]:
    page = browser.new_context(viewport={"width": width, "height": 900}, **options).new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    return page, said, asked


@pytest.mark.parametrize("path", ["index.html", "pages/app/usage-0001.html", "pages/app/pictures-0001.html"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_opens_from_the_disk_asks_for_its_sheet_alone_and_runs_nothing(
    browser: Browser, folder: Path, path: str, width: int
) -> None:
    page, said, asked = opened(browser, folder / path, width)
    assert said == []
    assert asked == [(folder / path).as_uri(), (folder / "style.css").as_uri()]
    assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") != "none" or "pages" in path
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("script, img, iframe, object").count() == 0
    page.context.close()


@pytest.mark.parametrize("path", ["index.html", "pages/app/usage-0001.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, folder: Path, path: str, scheme: str) -> None:
    # The policy of the page would keep axe itself out.
    page, _said, _asked = opened(browser, folder / path, 1280, color_scheme=scheme, bypass_csp=True)
    page.locator("summary").evaluate_all("all => all.forEach(one => one.parentElement.open = true)")
    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []
    page.context.close()


def test_every_link_leads_to_a_file_of_the_archive(browser: Browser, folder: Path) -> None:
    for path in ("index.html", "pages/app/usage-0002.html", "pages/app/pictures-0001.html"):
        page, _said, _asked = opened(browser, folder / path, 1280)
        links = page.locator("a").evaluate_all("all => all.map(one => one.href)")
        assert links
        for link in links:
            assert page.evaluate("link => decodeURIComponent(new URL(link).pathname)", link).startswith(str(folder))
            assert Path(page.evaluate("link => decodeURIComponent(new URL(link).pathname)", link)).is_file(), link
        page.context.close()


def test_without_the_policy_of_the_page_its_markup_would_still_be_text(browser: Browser, folder: Path) -> None:
    page, said, _asked = opened(browser, folder / "index.html", 1280, bypass_csp=True)
    assert said == []
    assert "<img src=x onerror=alert(1)>[U+202E]gnp.exe" in page.locator(".lead").inner_text()
    page.context.close()
