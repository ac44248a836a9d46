"""Every message that is sent. A message is a row and a job; what it says is sealed, and forgotten once it is out."""

import time
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.core.mail import EmailMultiAlternatives
from django.db import InterfaceError, OperationalError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from dsr import jobs, policy
from dsr.bundle import sealed
from dsr.mailer import sending
from dsr.models import Case, Job, Mail, Note

# Seconds between the tries to note that a message went out; after the last one it is given up.
NOTE_SENT_AFTER = (0.5, 1, 2, 4, 8, None)
MESSAGES = frozenset({"code", "received", "ready", "refused", "withdrawn", "note"})


@transaction.atomic
def mail(message: str, to: str, *, case: Case | None = None, language: str = "", **values: Any) -> Mail:
    """Promise one message (a name under templates/email/) to one address. Values must be JSON: dates as text."""
    if message not in MESSAGES:
        raise ValueError(f"There is no message {message!r}; there are: {', '.join(sorted(MESSAGES))}.")
    row = Mail(case=case, message=message, language=language or (case.language if case else "en"))
    row.created_at = timezone.now()
    row.content = {"to": to, "values": values}
    row.save(force_insert=True)
    jobs.enqueue("mail", case=case, key=row.pk)
    return row


def note(case: Case, kind: Note.Kind, words: str, by: User | None = None) -> Note:
    """Keep a written word with the case: for staff, to the person, or from the person. Nothing is sent by this."""
    row = Note(case=case, kind=kind, by=by, at=timezone.now())
    row.body = {"text": words}
    row.save(force_insert=True)
    return row


def send(job: Job) -> None:
    """Send the job's message; the same Message-ID each time, so that a doubled one can be told."""
    row = Mail.objects.select_related("case").get(pk=job.key)
    if row.sent_at is not None:
        return
    message = compose(row)
    sending.send(message)
    row.content, row.sent_at = {}, timezone.now()
    _note_sent(row, job)


def _note_sent(row: Mail, job: Job) -> None:
    """The message is out: a database that restarts right now is waited for, or the person would get a second one."""
    for seconds in NOTE_SENT_AFTER:
        try:
            with transaction.atomic():
                row.save(update_fields=["content_sealed", "sent_at"])
                jobs.finish(job)
                return
        except (OperationalError, InterfaceError):
            if seconds is None:
                raise
            time.sleep(seconds)
            jobs.look_at_connection()


def compose(row: Mail) -> EmailMultiAlternatives:
    """The message as it goes out: plain text first, HTML second."""
    organisation = policy.current().organisation
    content = row.content
    with translation.override(row.language):
        values = content["values"] | {
            "organisation": organisation,
            "language": row.language,
            "reference": row.case.spoken_reference if row.case else "",
            "link": link(row.case) if row.case else settings.DSR_ORIGIN,
            "signer": signer(row.case),
            "is_sample": settings.DSR_DEMO,
        }
        folder = f"email/{row.message}"
        subject = " ".join(render_to_string(f"{folder}/subject.txt", values).split())
        text = render_to_string(f"{folder}/body.txt", values)
        html = render_to_string(f"{folder}/body.html", values)
    host = settings.DSR_ORIGIN.partition("://")[2].partition(":")[0]
    message = EmailMultiAlternatives(
        subject,
        text,
        from_email=f'"{_header(organisation.short)} privacy" <{organisation.email}>',
        to=[content["to"]],
        headers={"Message-ID": f"<{row.pk}@{host}>", "Auto-Submitted": "auto-generated"} | settings.MAIL_HEADERS,
    )
    message.attach_alternative(html, "text/html")
    if "attachment" in content["values"]:
        message.attach(*_attachment(content["values"]["attachment"]))
    return message


def link(case: Case) -> str:
    """The one link of a mail: the request's page, from the configured origin alone. It opens nothing by itself."""
    with translation.override(case.language):
        return settings.DSR_ORIGIN + reverse("portal:status", args=[case.pk])


def signer(case: Case | None) -> str:
    """The name that signs: who looks after the case, else the policy's signer, else the contact by its office."""
    organisation = policy.current().organisation
    if case is not None and case.assignee is not None and case.assignee.name:
        return str(case.assignee.name)
    return organisation.signer or (organisation.dpo.name if organisation.dpo else "") or organisation.name


def _attachment(place: dict[str, str]) -> tuple[str, bytes, str]:
    content = b"".join(sealed.chunks(storages["bundles"], place["name"], place["context"].encode()))
    return place["file_name"], content, "application/zip"


def _header(text: str) -> str:
    return "".join(char for char in text if char.isprintable() and char not in '"\\<>')
