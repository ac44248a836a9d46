"""What must have come of a journey, and what must not have."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.storage import storages
from django.utils import timezone
from pypdf import PdfReader

from accounts.models import User
from dsr import deliver, policy, samples, tasks
from dsr.models import Case, Job, JobState, State
from dsr.samples import SamplePerson
from tests.conftest import HEAVY_ROWS
from tests.journeys import acts
from tests.journeys.post import Post, links, telling_subjects
from tests.journeys.window import Window

OpenWindow = Callable[..., Window]
# Columns that tell one person's rows from another's.
OF_ONE_PERSON = ("id", "email", "user_id", "account_id", "stripe_customer", "customer", "contact_id", "request_id")


def see_progress(window: Window, case: Case) -> None:
    """Let one system be read after the other and see on the page how far it is, before the first and after it."""
    total = len(policy.systems().systems)
    run_one("identify", case)
    window.reload()
    assert f"0 of {total} systems" in window.text
    run_one("gather", case)
    if total > 1:
        window.reload()
        assert f"1 of {total} systems" in window.text
        assert window.page.locator("progress").get_attribute("value") == "1"
        window.follow("Hold it still")


def run_one(kind: str, case: Case) -> None:
    """Do the first waiting job of this kind."""
    job = Job.objects.filter(kind=kind, case=case, state=JobState.WAITING).order_by("pk").first()
    assert job is not None
    tasks.run_job(job.pk)


def look_at_it(open_window: OpenWindow, case: Case, staff: list[User], ada: SamplePerson) -> str:
    """Staff look at what was found and agree. What they read on the page of the request just before."""
    desk = open_window()
    acts.agree(desk, case, staff)
    case.refresh_from_db()
    assert case.state == State.EXECUTING
    return desk.text


def hold_against_the_truth(
    open_window: OpenWindow,
    case: Case,
    bundle: Path,
    company: str,
    *,
    form: str = "jsonl",
    passphrase: str | None = None,
    **options: Any,
) -> None:
    """The archive holds every row of ada's, says so on its first page, and holds nothing of eve's."""
    reader = open_window(**options)
    truth = samples.expected(company, heavy_rows=HEAVY_ROWS)
    counts = acts.open_archive(reader, bundle, passphrase)
    assert counts == {f"data/{system}/{name}.{form}": len(rows) for (system, name), rows in truth.items() if rows}
    folder = bundle.with_suffix("")
    letter = "\n".join(page.extract_text() for page in PdfReader(folder / "letter.pdf").pages)
    for words in (case.spoken_reference, samples.person(company).name, "Where to complain", "Who receives it", "Cleo"):
        assert words in letter
    hers = marks(company, 1)
    whole = b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()) + letter.encode()
    assert len(hers) > 20
    assert [mark for mark in marks(company, 0) if mark.encode() in whole] != []
    assert [mark for mark in hers if mark.encode() in whole] == []


def marks(company: str, which: int) -> set[str]:
    """What only this person's rows hold: address, identifiers, keys."""
    found = [_marks(company, one) for one in (which, 1 - which)]
    return found[0] - found[1]


def _marks(company: str, which: int) -> set[str]:
    person = samples.person(company, which)
    rows = [row for found in samples.expected(company, which, heavy_rows=HEAVY_ROWS).values() for row in found]
    known = {str(row[column]) for row in rows for column in OF_ONE_PERSON if row.get(column) is not None}
    known |= {value for values in person.identifiers.values() for value in values} | {person.name, person.email}
    return {mark for mark in known if len(mark) > 7}


def nothing_is_left(window: Window, case: Case) -> None:
    """The page says that the file is gone; its address leads back to that page; storage holds nothing of the case."""
    window.reload()
    assert window.heading == "Your request is answered"
    assert "we deleted the file" in window.text or "the file is deleted" in window.text
    assert window.page.get_by_role("button", name="Download", exact=True).count() == 0
    window.goto(window.page.url.partition("#")[0] + "download/")
    assert window.heading == "Your request is answered"
    folder = Path(storages["bundles"].location)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def time_runs_out(window: Window, case: Case, work: Callable[[], int]) -> None:
    """The last day is over."""
    days = policy.current().delivery.expires_days
    assert deliver.expire(timezone.now() + timedelta(days=days - 1)) == 0
    assert deliver.expire(timezone.now() + timedelta(days=days + 1)) == 1
    work()
    window.goto(f"/en/r/{case.pk}/")
    assert "Its time was up, so we deleted the file." in window.text
    nothing_is_left(window, case)


def eve_sees_nothing(open_window: OpenWindow, case: Case, eve: SamplePerson, post: Post, ada: SamplePerson) -> None:
    """With ada's link eve gets the page that everybody gets; signed in herself, a page that is not there."""
    hers = open_window()
    neutral = {}
    for known in (case.pk, "0" * 32):
        hers.goto(f"/en/r/{known}/")
        neutral[known] = hers.page.content().replace(known, "")
    assert neutral[case.pk] == neutral["0" * 32]
    acts.sign_in_as_eve(hers, eve, post)
    for page in ("", "download/", "close/", "withdraw/", "dispute/", "note/", "answer-due.ics"):
        hers.goto(f"/en/r/{case.pk}/{page}", status=404)
        for private in (case.spoken_reference, ada.email, ada.name):
            assert private not in hers.page.content()


def eve_knows_no_claim(open_window: OpenWindow, case: Case, opened: str) -> None:
    """Neither the request's id, nor an address with a changed token, nor another claim code opens it."""
    hers = open_window(javascript=False)
    hers.goto(f"/en/r/{case.pk}/")
    assert hers.title == "Open your request"
    hers.page.get_by_label("Claim code").fill("0" * 26)
    hers.press("Open")
    assert "This code opens no request." in hers.text
    (token,) = re.findall(r"/o/([^/]+)/", opened)
    changed = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    hers.goto(f"/en/o/{changed}/", status=404)
    assert hers.cookies == []


def mails_say_nothing(post: Post, ada: SamplePerson, *events: str) -> None:
    """Subjects hold the reference, no data, not the right; each mail has one link at most; these events wrote one."""
    mails = post.to(ada.email)
    assert telling_subjects(mails, ada.name, ada.email, "Ada", "Marsh") == []
    assert [mail["Subject"] for mail in mails if len(links(mail)) > 1] == []
    subjects = [str(mail["Subject"]) for mail in mails]
    for event in events:
        assert any(subject.endswith(f": {event}") for subject in subjects), subjects
