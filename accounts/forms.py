"""allauth's forms without placeholders (a label says the same and stays), and with a code used only once."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as factor
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _


class PlainForm(forms.Form):
    """A form whose fields carry no placeholders."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class CodeForm(PlainForm):
    """A form with a code from an authenticator app, or a recovery code: both are digits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code")
        self.fields["code"].widget.attrs.update({"inputmode": "numeric", "autocomplete": "one-time-code"})


class SignIn(PlainForm, account.LoginForm):
    """Address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail address")


class Reauthenticate(PlainForm, account.ReauthenticateForm):
    """The password once more."""


class ChangePassword(PlainForm, account.ChangePasswordForm):
    """The old password and a new one."""


class ResetPassword(PlainForm, account.ResetPasswordForm):
    """The address to which a link goes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")

    def clean_email(self) -> str:
        """Nobody but staff has a password: an address of a person is treated as one that nobody has."""
        email: str = super().clean_email()
        self.users = [user for user in self.users if user.is_staff]
        return email


class NewPassword(PlainForm, account.ResetPasswordKeyForm):
    """A new password, from a link."""


class ActivateTOTP(CodeForm, totp.ActivateTOTPForm):
    """The first code of an authenticator app."""


class OnceForm(CodeForm):
    """Takes each code once for as long as it could be accepted.

    allauth remembers a used code for one period, but with a tolerance for clocks a code lives for three.
    """

    user: Any

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        lifetime = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
        digits = "".join(char for char in code if char.isalnum())
        if not cache.add(f"accounts.factor.used:{self.user.pk}:{digits}", True, lifetime):
            raise get_adapter().validation_error("incorrect_code")
        return code


class Authenticate(OnceForm, factor.AuthenticateForm):
    """The second factor at sign-in."""


class ReauthenticateFactor(OnceForm, factor.ReauthenticateForm):
    """The second factor once more."""


class AddKey(PlainForm, webauthn.AddWebAuthnForm):
    """A security key and its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("A name for this key")
