"""Whole stories in a real Chromium: each sample company's person asks, staff agree, the archive is opened.

Every page on the way is looked at closely: see tests.journeys.window.
"""

from collections.abc import Callable
from pathlib import Path

from accounts.models import User
from dsr import policy, samples
from dsr.bundle import archive
from tests.journeys import acts, post
from tests.journeys.company import PostOffice
from tests.journeys.conftest import OpenWindow
from tests.journeys.outcomes import (
    eve_knows_no_claim,
    eve_sees_nothing,
    hold_against_the_truth,
    look_at_it,
    mails_say_nothing,
    nothing_is_left,
    see_progress,
    time_runs_out,
)
from tests.journeys.post import Post
from tests.journeys.window import NARROW, in_chromium

pytestmark = in_chromium
Company = Callable[[str], policy.Policy]
TOLD = ("your code", "we have it", "something is ready for you")


def test_lumio(
    company: Company, window: OpenWindow, outbox: Post, cleo: User, work: Callable[[], int], tmp_path: Path
) -> None:
    """On a desk, as tables; the person stays in the same window and closes the download when done."""
    company("lumio")
    ada, eve = samples.person("lumio"), samples.person("lumio", 1)
    hers = window()
    case = acts.ask(hers, ada, form="csv")
    acts.type_code(hers, outbox.code(ada.email))
    assert hers.heading == "We are collecting your data"
    see_progress(hers, case)
    work()
    hers.reload()
    assert hers.heading == "A person is looking at your request"
    assert "Agree and release" in look_at_it(window, case, [cleo], ada)
    work()
    hers.reload()
    assert hers.heading == "Your data is ready"
    bundle = hers.download(tmp_path / "lumio.zip")
    hold_against_the_truth(window, case, bundle, "lumio", form="csv")
    hers.reload()
    assert "to the end" in hers.text
    hers.follow("Close the download")
    hers.press("Close the download")
    assert "The download was closed on" in hers.text
    work()
    nothing_is_left(hers, case)
    eve_sees_nothing(window, case, eve, outbox, ada)
    mails_say_nothing(outbox, ada, *TOLD)


def test_lumees(
    company: Company, window: OpenWindow, outbox: Post, cleo: User, work: Callable[[], int], tmp_path: Path
) -> None:
    """Asked on a phone, in the dark; fetched on another device by the link of the mail; the time runs out."""
    company("lumees")
    ada, eve = samples.person("lumees"), samples.person("lumees", 1)
    phone = window(width=NARROW, scheme="dark")
    case = acts.ask(phone, ada, right="export")
    acts.type_code(phone, outbox.code(ada.email))
    see_progress(phone, case)
    work()
    look_at_it(window, case, [cleo], ada)
    laptop = window(scheme="dark")
    acts.come_back(laptop, post.links(outbox.to(ada.email)[-1])[0], outbox, ada.email)
    assert laptop.heading == "Your data is ready"
    bundle = laptop.download(tmp_path / "lumees.zip")
    hold_against_the_truth(window, case, bundle, "lumees", scheme="dark")
    time_runs_out(laptop, case, work)
    eve_sees_nothing(window, case, eve, outbox, ada)
    mails_say_nothing(outbox, ada, *TOLD)


def test_lyumen(
    company: Company, window: OpenWindow, outbox: Post, cleo: User, work: Callable[[], int], tmp_path: Path
) -> None:
    """By receipts and claim code: no account, no address, no script, no cookie at any moment."""
    company("lyumen")
    ada = samples.person("lyumen")
    hers = window(javascript=False)
    case = acts.ask(hers, ada)
    claim = hers.page.locator("p.code").inner_text()
    hers.press("Follow this request")
    assert hers.heading == "We are collecting your data"
    see_progress(hers, case)
    work()
    look_at_it(window, case, [cleo], ada)
    work()
    later = window(javascript=False, width=NARROW)
    acts.type_claim(later, claim.lower().replace("-", " "))
    assert later.heading == "Your data is ready"
    bundle = later.download(tmp_path / "lyumen.zip")
    hold_against_the_truth(window, case, bundle, "lyumen")
    later.reload()
    later.follow("Close the download")
    later.press("Close the download")
    assert "The download was closed on" in later.text
    work()
    nothing_is_left(later, case)
    assert (hers.cookies, later.cookies) == ([], [])
    eve_knows_no_claim(window, case, later.page.url)
    assert outbox.fetch() == []  # there is no address to write to


def test_lumyxai(
    company: Company, window: OpenWindow, outbox: Post, cleo: User, work: Callable[[], int], tmp_path: Path
) -> None:
    """The mailed code stands in for sign-in through another provider, and the page says so. The time runs out."""
    company("lumyxai")
    ada, eve = samples.person("lumyxai"), samples.person("lumyxai", 1)
    hers = window()
    case = acts.ask(hers, ada)
    acts.type_code(hers, outbox.code(ada.email))
    see_progress(hers, case)
    work()
    look_at_it(window, case, [cleo], ada)
    work()
    hers.goto("/en/")
    assert "Sign-in through NabzClan is not built yet; until it is, the mailed code stands in for it." in hers.text
    hers.follow("Follow a request")
    hers.follow(case.spoken_reference)
    bundle = hers.download(tmp_path / "lumyxai.zip")
    hold_against_the_truth(window, case, bundle, "lumyxai")
    time_runs_out(hers, case, work)
    eve_sees_nothing(window, case, eve, outbox, ada)
    mails_say_nothing(outbox, ada, *TOLD)


def test_lunos(
    company: Company,
    window: OpenWindow,
    post_office: PostOffice,
    cleo: User,
    work: Callable[[], int],
    tmp_path: Path,
) -> None:
    """The archive comes with the mail, locked; its passphrase stands on the page of the request and nowhere else."""
    company("lunos")
    ada, eve = samples.person("lunos"), samples.person("lunos", 1)
    mails = Post(work, lambda: post.at_server(post_office.taken))
    phone = window(width=NARROW)
    case = acts.ask(phone, ada, form="csv")
    acts.type_code(phone, mails.code(ada.email))
    see_progress(phone, case)
    work()
    look_at_it(window, case, [cleo], ada)
    ready = mails.to(ada.email)[-1]
    (attached,) = ready.iter_attachments()
    bundle = tmp_path / "lunos.zip"
    bundle.write_bytes(attached.get_content())
    assert archive.verify(bundle, None) != []
    assert archive.verify(bundle, "wrong") != []
    assert "Some unzip programs cannot open the file" in " ".join(post.words(ready).split())
    laptop = window()
    acts.come_back(laptop, post.links(ready)[0], mails, ada.email)
    assert "Some unzip programs cannot open it" in laptop.text
    passphrase = laptop.page.locator("p.code").inner_text()
    assert [mail for mail in post_office.taken if passphrase.encode() in bytes(mail)] == []
    assert laptop.download(tmp_path / "again.zip").read_bytes() == bundle.read_bytes()
    hold_against_the_truth(window, case, bundle, "lunos", form="csv", passphrase=passphrase)
    laptop.follow("Close the download")
    laptop.press("Close the download")
    assert "The download was closed on" in laptop.text
    assert passphrase not in laptop.page.content()
    work()
    nothing_is_left(laptop, case)
    eve_sees_nothing(window, case, eve, mails, ada)
    mails_say_nothing(mails, ada, *TOLD)
