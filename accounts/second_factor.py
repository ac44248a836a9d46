"""The second factor, without which staff reach nothing."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from accounts import sessions
from accounts.models import User

View = Callable[..., HttpResponseBase]


def has_second_factor(request: HttpRequest) -> bool:
    """Whether staff signed in to this session with password and second factor, and still own a factor."""
    return _is_staff_session(request) and _used_a_factor(request) and _owns_a_factor(request)


def is_enrolling(request: HttpRequest) -> bool:
    """Whether staff signed in by password and own no second factor yet."""
    return _is_staff_session(request) and not _owns_a_factor(request)


def require(request: HttpRequest) -> HttpResponse | None:
    """None for staff signed in with two factors; otherwise where to go: set up a factor, or sign in (again)."""
    if has_second_factor(request):
        return None
    if is_enrolling(request):
        return HttpResponseRedirect(reverse("mfa_activate_totp"))
    return _to_sign_in(request)


def used_recently(request: HttpRequest, *, minutes: int) -> bool:
    """Whether staff typed a password or used a factor within the last minutes, to sign in or because we asked again."""
    user = request.user if isinstance(request.user, User) else None
    times = [float(record["at"]) for record in get_authentication_records(request, user)]
    return bool(times) and time.time() - max(times) < minutes * 60


def staff_only(view: View) -> View:
    """A view for staff with two factors, and for those who are about to set up their first.

    A session by password alone stops being let in the moment the factor exists: whoever knows only the password
    must not add a factor of their own to it.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if has_second_factor(request) or is_enrolling(request):
            return view(request, *args, **kwargs)
        return _to_sign_in(request)

    return guarded


def set_totp(user: User, secret: str) -> None:
    """Gives this user an authenticator app with this secret (base32), in place of any other."""
    Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
    TOTP.activate(user, secret)


def current_totp(secret: str, *, ahead: int = 0) -> str:
    """The code that an app with this secret shows now, or so many steps of 30 seconds ahead.

    A code signs in once; the next one is accepted already, for clocks that run fast.
    """
    step = int(time.time()) // app_settings.TOTP_PERIOD
    return format_hotp_value(hotp_value(secret, step + ahead))


def _is_staff_session(request: HttpRequest) -> bool:
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_staff and sessions.is_staff_session(request)


def _used_a_factor(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user if isinstance(request.user, User) else None)
    return any(record["method"] == "mfa" for record in records)


def _owns_a_factor(request: HttpRequest) -> bool:
    # Recovery codes stand in for a factor; they are none.
    factors = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return Authenticator.objects.filter(user_id=request.user.pk, type__in=factors).exists()


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    return redirect_to_login(request.get_full_path(), reverse("account_login"))
