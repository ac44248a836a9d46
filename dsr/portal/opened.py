"""Who may open a request: the one way to get at a case from a person's page.

By session: the person typed a code that was mailed to the address the request is about. By token: the claim code was
typed, and for 30 minutes an address holds a sealed token, bound to one case; no cookie is involved.
A stranger learns nothing, not even whether a request exists.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

import orjson
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from accounts import codes
from dsr import keys
from dsr.models import Case, State

TOKEN_SECONDS = 30 * 60
FRESH_MINUTES = 30  # a download wants a code typed within this time
SESSION_MINUTES = 12 * 60  # everything else, within this
CONTEXT = b"portal.opened"
FILED = "portal.filed"
PAGES = ("status", "code", "download", "withdraw", "dispute", "close", "note", "answer-due")


class Stranger(Exception):
    """Nobody is signed in here: the page offers to send a code, whether or not there is such a request."""


class TokenExpired(Exception):
    """The claim code has to be typed again."""


@dataclass(frozen=True)
class Opened:
    """A case in the hands of its owner; `links` lead to its pages by the same way it was opened."""

    case: Case
    links: dict[str, str]
    is_fresh: bool
    by_claim: bool


View = Callable[[HttpRequest, Opened], HttpResponseBase]


def owned(view: View) -> Callable[..., HttpResponseBase]:
    """For pages of one request: strangers are led to where a code can be asked for, others' requests are not there."""

    @wraps(view)
    def guarded(request: HttpRequest, case_id: str = "", token: str = "") -> HttpResponseBase:
        try:
            found = by_key(request, case_id, token)
        except Stranger:
            return HttpResponseRedirect(reverse("portal:status", args=[case_id]), status=303)
        except TokenExpired:
            return HttpResponseRedirect(reverse("portal:claim") + "?again=1", status=303)
        return view(request, found)

    return csrf_exempt(guarded)


def by_key(request: HttpRequest, case_id: str, token: str) -> Opened:
    """The request that this address and session open. Raises Stranger, TokenExpired, Http404."""
    if token:
        case = _case(_of_token(token))
        return Opened(case, _links(token=token), is_fresh=True, by_claim=True)
    if not is_proven(request):
        raise Stranger
    case = _case(case_id)
    if not is_owner(request, case):
        raise Http404
    is_fresh = codes.recently_confirmed(request, minutes=FRESH_MINUTES)
    return Opened(case, by_session(case), is_fresh, by_claim=False)


def is_proven(request: HttpRequest) -> bool:
    """Whether somebody typed a mailed code in this session. A staff password alone opens no request."""
    return request.user.is_authenticated and codes.recently_confirmed(request, minutes=SESSION_MINUTES)


def is_owner(request: HttpRequest, case: Case) -> bool:
    """Whether the case is about the address that was proven here."""
    return hmac.compare_digest(case.who_index, who(request))


def who(request: HttpRequest) -> str:
    """The blind index of the address that was proven here, as intake computes it."""
    return keys.index("email", request.user.get_username().casefold())


def by_session(case: Case) -> dict[str, str]:
    """Links for a signed-in person."""
    return _links(case_id=case.pk)


def by_token(case: Case) -> dict[str, str]:
    """Links that open this one case for 30 minutes."""
    plain = orjson.dumps([case.pk, int(time.time()) + TOKEN_SECONDS])
    return _links(token=base64.urlsafe_b64encode(keys.seal_field(plain, CONTEXT)).decode().rstrip("="))


def remember_filed(request: HttpRequest, case: Case) -> None:
    """This session filed the case: it may save its date before the code is typed."""
    filed = request.session.get(FILED, [])
    if case.pk not in filed:
        request.session[FILED] = [*filed[-9:], case.pk]


def was_filed_here(request: HttpRequest, case_id: str) -> bool:
    """Whether this session filed the case."""
    return case_id in request.session.get(FILED, [])


def _case(case_id: str) -> Case:
    case = Case.objects.select_related("joined_to", "assignee").filter(pk=case_id).first()
    if case is None:
        raise Http404
    return case


def survivor(case: Case) -> Case:
    """The request that goes on, when this one was joined to it."""
    return case.joined_to if case.state == State.JOINED and case.joined_to else case


def _of_token(token: str) -> str:
    try:
        plain = keys.open_field(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), CONTEXT)
    except (keys.DoesNotOpen, binascii.Error, ValueError) as error:
        raise Http404 from error
    case_id, until = orjson.loads(plain)
    if time.time() > until:
        raise TokenExpired
    return str(case_id)


def _links(**key: str) -> dict[str, str]:
    return {name.replace("-", "_"): reverse(f"portal:{name}", kwargs=key) for name in PAGES}
