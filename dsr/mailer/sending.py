"""Sending one mail, and why it did not leave: what passes is tried again, the rest is for a person.

No sentence repeats an address, nor what a server said: it quotes them.
"""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from anymail.exceptions import AnymailAPIError, AnymailConfigurationError, AnymailError, AnymailRecipientsRefused
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

TAKEN = frozenset({"sent", "queued"})


class MailWaits(Exception):
    """A passing failure: the same mail may leave later."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.detail, self.hint = detail, hint


class MailRefused(Exception):
    """A permanent failure: this mail does not leave until someone acts."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.detail, self.hint = detail, hint


def send(message: EmailMessage) -> None:
    """Send a mail to its one receiver. Raises MailWaits or MailRefused for whatever goes wrong outside of us."""
    with _told_apart():
        message.send()
    told = getattr(message, "anymail_status", None)
    if told is not None and not TAKEN & (told.status or set()):
        # A provider that answers and does not say yes has lost the mail, for all we know.
        raise MailRefused(
            _("The mail provider did not say that it took this mail."),
            _("Look into the provider’s own log, then start this again or reach the person another way."),
        )


@contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
    except (smtplib.SMTPRecipientsRefused, AnymailRecipientsRefused) as error:
        raise _recipient(error) from error
    except smtplib.SMTPException as error:
        raise _smtp(error) from error
    except AnymailConfigurationError as error:
        raise MailRefused(_("The mail provider’s settings are not complete."), _look_at_setting()) from error
    except AnymailError as error:
        raise _provider(error) from error
    except ssl.SSLCertVerificationError as error:
        raise MailRefused(
            _("The mail server cannot prove who it is."),
            _("Look at its certificate: it must be valid, and for the host that DSR_MAIL names."),
        ) from error
    except OSError as error:
        raise MailWaits(
            _("The mail server cannot be reached: %(kind)s.") % {"kind": type(error).__name__},
            _("Look at the network, and at the host and port in DSR_MAIL. It is tried again."),
        ) from error


def _recipient(error: smtplib.SMTPRecipientsRefused | AnymailRecipientsRefused) -> Exception:
    codes = (
        [code for code, _said in error.recipients.values()] if isinstance(error, smtplib.SMTPRecipientsRefused) else []
    )
    if any(code < 500 for code in codes):
        return _busy(min(codes))
    return MailRefused(
        _("The mail server refused this address for good."), _("Reach the person another way, by post or phone.")
    )


def _smtp(error: smtplib.SMTPException) -> Exception:
    code = int(getattr(error, "smtp_code", 0) or 0)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return MailRefused(
            _("The mail server does not offer what DSR_MAIL asks for: encryption or signing in."),
            _("Look at its port: 587 goes with tls=1, 465 with smtps://."),
        )
    if isinstance(error, smtplib.SMTPAuthenticationError) and code >= 500:
        return MailRefused(_("The mail server refused the user or password (%(code)d).") % {"code": code},
                           _look_at_setting())  # fmt: skip
    # A server that is full or going down greets with 421 or 554: that is about the moment, not about this mail.
    if code >= 500 and not isinstance(error, smtplib.SMTPConnectError | smtplib.SMTPHeloError):
        return MailRefused(
            _("The mail server refused this mail for good (%(code)d).") % {"code": code},
            _("Its own log says why: the sender it does not accept, the size, or what is in it."),
        )
    return _busy(code)


def _busy(code: int) -> MailWaits:
    told = _("The mail server is busy or ill (%(code)d).") if code else _("The mail server hung up.")
    return MailWaits(told % {"code": code} if code else told, _("It is tried again."))


def _provider(error: AnymailError) -> Exception:
    status = _status(error)
    if isinstance(error, AnymailAPIError) and (status is None or status < 400):
        return MailWaits(
            _("The mail provider cannot be reached, or answers what is not understood."),
            _("Look at the network and at the provider’s status page. It is tried again."),
        )
    if status is not None and (status in (408, 425, 429) or status >= 500):
        return MailWaits(_("The mail provider is busy or ill (%(code)d).") % {"code": status}, _("It is tried again."))
    if status in (401, 403):
        return MailRefused(_("The mail provider refused the key (%(code)d).") % {"code": status}, _look_at_setting())
    return MailRefused(
        _("The mail provider refused this mail (%(code)s).") % {"code": status or type(error).__name__},
        _("Its own log says why: often a sender or domain that it has not verified."),
    )


def _status(error: AnymailError) -> int | None:
    status = getattr(error, "status_code", None)
    return int(status) if status is not None else None


def _look_at_setting() -> str:
    return _("Correct DSR_MAIL, restart the processes, and start this again.")
