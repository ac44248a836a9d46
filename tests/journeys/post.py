"""The mails that were really written, read as their receiver reads them."""

import email
import email.policy
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage, Message
from pathlib import Path

from dsr.models import Right

LINE = b"\n" + b"-" * 79 + b"\n"  # what Django's file backend writes after each mail
CODE = re.compile(r"^\s+(\d{6})\s*$", re.M)


@dataclass(frozen=True)
class Post:
    """Everything that was sent so far; `work` is called first, since mails are sent by jobs."""

    work: Callable[[], int]
    fetch: Callable[[], list[EmailMessage]]

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to one address, the oldest first."""
        self.work()
        return [mail for mail in self.fetch() if mail["To"] == address]

    def code(self, address: str) -> str:
        """The newest code that was mailed to this address."""
        codes = [found[1] for mail in self.to(address) if (found := CODE.search(words(mail)))]
        return codes[-1]


def words(mail: EmailMessage) -> str:
    """The mail's plain text."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def links(mail: EmailMessage) -> list[str]:
    """The addresses of pages in the mail's plain text."""
    return re.findall(r"https?://\S+", words(mail))


def in_folder(folder: Path) -> list[EmailMessage]:
    """What the file backend wrote, in order."""
    paths = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
    return [read(piece.lstrip(b"\n")) for path in paths for piece in path.read_bytes().split(LINE) if piece.strip()]


def at_server(taken: list[Message]) -> list[EmailMessage]:
    """What an SMTP server took."""
    return [read(bytes(message)) for message in taken]


def read(raw: bytes) -> EmailMessage:
    """A mail as it travels."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def telling_subjects(mails: list[EmailMessage], *private: str) -> list[str]:
    """Subjects that say more than the reference: an address, something private, or which right was used."""
    told = {*private, *Right.values, *(str(label) for label in Right.labels), "@", "copy", "your data"}
    telling = re.compile("|".join(re.escape(word) for word in sorted(told) if word), re.I)
    return [str(mail["Subject"]) for mail in mails if telling.search(str(mail["Subject"]))]
