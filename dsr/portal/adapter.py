"""How codes leave: as one of our own mails, promised by a row and sent by a worker."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.utils.translation import get_language

from accounts.adapter import AccountAdapter, SecondFactorAdapter
from dsr import keys, notify, policy
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


class SealedSecondFactorAdapter(SecondFactorAdapter):
    """Second factors of staff rest encrypted: reading the database alone does not give them away."""

    def get_totp_issuer(self) -> str:
        """The company's name, as an authenticator app shows it."""
        return policy.current().organisation.short

    def encrypt(self, text: str) -> str:
        """Seal a secret for the database."""
        return base64.b64encode(keys.seal_field(text.encode(), b"mfa")).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open what encrypt made."""
        return keys.open_field(base64.b64decode(encrypted_text), b"mfa").decode()


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
