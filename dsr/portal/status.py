"""How a request is going, and what its owner can do about it."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from dsr import audit, deliver, intake, lifecycle, notify, policy
from dsr.lifecycle import NotAllowed
from dsr.models import Case, Note, State
from dsr.policy.authorities import Authority, authority_for
from dsr.portal import follow, limits, opened, steps
from dsr.portal.forms import LONGEST_MESSAGE, Question
from dsr.portal.opened import Opened

REFRESH_SECONDS = 15


class Letter(Question):
    """A message to whoever looks after the request."""

    words = forms.CharField(
        label=gettext_lazy("Your message"),
        max_length=LONGEST_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": gettext_lazy("Write your message first.")},
    )


@require_safe
def page(request: HttpRequest, case_id: str = "", token: str = "") -> HttpResponseBase:
    """Where it stands. A stranger with the link gets a way to a code; somebody else signed in, nothing."""
    try:
        found = opened.by_key(request, case_id, token)
    except opened.Stranger:
        return follow.locked(request, case_id)
    except opened.TokenExpired:
        return follow.claim_again()
    if found.case.state == State.JOINED:
        return HttpResponseRedirect(opened.by_session(opened.survivor(found.case))["status"])
    context = _context(found)
    is_still = "still" in request.GET
    response = render(request, "portal/status.html", context | {"is_still": is_still})
    if context["is_in_motion"] and not is_still:
        # A header and no script: the page renews itself only while work runs, and can be told to hold still.
        response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@opened.owned
def withdraw(request: HttpRequest, found: Opened) -> HttpResponse:
    """Take the request back."""
    return _after_asking(request, found, "withdraw", lambda: intake.withdraw(found.case))


@require_http_methods(["GET", "HEAD", "POST"])
@opened.owned
def dispute(request: HttpRequest, found: Opened) -> HttpResponse:
    """Somebody else asked in this person's name."""
    return _after_asking(request, found, "dispute", lambda: intake.dispute(found.case))


@require_http_methods(["GET", "HEAD", "POST"])
@opened.owned
def close(request: HttpRequest, found: Opened) -> HttpResponse:
    """Delete the file that waits for download."""
    return _after_asking(request, found, "close", lambda: deliver.remove(found.case, "revoked"))


@require_http_methods(["GET", "HEAD", "POST"])
@opened.owned
@limits.limited
def note(request: HttpRequest, found: Opened) -> HttpResponse:
    """Write to whoever looks after it."""
    form = Letter(request.POST or None)
    if request.method == "POST" and form.is_valid():
        limits.consume(request, "write", key=found.case.pk)
        with audit.recorded():
            notify.note(found.case, Note.Kind.FROM_PERSON, form.cleaned_data["words"])
            audit.append("wrote", actor=audit.SUBJECT, case=found.case)
        return HttpResponseRedirect(found.links["status"] + "#messages", status=303)
    return render(request, "portal/note.html", {"opened": found, "case": found.case, "form": form})


@require_safe
def answer_due(request: HttpRequest, case_id: str = "", token: str = "") -> HttpResponse:
    """The date as a calendar entry. It holds the reference and nothing of the person or the right."""
    if case_id and opened.was_filed_here(request, case_id):
        case = Case.objects.filter(pk=case_id).first()
    else:
        case = _case_or_404(request, case_id, token)
    if case is None or case.due_on is None:
        raise Http404
    host = notify.link(case).partition("://")[2].partition("/")[0].partition(":")[0]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//dsr//privacy portal//EN",
        "BEGIN:VEVENT",
        f"UID:{case.reference}@{host}",
        f"DTSTAMP:{case.received_at:%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{case.due_on:%Y%m%d}",
        "SUMMARY:" + _ical(_("Answer due, request %(reference)s") % {"reference": case.spoken_reference}),
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    response = HttpResponse("\r\n".join(lines), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="answer-due-{case.reference}.ics"'
    return response


def _context(found: Opened) -> dict[str, Any]:
    case = found.case
    current = policy.current()
    progress = intake.progress(case) if case.verified_at else []
    done = sum(entry.state in ("done", "left-out") for entry in progress)
    delivery = getattr(case, "delivery", None)
    is_ready = delivery is not None and delivery.is_available
    has_review = current.right(case.right).review != "none"
    today = timezone.localdate(timezone=lifecycle.zone())
    return {
        "opened": found,
        "case": case,
        "turn": steps.turn(case, is_ready=is_ready),
        "steps": steps.taken(case, progress=(done, len(progress)), has_review=has_review),
        "days_left": (case.due_on - today).days if case.due_on and case.is_open else None,
        "today": today,
        "within": current.right(case.right).within,
        "is_in_motion": case.state in steps.IN_MOTION,
        "progress": progress if case.is_open else [],
        "left_out": [entry for entry in progress if entry.state == "left-out"],
        "done": done,
        "clocks": case.clocks.all() if case.is_open else [],
        "notes": case.notes.exclude(kind=Note.Kind.STAFF).select_related("by"),
        "delivery": delivery,
        "is_ready": is_ready,
        "downloads": delivery.downloads.all() if delivery else [],
        "is_locked": bool(delivery and delivery.secret),
        "passphrase": delivery.secret.get("passphrase", "") if delivery and is_ready and found.is_fresh else "",
        "expires_days": current.delivery.expires_days,
        "authority": _authority(case),
        "signer": notify.signer(case),
        "can_stop": case.is_open or is_ready,
    }


def _after_asking(request: HttpRequest, found: Opened, act: str, do: Any) -> HttpResponse:
    """GET says what will happen, POST does it. What cannot be done any more is said in a sentence."""
    context = {"opened": found, "case": found.case, "act": act}
    if request.method != "POST":
        return render(request, "portal/stop.html", context)
    try:
        do()
    except NotAllowed as error:
        return render(request, "portal/stop.html", context | {"refusal": str(error)}, status=409)
    return HttpResponseRedirect(found.links["status"], status=303)


def _authority(case: Case) -> Authority | None:
    """Where this person can complain: their own authority, else the controller's."""
    organisation = policy.current().organisation
    own = organisation.authority
    lead = Authority(name=own.name, url=own.url, address=own.address, country=own.country) if own else None
    return authority_for(case.details.get("country") or organisation.country, lead)


def _case_or_404(request: HttpRequest, case_id: str, token: str) -> Case:
    try:
        return opened.by_key(request, case_id, token).case
    except (opened.Stranger, opened.TokenExpired) as error:
        raise Http404 from error


def _ical(text: str) -> str:
    """RFC 5545: backslash, semicolon, comma and line ends are escaped."""
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return " ".join(escaped.splitlines())
