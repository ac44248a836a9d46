"""Staff look at what was found, send it back, refuse, or agree to its release."""

from itertools import islice
from typing import Any

from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from dsr import audit, gather, jobs, lifecycle, notify, policy
from dsr.bundle import parts
from dsr.deliver import contents
from dsr.lifecycle import NotAllowed
from dsr.models import Approval, Case, Job, JobState, Note, Outcome, State

_NEEDED = {"none": 0, "one": 1, "two": 2}


def approvals_needed(case: Case) -> int:
    """How many different people must agree, by the policy."""
    return _NEEDED[policy.current().right(case.right).review]


def approve(case: Case, by: User) -> None:
    """One person agrees to the release; with the last one needed, sealing begins.

    Raises NotAllowed: nothing to approve, approved by the same person before, a young channel, an empty letter slot.
    """
    with audit.recorded():
        case = lifecycle.lock(case)
        _may_release(case)
        try:
            with transaction.atomic():
                Approval.objects.create(case=case, by=by, round=case.round, at=timezone.now())
        except IntegrityError as error:
            raise NotAllowed(_("You have agreed already. Somebody else has to.")) from error
        if case.assignee_id is None:
            # A person signs every answer: whoever agreed to it, unless somebody looks after it already.
            case.assignee = by
            case.save(update_fields=["assignee"])
        audit.append("approved", actor=audit.staff(by), case=case, round=case.round)
        if case.approvals.filter(round=case.round).count() >= approvals_needed(case):
            _release(case, audit.staff(by))


def release(job: Job) -> None:
    """Release at once where the policy asks for nobody's agreement. What speaks against it waits for a person."""
    with audit.recorded():
        case = lifecycle.lock(gather.case_of(job))
        if case.state == State.REVIEW and approvals_needed(case) == 0:
            try:
                _may_release(case)
            except NotAllowed as error:
                raise jobs.NeedsPerson(str(error), "Look at the request; then try again.") from error
            _release(case, audit.SYSTEM)
        jobs.finish(job)


def send_back(case: Case, by: User, why: str) -> None:
    """Gather everything once more; what was agreed before no longer counts."""
    with audit.recorded():
        case = lifecycle.lock(case)
        if not case.parts.exists() and not case.jobs.filter(kind="gather").exists():
            raise NotAllowed(_("Nothing was gathered for this request, so there is nothing to gather again."))
        case.round += 1
        case.save(update_fields=["round"])
        lifecycle.advance(case, State.WORKING, by=audit.staff(by), why="sent back", round=case.round)
        notify.note(case, Note.Kind.STAFF, why, by)
        # An archive of this round may be under way: without its job, its worker cannot deliver it in a later round.
        case.jobs.filter(kind__in=("release", "seal")).exclude(state=JobState.DONE).delete()
        names = [part.name for part in case.parts.all()]
        case.parts.all().delete()
        gather.enqueue(case)
        transaction.on_commit(lambda: gather.delete_files(names))


def refuse(case: Case, by: User, reason: str) -> None:
    """Say no, with the reason; the person reads it and where to complain."""
    with audit.recorded():
        case = lifecycle.lock(case)
        lifecycle.advance(case, State.REFUSED, by=audit.staff(by), why="refused")
        notify.note(case, Note.Kind.TO_PERSON, reason, by)
        _end(case, "refused")
        if address := case.details.get("email"):
            authority = contents.of(case).authority
            where = f"{authority.name}, {authority.url}" if authority else ""
            notify.mail("refused", address, case=case, reasons=reason, authority=where)


def answered_by_hand(case: Case, by: User, words: str) -> None:
    """Close a request that staff answered in words of their own."""
    with audit.recorded():
        case = lifecycle.lock(case)
        if case.state != State.REVIEW:
            raise NotAllowed(_("Only a request in review can be answered by hand."))
        lifecycle.advance(case, State.COMPLETED, by=audit.staff(by), why="by hand")
        Case.objects.filter(pk=case.pk).update(outcome=Outcome.BY_HAND)
        notify.note(case, Note.Kind.TO_PERSON, words, by)
        _end(case, "answered")
        if address := case.details.get("email"):
            notify.mail("note", address, case=case)


def try_again(job: Job, by: User) -> None:
    """Try a failed job once more, from its checkpoint."""
    with audit.recorded():
        # Read anew: the page that offered it may be old, and what is done already must not be done again.
        failed = Job.objects.select_for_update().filter(pk=job.pk, state=JobState.FAILED).first()
        if failed is None:
            raise NotAllowed(_("This is being worked on already."))
        audit.append("tried again", actor=audit.staff(by), case=job.case, job=job.pk, kind=job.kind, system=job.system)
        jobs.again(failed)


def leave_out(job: Job, by: User, why: str) -> None:
    """Answer without a system that cannot be read; the person is told so."""
    if job.case is None or job.kind != "gather":
        raise NotAllowed(_("Only a system that is being read can be left out."))
    with audit.recorded():
        case = lifecycle.lock(job.case)
        left = Job.objects.filter(pk=job.pk).exclude(state__in=(JobState.DONE, JobState.LEFT_OUT))
        if case.state != State.WORKING or not left.update(state=JobState.LEFT_OUT, lease="", lease_until=None):
            raise NotAllowed(_("This system is no longer being read."))
        audit.append("left out", actor=audit.staff(by), case=case, system=job.system)
        notify.note(case, Note.Kind.STAFF, why, by)
        gather.complete(case)


def clear_channel(case: Case, by: User, why: str) -> None:
    """A person checked in another way that the new address is really theirs."""
    with audit.recorded():
        case = lifecycle.lock(case)
        case.channel_cleared_by = by
        case.save(update_fields=["channel_cleared_by"])
        audit.append("cleared a young address", actor=audit.staff(by), case=case)
        notify.note(case, Note.Kind.STAFF, why, by)


def letter_missing(case: Case) -> list[str]:
    """The slots of the letter that are empty; they hold the release."""
    return contents.missing(case)


def preview(case: Case, system: str, collection: str, limit: int = 20) -> list[dict[str, Any]]:
    """The first rows of one collection as the person would get them, secrets masked."""
    shown: list[dict[str, Any]] = []
    for part in case.parts.filter(system=system, collection=collection).exclude(name=""):
        rows = parts.read_part(storages["bundles"], part.name, part.context)
        shown += [row["d"] for row in islice(rows, limit - len(shown))]
        if len(shown) >= limit:
            break
    return shown


def _may_release(case: Case) -> None:
    if case.state != State.REVIEW:
        raise NotAllowed(_("This request is not waiting for anybody’s agreement."))
    if not case.is_exporting or not case.findings:
        raise NotAllowed(_("Nothing was gathered for this request. Answer it by hand, or refuse it."))
    if case.channel_is_young and case.channel_cleared_by is None:
        raise NotAllowed(_("The address became known only days before. Check who it is in another way first."))
    if missing := contents.missing(case):
        raise NotAllowed(
            _("The letter lacks: %(slots)s. Fill them in the policy file.") % {"slots": ", ".join(missing)}
        )


def _release(case: Case, by: str) -> None:
    lifecycle.advance(case, State.APPROVED, by=by, round=case.round)
    lifecycle.advance(case, State.EXECUTING, by=audit.SYSTEM)
    jobs.enqueue("seal", case=case, key=str(case.round))


def _end(case: Case, why: str) -> None:
    jobs.cancel(case)
    jobs.enqueue("remove", case=case, key=why)
