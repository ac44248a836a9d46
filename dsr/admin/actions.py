"""Everything that staff can do to a request. An act checks what is possible, happens once, and is told in words."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from accounts import second_factor
from accounts.models import User
from dsr import audit, deliver, lifecycle, notify
from dsr.lifecycle import NotAllowed
from dsr.models import Case, Job, JobState, Note, State

PERMISSIONS = ("view_case", "change_case", "see_person", "approve_case")
LONGEST_TEXT = 5000
FRESH_MINUTES = 30
WRITING_MINUTES = 10


@dataclass(frozen=True)
class Act:
    """One thing staff can do: `run` does it and returns what to tell them.

    What cannot be undone is not done by whoever sits at a screen left alone: it asks for the password again.
    """

    run: Callable[[Case, User, QueryDict], str]
    permission: str = "change_case"
    is_final: bool = False


def perform(request: HttpRequest, case: Case, act: Act, by: User) -> HttpResponse:
    """Do it, and go back to where the button was. What is not possible now is said in its own sentence.

    The case is locked first and read anew: of two clicks, or two people, the second finds what the first one did.
    """
    if act.is_final and not second_factor.used_recently(request, minutes=FRESH_MINUTES):
        return _confirm_first(request, case)
    try:
        with audit.recorded():
            told = act.run(lifecycle.lock(case), by, request.POST)
        messages.success(request, told)
    except NotAllowed as reason:
        messages.error(request, str(reason))
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect(reverse("admin:dsr_case_change", args=[case.pk]))


def _confirm_first(request: HttpRequest, case: Case) -> HttpResponse:
    """Ask for password or factor. allauth keeps what was asked in the session and does it afterwards."""
    if "why" not in request.POST:
        raise ReauthenticationRequired
    # A reason may speak of the person: it must not rest in a session, which is not encrypted.
    messages.warning(request, _("Confirm that it is you, then write it once more: nothing was done yet."))
    page = reverse("admin:dsr_case_change", args=[case.pk])
    return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': page})}")


def approve(case: Case, by: User, said: QueryDict) -> str:
    """Agree to the release of the round that was looked at, and of no later one."""
    if said.get("round") != str(case.round):
        raise NotAllowed(_("This request was sent back since you opened the page. Look at it again."))
    deliver.approve(case, by)
    case.refresh_from_db()
    if case.state == State.REVIEW:
        return _("You agreed. A second person has to agree before it is released.")
    return _("You agreed. The answer is being prepared; the person gets a mail when it is there.")


def send_back(case: Case, by: User, said: QueryDict) -> str:
    """Have everything read again."""
    deliver.send_back(case, by, reason(said))
    return _("Sent back. The systems are read again.")


def refuse(case: Case, by: User, said: QueryDict) -> str:
    """Say no, with the reasons that the person reads."""
    deliver.refuse(case, by, reason(said))
    return _("Refused. The person gets your reasons and where to complain.")


def answer_by_hand(case: Case, by: User, said: QueryDict) -> str:
    """Close what a person answered outside of the portal."""
    deliver.answered_by_hand(case, by, reason(said))
    return _("Marked as answered by hand.")


def clear_channel(case: Case, by: User, said: QueryDict) -> str:
    """Note that the new address was checked another way."""
    if case.channel_cleared_by_id is not None:
        raise NotAllowed(_("Somebody checked this address already."))
    deliver.clear_channel(case, by, reason(said))
    return _("The address counts as checked.")


def try_again(case: Case, by: User, said: QueryDict) -> str:
    """Start afresh what had failed."""
    deliver.try_again(failed_job(case, said), by)
    return _("It is tried again now.")


def leave_out(case: Case, by: User, said: QueryDict) -> str:
    """Answer without one system, and say so to the person."""
    deliver.leave_out(failed_job(case, said), by, reason(said))
    return _("The answer comes without this system, and says so.")


def assign(case: Case, by: User, said: QueryDict) -> str:
    """Give the request to a member of staff, unless somebody else gave it to another in the meantime."""
    to = User.objects.filter(pk=said.get("to", ""), is_staff=True, is_active=True).first()
    if to is None:
        raise NotAllowed(_("Choose a member of staff."))
    if case.assignee_id == to.pk:
        return _("%(name)s looks after it.") % {"name": to}
    if (case.assignee_id or "") != said.get("was", ""):
        raise NotAllowed(_("Somebody else changed who looks after this request. Look at it again."))
    Case.objects.filter(pk=case.pk).update(assignee=to)
    audit.append("assigned", actor=audit.staff(by), case=case, to=to.pk)
    return _("%(name)s looks after it now.") % {"name": to}


def note(case: Case, by: User, said: QueryDict) -> str:
    """Write something for colleagues."""
    if write(case, by, Note.Kind.STAFF, said):
        audit.append("wrote a note", actor=audit.staff(by), case=case)
    return _("The note is written. The person does not see it.")


def message(case: Case, by: User, said: QueryDict) -> str:
    """Write to the person; a mail says that something is there, not what."""
    if write(case, by, Note.Kind.TO_PERSON, said):
        audit.append("wrote to the person", actor=audit.staff(by), case=case)
        if address := case.details.get("email"):
            notify.mail("note", address, case=case)
    return _("Written. The person reads it on the page of the request.")


def write(case: Case, by: User, kind: Note.Kind, said: QueryDict) -> bool:
    """Store a note once: its id comes with the form, so a second click finds it there. True when it is new."""
    text, pk = said.get("text", "").strip(), said.get("id", "")
    if not text:
        raise NotAllowed(_("Write something first."))
    if len(text) > LONGEST_TEXT:
        raise NotAllowed(_("That is too long: %(most)d characters at most.") % {"most": LONGEST_TEXT})
    if not re.fullmatch("[0-9a-f]{32}", pk):
        raise NotAllowed(_("This form was not complete. Open the page again."))
    written = Note(pk=pk, case=case, kind=kind, by=by, at=timezone.now())
    written.body = {"text": text}
    known, is_new = Note.objects.get_or_create(
        pk=pk, defaults={"case": case, "kind": kind, "by": by, "at": written.at, "body_sealed": written.body_sealed}
    )
    if known.case_id != case.pk:
        raise NotAllowed(_("This form was not complete. Open the page again."))
    return is_new


def reason(said: QueryDict) -> str:
    """The reason that came with the act."""
    text = said.get("why", "").strip()
    if not text:
        raise NotAllowed(_("Give a reason: it is kept with the request."))
    if len(text) > LONGEST_TEXT:
        raise NotAllowed(_("That is too long: %(most)d characters at most.") % {"most": LONGEST_TEXT})
    return text


def failed_job(case: Case, said: QueryDict) -> Job:
    """The failed job of this very case that the button belongs to."""
    pk = said.get("job", "")
    job = Job.objects.filter(pk=pk, case=case).select_related("case").first() if pk.isdecimal() else None
    if job is None:
        raise Http404
    if job.state != JobState.FAILED:
        raise NotAllowed(_("This was tried again already."))
    return job


ACTS = {
    "approve": Act(approve, "approve_case", is_final=True),
    "send-back": Act(send_back),
    "refuse": Act(refuse, "approve_case", is_final=True),
    "by-hand": Act(answer_by_hand, "approve_case", is_final=True),
    "clear-channel": Act(clear_channel, "approve_case"),
    "try-again": Act(try_again),
    "leave-out": Act(leave_out),
    "assign": Act(assign),
    "note": Act(note),
    "message": Act(message),
}
