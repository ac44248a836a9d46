"""Every public page: how many bytes a browser fetches for it, and how it stands up to 50 clients at once."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from statistics import median

from django.conf import settings

from bench.browser import Browser, Page, Visit
from bench.case import LONGEST_WAIT_SECONDS, PORT, running, tell
from bench.figures import Figure, milliseconds, percentile
from bench.load import CLIENTS, latencies
from dsr import samples

HOST = "localhost"
ROUNDS = 3
REQUESTS = 300
MOST_BYTES = 30_000
MOST_TIMES_EMPTY = 3.0
EMPTY = Visit("GET", "/bench/empty/")


@dataclass(frozen=True)
class Taken:
    """Seconds of a page, of the empty one beside it, and how many times as long the page took."""

    page: float
    empty: float
    times: float

    def __str__(self) -> str:
        return f"{milliseconds(self.page)}, {self.times:.1f} times"


def main() -> None:
    with running("web", "clock", "worker"):
        browser = Browser(HOST, PORT)
        pages = {name: page for name, page in _journey(browser) if _is_right(name, page)}
        weights = {name: browser.whole_weight(page) for name, page in pages.items()}
        browser.close()
        # Filing and typing a code cannot be sent again; every other page is.
        visits = {name: page.visit for name, page in pages.items() if not name.startswith("sent")}
        taken = _under_load(visits)
    own = {name for name, visit in visits.items() if visit.method == "POST" or "Cookie" in dict(visit.headers)}
    figures = [
        _heaviest(weights),
        _slowest("public pages, by their address", {n: t for n, t in taken.items() if n not in own}),
        _slowest("pages with one's own answers or request", {n: t for n, t in taken.items() if n in own}),
    ]
    for name, weight in weights.items():
        beside = f"p95 {taken[name]}" if name in taken else ""
        figures.append(Figure(f"- {name}", f"{weight / 1000:.1f} KB", beside))
    tell(figures)


def _journey(browser: Browser) -> Iterator[tuple[str, Page]]:
    """Every page that a person meets on the way to an archive, in order."""
    person = samples.person("lumio")
    for name, path in (("start", "/en/"), ("policy", "/en/policy/"), ("accessibility", "/en/accessibility/")):
        yield name, browser.get(path)
    page = browser.get("/en/ask/?right=access")
    yield "ask: whose data", page
    page = browser.send(page, {"relation": "self"}, button="next")
    yield "ask: address", page
    page = browser.send(page, {"email": person.email}, button="next")
    yield "ask: which data", page
    page = browser.send(page, {}, button="next")
    yield "ask: check", page
    page = browser.send(page, {}, button="send")
    yield "sent: done, with the code to type", page
    status = browser.send(page, {"code": _mailed_code()})
    yield "sent: the code", status
    yield "status", browser.get(status.visit.path)
    yield "follow: own requests", browser.get("/en/follow/")
    stranger = Browser(HOST, PORT, source="127.0.0.2")
    yield "follow: address", stranger.get("/en/follow/")
    yield "a stranger with the link", stranger.get(status.visit.path)
    stranger.close()


def _is_right(name: str, page: Page) -> bool:
    if page.status != 200:
        raise SystemExit(f"The page “{name}” answered {page.status}.")
    return True


def _mailed_code() -> str:
    """The code in the newest mail of the outbox."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline:
        for path in sorted(Path(settings.EMAIL_FILE_PATH).glob("*"), reverse=True):
            message = message_from_bytes(path.read_bytes(), policy=default)
            body = message.get_body(("plain",))
            found = re.search(r"^\s*([A-Z0-9]{3,}(?:[- ][A-Z0-9]{3,})*)\s*$", body.get_content() if body else "", re.M)
            if found:
                return found[1]
        time.sleep(0.1)
    raise SystemExit("No code was mailed.")


def _under_load(visits: dict[str, Visit]) -> dict[str, Taken]:
    """The 95th percentile of each page beside that of the empty one right before it: medians of rounds."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in visits}
    for _round in range(ROUNDS):
        for name, visit in visits.items():
            found[name].append((_p95(EMPTY), _p95(visit)))
    return {
        name: Taken(
            median(page for _empty, page in pairs),
            median(empty for empty, _page in pairs),
            median(page / empty for empty, page in pairs),
        )
        for name, pairs in found.items()
    }


def _p95(visit: Visit) -> float:
    return percentile(latencies(HOST, PORT, visit, REQUESTS), 0.95)


def _heaviest(weights: dict[str, int]) -> Figure:
    name, weight = max(weights.items(), key=lambda pair: pair[1])
    return Figure(
        f"heaviest of {len(weights)} public pages, sheets and pictures included",
        f"{weight / 1000:.1f} KB ({name})",
        "",
        f"≤ {MOST_BYTES // 1000} KB",
        weight <= MOST_BYTES,
    )


def _slowest(which: str, taken: dict[str, Taken]) -> Figure:
    name, slowest = max(taken.items(), key=lambda pair: pair[1].times)
    return Figure(
        f"{which}: the slowest with {CLIENTS} clients at once, 95th percentile",
        f"{slowest} ({name})",
        f"an empty view behind the same middleware: {milliseconds(slowest.empty)}",
        f"< {MOST_TIMES_EMPTY:.0f} times",
        slowest.times < MOST_TIMES_EMPTY,
    )
