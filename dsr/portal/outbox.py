"""The mails of the sample, so that somebody trying it finds the code. Not there in earnest."""

import email
import email.policy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dsr.portal.context import has_outbox

SEPARATOR = b"\n" + b"-" * 79 + b"\n"  # what the backend writes after each mail
SHOWN = 50


@dataclass(frozen=True)
class Kept:
    """One mail in the folder."""

    id: str
    message: EmailMessage

    @property
    def text(self) -> str:
        return self.body("plain")

    @property
    def html(self) -> str:
        return self.body("html")

    def body(self, kind: str) -> str:
        """The part of this kind, as text."""
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part else ""

    @property
    def attachments(self) -> list[str]:
        return [part.get_filename() or "" for part in self.message.iter_attachments()]


def only_in_sample(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """These pages show codes, so they exist in sample mode with mails written to files, and nowhere else."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not has_outbox():
            raise Http404
        return view(request, *args, **kwargs)

    return require_safe(guarded)


@only_in_sample
def listing(request: HttpRequest) -> HttpResponse:
    """The newest mails, the newest first."""
    return render(request, "portal/outbox/listing.html", {"mails": list(_mails())[:SHOWN]})


@only_in_sample
def one(request: HttpRequest, mail: str) -> HttpResponse:
    """One mail: its text, and its HTML as source."""
    return render(request, "portal/outbox/mail.html", {"mail": _find(mail)})


@only_in_sample
def html(request: HttpRequest, mail: str) -> HttpResponse:
    """One mail's HTML as a mail program shows it: in a sandbox that runs nothing and fetches nothing."""
    response = HttpResponse(_find(mail).html)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _find(wanted: str) -> Kept:
    found = next((kept for kept in _mails() if kept.id == wanted), None)
    if found is None:
        raise Http404
    return found


def _mails() -> Iterator[Kept]:
    folder = Path(settings.EMAIL_FILE_PATH)
    for path in sorted(folder.glob("*.log"), key=_written_at, reverse=True):
        pieces = [piece for piece in path.read_bytes().split(SEPARATOR) if piece.strip()]
        for number, raw in reversed(list(enumerate(pieces))):
            message = email.message_from_bytes(raw.lstrip(b"\n"), policy=email.policy.default)
            if isinstance(message, EmailMessage):
                yield Kept(f"{path.stem}-{number}", message)


def _written_at(path: Path) -> int:
    """By the file system's clock: the names hold seconds, and two mails of one second would change places."""
    return path.stat().st_mtime_ns
