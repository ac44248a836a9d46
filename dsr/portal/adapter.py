"""How codes leave: as one of our own mails, promised by a row and sent by a worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils.translation import get_language

from accounts.adapter import AccountAdapter
from dsr import notify
from dsr.models import Case

# RFC 2606: never a real address. Codes for requests that do not exist are "sent" there, so that all else is alike.
NOBODY = "nobody.invalid"
_about: ContextVar[Case | None] = ContextVar("about", default=None)


class PortalAccountAdapter(AccountAdapter):
    """Sends sign-in codes through dsr.notify, so that the sender's work is the same for every address."""

    def deliver_code(self, email: str, code: str, minutes: int) -> None:
        """Promise the mail. The code rests encrypted until it is sent, and is forgotten then."""
        if not email.endswith(f"@{NOBODY}"):
            notify.mail("code", email, case=_about.get(), language=get_language() or "en", code=code, minutes=minutes)


@contextmanager
def about(case: Case | None) -> Iterator[None]:
    """Within this, a code's mail names the reference of this request."""
    token = _about.set(case)
    try:
        yield
    finally:
        _about.reset(token)


def nobody(case_id: str) -> str:
    """The address that stands in for a request that does not exist."""
    return f"{case_id}@{NOBODY}"
