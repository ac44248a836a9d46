"""One Chromium for a module's journeys, a portal that is really served, and the mails it writes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live
from django.core.cache import cache
from playwright.sync_api import Browser, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User

# So that a failed assertion in them says what it saw.
pytest.register_assert_rewrite(*(f"tests.journeys.{name}" for name in ("acts", "ending", "outcomes", "post", "window")))

from tests.journeys import acts, post  # noqa: E402
from tests.journeys.company import PostOffice  # noqa: E402
from tests.journeys.post import Post  # noqa: E402
from tests.journeys.window import ARGUMENTS, CHROMIUM, Window  # noqa: E402

OpenWindow = Callable[..., Window]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all stories. While it runs, this thread has an event loop, which Django would not abide."""
    assert CHROMIUM is not None, "DSR_REQUIRE_BROWSER is 1, and Chromium is not installed: apt-get install chromium"
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def origin(browser: Browser, live_server: LiveServer, settings: Any, data_folder: Path) -> str:
    """The portal, served; its mails are written to files."""
    cache.clear()  # limits and used codes outlive a test
    settings.DSR_ORIGIN = live_server.url
    settings.ACCOUNTS_ORIGIN = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    settings.DSR_DEMO = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = data_folder / "outbox"
    return str(live_server.url)


@pytest.fixture(scope="session")
def looked_at() -> set[tuple[str, ...]]:
    """The pages that were looked at closely, so that each is so once in a run."""
    return set()


@pytest.fixture
def window(browser: Browser, origin: str, looked_at: set[tuple[str, ...]]) -> Iterator[OpenWindow]:
    """Opens windows, each a browser of its own, and shuts them with a last look at what they did."""
    opened: list[Window] = []

    def open_one(*, javascript: bool = True, **options: Any) -> Window:
        if not javascript:
            options["twin"] = open_one(**options)
        opened.append(Window(browser, origin, looked_at=looked_at, **options))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def outbox(origin: str, work: Callable[[], int]) -> Post:
    """The mails in the folder."""
    return Post(work, lambda: post.in_folder(Path(live.EMAIL_FILE_PATH)))


@pytest.fixture
def cleo(origin: str) -> User:
    """She approves."""
    return acts.member("cleo")


@pytest.fixture
def post_office(origin: str, settings: Any) -> Iterator[PostOffice]:
    """A real mail server, in place of the folder."""
    office = PostOffice()
    office.open()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, _, port = office.url.removeprefix("smtp://").partition(":")
    settings.EMAIL_PORT = int(port)
    yield office
    office.close()
