"""Ends staff sessions that are stale."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from accounts import sessions


class StaffSessions:
    """Logs staff out after so many hours, and after so many minutes without a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without the cookie the session is not even looked at, so pages without cookies stay without.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and sessions.is_staff_session(request):
            if sessions.is_stale(request):
                logout(request)
            else:
                sessions.note_use(request)
        return self.get_response(request)
