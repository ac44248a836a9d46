"""What allauth asks us: how mails leave, who may sign up, how a session begins."""

import secrets
import time
from typing import Any

import qrcode
from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.sessions import STAFF_SEEN, STAFF_SINCE

MESSAGES = {
    **DefaultAccountAdapter.error_messages,
    "email_password_mismatch": _("This address and this password do not go together. Check both and try again."),
    "incorrect_password": _("This is not your password. Check it and try again."),
    "too_many_login_attempts": _("There were too many wrong tries. Wait five minutes, then try again."),
}
FACTOR_MESSAGES = {
    **DefaultMFAAdapter.error_messages,
    "incorrect_code": _("This did not work. Wait until the app shows the next code, and type that one."),
}


class AccountAdapter(DefaultAccountAdapter):
    """Subclass this, and name the subclass in ACCOUNT_ADAPTER, to send mails another way."""

    error_messages = MESSAGES

    def deliver_code(self, email: str, code: str, minutes: int) -> None:
        """Mails a sign-in code. Called alike for every address, whether or not it has a user."""
        self.render_mail("account/email/login_code", email, {"code": code, "minutes": minutes}).send()

    def generate_login_code(self) -> str:
        """Six digits, which a phone's number keys can type."""
        return f"{secrets.randbelow(10**6):06}"

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: people get an account by a mailed code, staff from the `staff` command."""
        return False

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Begins a session; a staff session only where the password was typed, never by a mailed code alone."""
        super().login(request, user)
        by_password = any(record["method"] == "password" for record in get_authentication_records(request, user))
        if getattr(user, "is_staff", False) and by_password:
            now = time.time()
            # A sign-in by code in the middle of a staff session must not make the session young again.
            request.session.setdefault(STAFF_SINCE, now)
            request.session.setdefault(STAFF_SEEN, now)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not within the first minutes of a staff session: the password was typed a moment ago."""
        since = context.request.session.get(STAFF_SINCE)
        if since and time.time() - float(since) < app_settings.REAUTHENTICATION_TIMEOUT:
            return False
        return super().is_reauthentication_required(app=app, **kwargs)

    def send_password_reset_mail(self, user: AbstractBaseUser, email: str, context: dict[str, Any]) -> None:
        """Only to staff: nobody else has a password to lose."""
        if getattr(user, "is_staff", False):
            super().send_password_reset_mail(user, email, context)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """On the configured origin, whatever Host the request named."""
        return password_link(key)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Subclass this, and name the subclass in MFA_ADAPTER, to encrypt what is stored (encrypt, decrypt)."""

    error_messages = FACTOR_MESSAGES

    def get_totp_issuer(self) -> str:
        """The name under which an authenticator app files the code."""
        return str(getattr(settings, "MFA_TOTP_ISSUER", "")) or super().get_totp_issuer()

    def build_totp_svg(self, url: str) -> str:
        """The QR code as an SVG element: dark on light in both colour schemes, no style, no data: address."""
        code = qrcode.QRCode(border=4)
        code.add_data(url)
        rows = code.get_matrix()
        path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
        return render_to_string("mfa/totp/qr.svg", {"size": len(rows), "path": path})


def password_link(key: str) -> str:
    """The address at which the holder of this key (user's id, dash, token) sets a password."""
    pk, _dash, token = key.partition("-")
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": pk, "key": token})
    return f"{settings.ACCOUNTS_ORIGIN}{path}"
