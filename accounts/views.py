"""allauth's views where ours differ."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_login_redirect_url
from allauth.account.views import LoginView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect

from accounts import second_factor


class SignIn(LoginView):
    """Staff sign in with address and password; the second factor follows."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Shows the form to everybody who is not fully signed in, people with a session by code among them."""
        if second_factor.has_second_factor(request):
            return HttpResponseRedirect(get_login_redirect_url(request))
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """Ends the lesser session first, so that nothing of it is carried into the staff session."""
        if self.request.user.is_authenticated:
            logout(self.request)
        return super().form_valid(form)


def _record_new_factor(request: HttpRequest, kind: Authenticator.Type) -> None:
    """Whoever just set up a factor has just used it: no second round is asked."""
    factor = Authenticator.objects.filter(user_id=request.user.pk, type=kind).latest("created_at")
    record_authentication(request, request.user, method="mfa", id=factor.pk, type=factor.type)  # type: ignore[arg-type]


class ActivateTOTP(ActivateTOTPView):
    """Sets up an authenticator app."""

    def form_valid(self, form: Any) -> HttpResponse:
        """The code typed here proved possession."""
        response = super().form_valid(form)
        _record_new_factor(self.request, Authenticator.Type.TOTP)
        return response


class AddKey(AddWebAuthnView):
    """Adds a security key."""

    def form_valid(self, form: Any) -> HttpResponse:
        """The key was touched to make this credential."""
        response = super().form_valid(form)
        _record_new_factor(self.request, Authenticator.Type.WEBAUTHN)
        return response
