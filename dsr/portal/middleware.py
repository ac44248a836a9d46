"""What holds for every page: where a change may come from, and what a browser may keep and share."""

import logging
from collections.abc import Callable
from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

log = logging.getLogger(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
Next = Callable[[HttpRequest], HttpResponse]


class OriginCheck:
    """Refuses a change that another site asks for.

    Browsers send Origin or Sec-Fetch-Site with every POST and let no page forge them, so the check needs no cookie.
    Staff pages keep Django's own CSRF tokens besides.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE or is_own_page(request):
            return self.get_response(request)
        return render(request, "403.html", {"is_foreign": True}, status=403)


class Headers:
    """Adds the headers that no library sets. A page that says nothing about caching is not kept."""

    ADDED: ClassVar[dict[str, str]] = {
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in self.ADDED.items():
            response.headers.setdefault(name, value)
        return response


class Storable:
    """A value that no column of the database can hold, such as a NUL, is the asker's mistake and not ours."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer 400. What was asked is not logged, only where."""
        if not isinstance(exception, DataError):
            return None
        log.warning(
            "a value that the database cannot hold: %s", request.resolver_match and request.resolver_match.view_name
        )
        return render(request, "400.html", status=400)


def is_own_page(request: HttpRequest) -> bool:
    """Whether the browser says that one of our own pages sent this."""
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return True
    origin = request.headers.get("Origin", "")
    return origin == settings.DSR_ORIGIN or (
        _is_local(request) and origin == f"{request.scheme}://{request.get_host()}"
    )


def _is_local(request: HttpRequest) -> bool:
    """On one's own machine the address may be localhost or 127.0.0.1, whichever was typed."""
    return (settings.DEBUG or settings.DSR_DEMO) and urlsplit(f"//{request.get_host()}").hostname in LOCAL
