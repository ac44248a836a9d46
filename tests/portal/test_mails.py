"""What the mails say, and what they never say."""

import re
from email import message_from_bytes

import pytest

from dsr import notify, policy, samples
from dsr.models import Mail
from tests.cast import make_case

pytestmark = pytest.mark.django_db
VALUES = {
    "code": {"code": "123456", "minutes": 30},
    "received": {"due_on": "2026-12-21"},
    "ready": {"asked_on": "2026-11-21", "expires_days": 14, "attached": False},
    "refused": {"reasons": "You asked last week."},
    "withdrawn": {"disputed": False},
    "note": {},
}
HOSTILE = {"name": "<script>Ada</script>\r\nBcc: eve@example.com", "message": "come to https://evil.example"}


def compose(message: str, **values):
    case = make_case(**HOSTILE)
    row = notify.mail(message, "ada@example.org", case=case, **(VALUES[message] | values))
    return notify.compose(Mail.objects.get(pk=row.pk)), case


def test_every_message_is_tried_here() -> None:
    assert VALUES.keys() == notify.MESSAGES


@pytest.mark.parametrize("name", samples.NAMES)
@pytest.mark.parametrize("message", VALUES)
def test_every_message_reads_well_for_every_company(company, name: str, message: str) -> None:
    held = company(name)
    mail, case = compose(message)
    assert case.spoken_reference in mail.subject
    html = str(mail.alternatives[0][0])
    for body in (mail.body, html):
        assert "{" not in body
        assert held.organisation.name in body
        assert len(re.findall(r"https?://\S+", body)) <= 1  # one link, and no other address to go to
    assert all(len(line) <= 78 for line in mail.body.splitlines() if "://" not in line and "@" not in line)
    assert not re.search(r"\n{4,}", mail.body)
    assert "&" not in mail.body  # text is not escaped for HTML


@pytest.mark.parametrize("message", VALUES)
def test_no_mail_holds_what_a_person_typed_or_asked(message: str) -> None:
    """bomb, leak: neither the right nor a word of the form."""
    mail, _ = compose(message)
    everything = mail.subject + mail.body + str(mail.alternatives[0][0])
    assert not [word for word in ("Ada", "evil.example", "Bcc", "copy of", "access") if word in everything]


@pytest.mark.parametrize("message", ["received", "ready", "note"])
def test_the_link_is_the_page_of_the_request(settings, message: str) -> None:
    settings.DSR_ORIGIN = "https://privacy.lumio.example"
    mail, case = compose(message)
    link = f"https://privacy.lumio.example/en/r/{case.pk}/"
    assert link in mail.body
    assert f'<a href="{link}">' in str(mail.alternatives[0][0])
    assert "Was this not you?" in mail.body


def test_a_code_without_a_request_names_none() -> None:
    row = notify.mail("code", "ada@example.org", code="123456", minutes=30)
    mail = notify.compose(Mail.objects.get(pk=row.pk))
    assert mail.subject == "Your code for Lumio privacy"
    assert "123456" in mail.body
    assert "123456" not in mail.subject


def test_plain_text_comes_first_and_html_needs_nothing_from_outside() -> None:
    mail, _ = compose("ready")
    parts = [part.get_content_type() for part in message_from_bytes(mail.message().as_bytes()).walk()]
    assert parts == ["multipart/alternative", "text/plain", "text/html"]
    assert not re.search(r"<(img|style|link|script)|src=|style=", str(mail.alternatives[0][0]))


def test_an_attached_answer_says_where_its_passphrase_is() -> None:
    mail, _ = compose("ready", attached=True)
    assert "It is attached as a locked file." in " ".join(mail.body.split())
    assert "7-Zip" in mail.body


def test_the_signer_is_a_name() -> None:
    held = policy.current().organisation
    mail, _ = compose("received")
    assert held.name in mail.body
