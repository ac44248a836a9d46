"""What people and staff do in a browser, page by page."""

import re
from pathlib import Path

from django.contrib.auth.models import Permission

from accounts import second_factor, staff
from accounts.models import User
from dsr import deliver
from dsr.bundle import archive
from dsr.models import Case
from dsr.samples import SamplePerson
from tests import cast
from tests.journeys.post import Post
from tests.journeys.window import Window

PASSWORD = "violet-harbour-41"
AS = {"jsonl": "As JSON Lines", "csv": "As tables (CSV)"}
ONE_RECORD = re.compile(r"([\d,]+) records?")


def ask(window: Window, person: SamplePerson, *, right: str = "access", form: str = "jsonl") -> Case:
    """From the start page through every question to the page with the reference."""
    window.goto("/en/")
    window.page.locator(f"a[href$='/ask/?right={right}']").click()
    window.look()
    if person.email:
        window.page.get_by_label("Me", exact=True).check()
        window.press("Continue")
        window.page.get_by_label("Your e-mail address").fill(person.email)
    else:
        window.page.get_by_label("Your privacy receipts").fill("\n".join(person.receipts))
    window.press("Continue")
    window.page.get_by_label(AS[form]).check()
    window.page.get_by_label("Your name (optional)").fill(person.name)
    window.press("Continue")
    assert window.heading == "Check your answers"
    window.press("Send my request")
    assert window.heading == "We have your request"
    case = Case.objects.get(reference=re.sub(r"\W", "", window.page.locator(".hero").inner_text()))
    assert case.right == right
    return case


def type_code(window: Window, code: str) -> None:
    """Type a mailed code where the page asks for it."""
    window.page.get_by_label("Code from our mail").fill(code)
    window.press("Continue")


def type_claim(window: Window, claim: str) -> None:
    """Open a request by its claim code."""
    window.goto("/en/claim/")
    window.page.get_by_label("Claim code").fill(claim)
    window.press("Open")


def come_back(window: Window, link: str, post: Post, email: str) -> None:
    """Open the link of a mail: it opens nothing but a way to a code."""
    window.goto(link)
    if window.title == "Open a request":
        window.press("Send me a code")
        type_code(window, post.code(email))


def sign_in_as_eve(window: Window, eve: SamplePerson, post: Post) -> None:
    """The second sample person, signed in by a code of her own, with no request to her name."""
    window.goto("/en/follow/")
    window.page.get_by_label("Your e-mail address").fill(eve.email)
    window.press("Send me a code")
    type_code(window, post.code(eve.email))
    assert "There is no request under this address." in window.text


def member(name: str) -> User:
    """Somebody of the staff who may agree, with a password and an authenticator app."""
    user = staff.add(f"{name}@staff.example", name=name.title(), password=PASSWORD)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="dsr", codename__in=cast.APPROVES))
    second_factor.set_totp(user, cast.TOTP_SECRET)
    return user


def sign_in(window: Window, user: User) -> None:
    """By password, then by the second factor; the password alone reaches nothing."""
    window.goto("/staff/")
    assert window.heading == "Staff sign-in"
    window.page.get_by_label("E-mail").fill(user.email)
    window.page.get_by_label("Password").fill(PASSWORD)
    window.press("Sign in")
    assert window.heading == "Your second factor"
    window.page.locator("input[name=code]").fill(second_factor.current_totp(cast.TOTP_SECRET))
    window.press("Sign in")
    assert window.page.url == f"{window.origin}/staff/"


def review(window: Window, case: Case, *, last: bool) -> str:
    """Open the case from the queue, look at a preview, agree. The preview's words."""
    window.goto("/staff/dsr/case/?view=open")
    window.follow(case.spoken_reference)
    window.press(re.compile("^Look"))
    assert "This look was recorded." in window.text
    seen = window.text
    window.follow("Back to the request")
    window.press("Agree and release" if last else "Agree")
    return seen


def agree(window: Window, case: Case, users: list[User]) -> str:
    """As many people as the policy wants, one after the other. What the last of them saw of the data."""
    needed = deliver.approvals_needed(case)
    seen = ""
    for number, user in enumerate(users[:needed], start=1):
        window.context.clear_cookies()
        sign_in(window, user)
        seen = review(window, case, last=number == needed)
    return seen


def open_archive(window: Window, bundle: Path, passphrase: str | None = None) -> dict[str, int]:
    """Unpack the archive, open its first page and its first table from the disk. Rows by data file, as the page says.

    The window belongs to the folder of the archive: whatever else it asked for would be told.
    """
    assert archive.verify(bundle, passphrase) == []
    folder = archive.extract(bundle, bundle.with_suffix(""), passphrase)
    window.origin = folder.as_uri()
    window.page.goto(f"{folder.as_uri()}/index.html")
    window.look()
    lead = window.page.locator(".lead").inner_text()
    counts = {}
    for row in window.page.locator("main > ul.rows > li").all():
        found = ONE_RECORD.fullmatch(row.locator(".num").inner_text())
        if found is None or found[1] == "0":
            assert "nothing held" in row.inner_text()
            continue
        counts[row.locator("a[href^='data/']").get_attribute("href") or ""] = int(found[1].replace(",", ""))
    whole = ONE_RECORD.search(lead)
    assert whole is not None
    assert int(whole[1].replace(",", "")) == sum(counts.values())
    window.page.locator("a[href^='pages/']").first.click()
    window.look()
    window.page.get_by_role("link", name="Everything in this archive").click()
    assert window.page.url == f"{folder.as_uri()}/index.html"
    return counts
