"""Ends staff sessions that are stale."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sites.requests import RequestSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

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

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        """Takes the `site` that allauth gives each of its pages away: it hides what the project calls by that name."""
        if response.context_data and isinstance(response.context_data.get("site"), RequestSite):
            del response.context_data["site"]
        return response
