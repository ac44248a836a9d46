"""The sample's mails: there in the sample, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils.http import urlencode

from dsr.portal.context import FILE_BACKEND
from tests.portal.browsing import browser, text

SMTP = "django.core.mail.backends.smtp.EmailBackend"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DSR_DEMO = True
    settings.EMAIL_BACKEND = FILE_BACKEND
    settings.EMAIL_FILE_PATH = tmp_path / "outbox"
    return settings.EMAIL_FILE_PATH


def send(subject: str = "Request 1234 5678: your code", html: str = "<p>Hello</p>") -> None:
    message = EmailMultiAlternatives(subject, "your code is:\n\n    123456\n", "a@x.example", ["ada@example.com"])
    message.attach_alternative(html, "text/html")
    message.send()


def listed() -> str:
    page = text(browser().get("/outbox/"))
    return page.split('href="/outbox/')[-1].split("/")[0]


def test_a_mail_can_be_found_and_read() -> None:
    assert "None yet." in text(browser().get("/outbox/"))
    send()
    assert "Request 1234 5678: your code" in text(browser().get("/outbox/"))
    assert "123456" in text(browser().get(f"/outbox/{listed()}/"))


def test_its_html_runs_nothing() -> None:
    """xss: as source it is text, as a page it is in a sandbox."""
    send(html="<script>alert(1)</script><p>Hello</p>")
    assert "<script>alert" not in text(browser().get(f"/outbox/{listed()}/"))
    page = browser().get(f"/outbox/{listed()}/html/")
    assert page["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_its_subject_is_text() -> None:
    send(subject="<b>bold</b>")
    assert "&lt;b&gt;bold&lt;/b&gt;" in text(browser().get("/outbox/"))


@pytest.mark.parametrize(
    "changes", [{"DSR_DEMO": False}, {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend"}]
)
def test_it_is_not_there_in_earnest(settings: Any, changes: dict[str, Any]) -> None:
    send()
    mail = listed()
    for name, value in changes.items():
        setattr(settings, name, value)
    for path in ("", f"{mail}/", f"{mail}/html/"):
        assert browser().get(f"/outbox/{path}").status_code == 404


@pytest.mark.parametrize("mail", ["nothing", "..", urlencode({"a": "../../etc/passwd"})[2:]])
def test_no_other_file_can_be_read(mail: str) -> None:
    send()
    assert browser().get(f"/outbox/{mail}/").status_code == 404
