"""Coming back to a request: by a code to its address, or by its claim code."""

from django.contrib.auth import logout
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts import codes
from dsr import deliver, intake, policy
from dsr.lifecycle import NotAllowed
from dsr.models import Case, State
from dsr.portal import adapter, drawn, limits, opened
from dsr.portal.forms import Address, Problem

MAX_LISTED = 50
TYPED = "portal.typed"


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@limits.limited
def follow(request: HttpRequest) -> HttpResponse:
    """One's own requests; before that, a code to any address that is typed."""
    if not _mails_codes():
        return HttpResponseRedirect(reverse("portal:claim"))
    if request.method == "POST":
        return _confirm_address(request) if "code" in request.POST else _ask_address(request)
    if opened.is_proven(request):
        mine = Q(who_index=opened.who(request)) & ~Q(state=State.JOINED)
        cases = Case.objects.filter(mine).order_by("-received_at")[:MAX_LISTED]
        return render(request, "portal/follow/mine.html", {"cases": cases})
    if _typed_here(request):
        return _type_code(request, reverse("portal:follow"), email=_typed_here(request))
    return drawn.once("follow", lambda: render(request, "portal/follow/address.html", {"form": Address()}))


def _ask_address(request: HttpRequest) -> HttpResponse:
    if "again" in request.POST:
        return render(request, "portal/follow/address.html", {"form": Address()})
    form = Address(request.POST)
    if not form.is_valid():
        return render(request, "portal/follow/address.html", {"form": form})
    codes.start(request, form.cleaned_data["email"])
    request.session[TYPED] = codes.waiting_for(request)
    return HttpResponseRedirect(reverse("portal:follow"), status=303)


def _typed_here(request: HttpRequest) -> str:
    """The address a code waits for, if it was typed in this session.

    A code asked for on a request's page goes to an address that whoever asked may not know, so it is never shown.
    """
    waiting = codes.waiting_for(request)
    return waiting if waiting and waiting == request.session.get(TYPED) else ""


def _confirm_address(request: HttpRequest) -> HttpResponse:
    try:
        codes.confirm(request, request.POST["code"])
    except codes.NotSignedIn as error:
        return _type_code(request, reverse("portal:follow"), email=_typed_here(request), error=error)
    return HttpResponseRedirect(reverse("portal:follow"), status=303)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@limits.limited
def code(request: HttpRequest, case_id: str = "", token: str = "") -> HttpResponseBase:
    """Send a code to the address of this request, or take one that was typed.

    What a stranger sees and sets off is the same whether or not the request exists.
    """
    if token or not _mails_codes():
        raise Http404
    here = reverse("portal:code", args=[case_id])
    if request.method != "POST":
        return _type_code(request, here)
    if "code" in request.POST:
        return _confirm(request, case_id, here)
    if "yes" in request.POST:
        return _bind(request, opened.by_key(request, case_id, "").case) if opened.is_proven(request) else _locked(here)
    limits.consume(request, "open", key=case_id)
    _send_code(request, case_id)
    return HttpResponseRedirect(here, status=303)


def _send_code(request: HttpRequest, case_id: str) -> None:
    """A code to the request's own address; where there is none, everything happens but the mail."""
    request.session.pop(TYPED, None)  # were it the same address, showing it would tell that the guess was right
    case = Case.objects.filter(pk=case_id).first()
    address = case.details.get("email") if case else ""
    nobody = adapter.nobody(case_id)
    try:
        with adapter.about(case):
            codes.start(request, address or nobody)
    except codes.TooManyCodes:
        # Enough codes went to this address from elsewhere. To say so here would tell that the request exists.
        codes.start(request, nobody)


def _confirm(request: HttpRequest, case_id: str, here: str) -> HttpResponseBase:
    try:
        codes.confirm(request, request.POST["code"])
    except codes.NotSignedIn as error:
        return _type_code(request, here, error=error)
    return _bind(request, opened.by_key(request, case_id, "").case)


def _bind(request: HttpRequest, case: Case) -> HttpResponse:
    """The code was right: a request that waited for it goes on; one that is answered was seen today."""
    if case.state == State.RECEIVED:
        try:
            case = intake.verify(case, request.user)  # type: ignore[arg-type]  # by_key let nobody anonymous in
        except NotAllowed:
            case.refresh_from_db()  # it was closed while the code was typed: its page says so
    _note_seen(case)
    return HttpResponseRedirect(opened.by_session(case)["status"], status=303)


def _note_seen(case: Case) -> None:
    """From now the days of the download count. Opening the page alone does not begin them: a GET changes nothing."""
    delivery = getattr(case, "delivery", None)
    if delivery is not None and delivery.is_available:
        deliver.seen(case)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@limits.limited
def claim(request: HttpRequest) -> HttpResponse:
    """A typed claim code leads to an address that opens its request for 30 minutes. One answer for every wrong code."""
    if request.method != "POST":
        again = "again" in request.GET
        return drawn.once(f"claim {again}", lambda: render(request, "portal/follow/claim.html", {"is_again": again}))
    limits.consume(request, "claim")
    case = intake.claim(request.POST.get("claim", "")[:200])
    if case is None:
        problem = Problem("claim", _("This code opens no request. Check it against what you saved, and type it again."))
        return render(request, "portal/follow/claim.html", {"problems": [problem]})
    _note_seen(case)
    return HttpResponseRedirect(opened.by_token(case)["status"], status=303)


@csrf_exempt
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out."""
    logout(request)
    return HttpResponseRedirect(reverse("portal:start"), status=303)


def locked(request: HttpRequest, case_id: str) -> HttpResponse:
    """What a stranger with a link sees: a way to get a code, and nothing else."""
    if not _mails_codes():
        return HttpResponseRedirect(reverse("portal:claim"))
    return render(request, "portal/follow/locked.html", {"code_url": reverse("portal:code", args=[case_id])})


def claim_again() -> HttpResponse:
    """The half hour is over: to the claim code."""
    return HttpResponseRedirect(reverse("portal:claim") + "?again=1", status=303)


def _mails_codes() -> bool:
    return "code" in policy.current().identity.ways


def _locked(here: str) -> HttpResponse:
    return HttpResponseRedirect(here, status=303)


def _type_code(
    request: HttpRequest, here: str, *, email: str = "", error: codes.NotSignedIn | None = None
) -> HttpResponse:
    problems = [Problem("code", _sentence(error))] if error else []
    context = {"here": here, "email": email, "minutes": codes.MINUTES, "problems": problems}
    return render(request, "portal/follow/code.html", context)


def _sentence(error: codes.NotSignedIn) -> str:
    if isinstance(error, codes.WrongCode):
        left = ngettext("You can try once more.", "You can try %(count)s more times.", error.tries_left)
        return _("That is not the code we sent. Type it again.") + " " + left % {"count": error.tries_left}
    if isinstance(error, codes.TooManyTries):
        return _("Too many wrong codes were typed. Ask for a new one.")
    if isinstance(error, codes.AccountClosed):
        return _("This address cannot be used here. Please write to us.")
    return _("This code is no longer valid, or was sent to another browser. Ask for a new one.")
