import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from dsr import intake, notify, policy, tasks
from dsr.models import Case, Job, JobState, Mail

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]

VALUES: dict[str, dict[str, Any]] = {
    "code": {"code": "493027", "minutes": 30},
    "received": {"due_on": "2026-12-21"},
    "ready": {"asked_on": "2026-11-21", "expires_days": 14, "attached": False},
    "refused": {"reasons": "You asked last week.", "authority": "CPPA, https://cppa.ca.gov"},
    "withdrawn": {"disputed": False},
    "note": {},
}


class Postbox:
    """A real SMTP server on loopback."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        return "250 OK"


@pytest.fixture
def postbox(settings) -> Iterator[Postbox]:
    box = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield box
    controller.stop()


@pytest.fixture
def case(lumio) -> Case:
    return intake.open_case(
        intake.Asked(right="access", nonce="n", email="ada@example.com", name="Ada\r\nBcc: eve@example.com")
    )


def send(message: str, case: Case | None, to: str = "ada@example.com") -> Mail:
    row = notify.mail(message, to, case=case, **VALUES[message])
    tasks.run_job(Job.objects.get(kind="mail", key=row.pk).pk)
    row.refresh_from_db()
    return row


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("message", sorted(notify.MESSAGES))
def test_every_message_arrives_as_plain_text_and_html_signed_with_one_link(postbox, case: Case, message: str) -> None:
    row = send(message, case)
    (mail,) = postbox.mails
    assert row.sent_at is not None
    assert case.spoken_reference in mail["Subject"]
    assert "ada" not in mail["Subject"].lower()
    assert case.get_right_display() not in mail["Subject"]
    text, html = text_of(mail), text_of(mail, "html")
    # A code is typed where it was asked for: its mail has no link that could be imitated.
    links = [] if message == "code" else [notify.link(case)]
    assert [word for word in text.split() if word.startswith("http://localhost")] == links
    assert html.count("href=") == len(links)
    assert policy.current().organisation.name in text
    assert max(map(len, text.splitlines())) <= 100
    for tag in ("<img", "<script", "<style", "src="):
        assert tag not in html
    assert "{{" not in text + html
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_first_mail_holds_no_word_the_stranger_typed(postbox, lumio) -> None:
    case = intake.open_case(
        intake.Asked(
            right="access", nonce="n", email="victim@example.com", name="BUY NOW", message="http://evil.example"
        )
    )
    send("code", case, "victim@example.com")
    assert "BUY NOW" not in str(postbox.mails[0])
    assert "evil.example" not in str(postbox.mails[0])


def test_a_mail_is_forgotten_once_it_is_out(postbox, case: Case) -> None:
    row = send("code", case)
    assert (row.content, bytes(row.content_sealed)) == ({}, b"")


def test_before_that_it_rests_encrypted(case: Case) -> None:
    row = notify.mail("code", "ada@example.com", case=case, code="493027", minutes=30)
    assert b"493027" not in bytes(Mail.objects.get(pk=row.pk).content_sealed)


def test_an_address_refused_for_good_is_given_to_a_person(postbox, case: Case) -> None:
    postbox.answer = "550 no such user"
    send("received", case)
    job = Job.objects.get(kind="mail")
    assert (job.state, job.problem) == (JobState.FAILED, "The mail server refused this address for good.")


def test_a_server_that_is_busy_or_down_is_tried_again(postbox, case: Case, settings) -> None:
    postbox.answer = "450 try later"
    send("received", case)
    settings.EMAIL_PORT = 1
    send("received", case)
    assert {job.state for job in Job.objects.filter(kind="mail")} == {JobState.WAITING}
    assert postbox.mails == []


def test_the_same_mail_sent_twice_can_be_told(postbox, case: Case, monkeypatch) -> None:
    """A worker that dies between the server's OK and its own note sends again: the Message-ID is the same."""
    row = notify.mail("received", "ada@example.com", case=case, **VALUES["received"])
    for _ in range(2):
        notify.compose(row).send()
    assert len({mail["Message-ID"] for mail in postbox.mails}) == 1


def test_a_line_break_in_an_address_is_refused(case: Case) -> None:
    row = notify.mail("received", "ada@example.com\r\nBcc: eve@example.com", case=case, **VALUES["received"])
    with pytest.raises(ValueError, match="newlines"):
        notify.compose(row).message()


def test_the_sender_is_the_company_whatever_its_name_holds(case: Case, monkeypatch) -> None:
    spoiled = policy.current().organisation.model_copy(update={"short": 'Lumio" <eve@example.com>\r\nX: y'})
    monkeypatch.setattr(policy._state, "policy", policy.current().model_copy(update={"organisation": spoiled}))
    row = notify.mail("received", "ada@example.com", case=case, **VALUES["received"])
    sender = notify.compose(row).message()["From"]
    assert sender.endswith("<privacy@lumio.so>")
    assert "\n" not in sender
    assert sender.count("<") == 1


def test_links_come_from_the_configured_origin(case: Case, settings) -> None:
    settings.DSR_ORIGIN = "https://privacy.lumio.example"
    assert notify.link(case) == f"https://privacy.lumio.example/en/r/{case.pk}/"


def test_an_unknown_message_is_an_error_at_once(case: Case) -> None:
    with pytest.raises(ValueError, match="no message 'raedy'"):
        notify.mail("raedy", "ada@example.com", case=case)
