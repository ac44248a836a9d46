"""How often something may be tried. Counted in the shared cache, for each address or request and each network."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.internal import ratelimit
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts import codes

View = Callable[..., HttpResponseBase]

LIMITS = {
    "file": "5/h/key,10/d/key,60/h/ip",
    "file-by-receipt": "30/h/ip",
    "open": "3/10m/key,8/h/key,20/d/key,60/h/ip",
    "claim": "10/10m/ip,60/h/ip",
    "write": "20/h/key,60/h/ip",
}


class TooOften(Exception):
    """The limit is reached; it passes with time."""


def consume(request: HttpRequest, action: str, key: str = "") -> None:
    """Count one try. The network is the client's address (IPv6: its /64), forwarded ones only from trusted proxies.

    What is counted for a key (an address, a request) is counted for each network apart: a stranger who uses up
    somebody's tries uses up their own. How many mails one address gets from all of them is bounded in accounts.codes.

    Raises TooOften.
    """
    here = f"{key} {ratelimit.get_ip(request)}"
    if ratelimit.consume(request, app="dsr", action=action, config=LIMITS, key=here, limit_get=True) is None:
        raise TooOften(action)


def limited(view: View) -> View:
    """Answers TooOften, here and from the mailed codes, with a page that says when to come back."""

    @wraps(view)
    def kind(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (TooOften, codes.TooManyCodes):
            return render(request, "429.html", status=429)

    return kind
