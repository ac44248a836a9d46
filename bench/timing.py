"""Is this address known here? The time of the answer must not tell: known and unknown addresses, in turn."""

import time
from collections.abc import Callable
from statistics import median

from accounts.models import User
from bench.browser import Browser, Page
from bench.case import PORT, running, tell
from bench.figures import Figure, milliseconds
from dsr import samples

PAIRS = 80
HOST = "localhost"
# Medians of so few requests on a busy machine differ by some percent by themselves; see the third line.
MOST_APART = 0.10


def main() -> None:
    known = [samples.sample("lumio").known(samples.people.FIRST_OTHER + number).email for number in range(PAIRS)]
    unknown = [f"nobody{number}@example.net" for number in range(PAIRS)]
    others = [f"stranger{number}@example.net" for number in range(PAIRS)]
    signed_in_before = [f"before{number}@example.net" for number in range(PAIRS)]
    for email in signed_in_before:
        User.objects.create_user(email)
    with running("web", web_workers=1):
        _asking("warm@example.net", 0)
        taken = _in_turn({"known": known, "unknown": unknown, "others": others, "before": signed_in_before})
    tell(
        [
            _compared("the form's answer: address in the systems, beside one that is not", taken, "known"),
            _compared("the form's answer: address that signed in before, beside one that did not", taken, "before"),
            _compared("- two unknown addresses beside each other: the noise", taken, "others", is_target=False),
        ]
    )


def _in_turn(emails: dict[str, list[str]]) -> dict[str, float]:
    """Median seconds of the answer. The kinds take turns, and each comes first as often as the others."""
    found: dict[str, list[float]] = {name: [] for name in emails}
    names = list(emails)
    for number in range(PAIRS):
        for turn in range(len(names)):
            name = names[(number + turn) % len(names)]
            found[name].append(_asking(emails[name][number], number * len(names) + turn))
    return {name: median(seconds) for name, seconds in found.items()}


def _asking(email: str, number: int) -> float:
    """Seconds from sending the form to its answer. Each person comes from a network of their own."""
    browser = Browser(HOST, PORT, source=f"127.1.{number // 250}.{number % 250 + 1}")
    page = browser.get("/en/ask/?right=access")
    page = browser.send(page, {"relation": "self"}, button="next")
    page = browser.send(page, {"email": email}, button="next")
    page = browser.send(page, {}, button="next")
    seconds = _timed(lambda: browser.send(page, {}, button="send"))
    browser.close()
    return seconds


def _timed(send: Callable[[], Page]) -> float:
    begun = time.perf_counter()
    page = send()
    taken = time.perf_counter() - begun
    if page.status != 200:
        raise SystemExit(f"The form answered {page.status}.")
    return taken


def _compared(what: str, taken: dict[str, float], name: str, *, is_target: bool = True) -> Figure:
    ratio = taken[name] / taken["unknown"]
    return Figure(
        what,
        f"{milliseconds(taken[name])}, {ratio:.2f} times",
        milliseconds(taken["unknown"]),
        f"{1 - MOST_APART:.1f} to {1 + MOST_APART:.1f} times" if is_target else "",
        abs(ratio - 1) <= MOST_APART if is_target else None,
    )
