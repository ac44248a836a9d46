"""What comes next for one request, in words, and who it waits for. The queue and the page read the same."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from dsr import deliver, policy
from dsr.models import Approval, Case, Job, JobState, Note, Relation, State

BY_STAFF = (Note.Kind.STAFF, Note.Kind.TO_PERSON)


class Kind(StrEnum):
    """Which part of the page the next action is in."""

    BROKEN = "broken"
    DISPUTED = "disputed"
    CHANNEL = "channel"
    MESSAGE = "message"
    BY_HAND = "by-hand"
    LETTER = "letter"
    APPROVE = "approve"
    COLLEAGUE = "colleague"
    TAKE = "take"
    SYSTEMS = "systems"
    PERSON = "person"
    CLOSED = "closed"


MINE = frozenset(
    {Kind.BROKEN, Kind.DISPUTED, Kind.CHANNEL, Kind.MESSAGE, Kind.BY_HAND, Kind.LETTER, Kind.APPROVE, Kind.TAKE}
)


@dataclass(frozen=True)
class Step:
    """The next action, what doing it will do and who else must agree, and who it waits for."""

    kind: Kind
    words: str
    will: str
    waits_for: str

    @property
    def is_mine(self) -> bool:
        """Whether staff can act at all; otherwise the request waits for somebody or something else."""
        return self.kind in MINE


@dataclass
class Facts:
    """What the next step of one request depends on beside the request itself.

    `missing` are the empty parts of its letter: for the list those that the policy leaves empty in every letter, for
    the page those of this letter, which take looking at the whole case.
    """

    failed: list[Job] = field(default_factory=list)
    approvals: list[Approval] = field(default_factory=list)
    is_asking: bool = False
    is_disputed: bool = False
    missing: list[str] = field(default_factory=list)


# Few cases are in each of these at a time, however many there are: a set that is found once, from an index of its own,
# and not a question that is asked of each case.


def failed() -> Q:
    """Whether something of the request failed for good. For a queryset of cases."""
    return Q(pk__in=Job.objects.filter(state=JobState.FAILED, case__isnull=False).values("case"))


def unanswered() -> Q:
    """Whether the person wrote and nobody of staff has written since. For a queryset of cases."""
    answers = Note.objects.filter(case=OuterRef("case"), kind__in=BY_STAFF, at__gte=OuterRef("at"))
    return Q(pk__in=Note.objects.filter(~Exists(answers), kind=Note.Kind.FROM_PERSON).values("case"))


def disputed() -> Q:
    """Whether the person says that they did not ask, and nobody of staff has written a note since."""
    notes = Note.objects.filter(case=OuterRef("case"), kind__in=BY_STAFF, at__gte=OuterRef("created_at"))
    promised = Job.objects.filter(~Exists(notes), kind="remove", key="disputed", case__isnull=False)
    return Q(pk__in=promised.values("case"))


def facts(cases: Iterable[Case]) -> dict[str, Facts]:
    """The facts of many requests, in four queries however many they are."""
    ids = [case.pk for case in cases]
    missing = policy.current().slots_missing()
    found = {pk: Facts(missing=missing) for pk in ids}
    for job in Job.objects.filter(case__in=ids, state=JobState.FAILED).order_by("pk"):
        found[str(job.case_id)].failed.append(job)
    for approval in Approval.objects.filter(case__in=ids).select_related("by").order_by("pk"):
        found[approval.case_id].approvals.append(approval)
    for pk in Case.objects.filter(unanswered(), pk__in=ids).values_list("pk", flat=True):
        found[pk].is_asking = True
    for pk in Case.objects.filter(disputed(), pk__in=ids).values_list("pk", flat=True):
        found[pk].is_disputed = True
    return found


def is_by_hand(case: Case) -> bool:
    """Whether a person answers this, because somebody asks for another or the answer is no archive."""
    return not case.is_exporting or case.relation != Relation.SELF


def has_uncleared_channel(case: Case) -> bool:
    """Whether the address became known only days before it asked, and nobody checked it another way."""
    return case.channel_is_young and case.channel_cleared_by_id is None and case.is_open


def needs_two() -> Q:
    """Cases whose right takes two people. For a queryset of cases."""
    return Q(right__in=[right.name for right in policy.current().rights.values() if right.review == "two"])


def agreed(case: Case, approvals: Iterable[Approval]) -> list[Approval]:
    """Who agreed in the present round."""
    return [approval for approval in approvals if approval.round == case.round]


def next_step(case: Case, user: User, known: Facts) -> Step:
    """The one next action. What went wrong comes before what goes its way."""
    if known.failed:
        return _broken(known.failed)
    if known.is_disputed:
        return Step(
            Kind.DISPUTED,
            _("Find out who asked: the person says it was not them"),
            _("Everything has stopped and what was collected is gone. Write a note on what you found."),
            _("You"),
        )
    if known.is_asking:
        return Step(
            Kind.MESSAGE,
            _("Answer the person’s message"),
            _("Your answer appears on the person’s page, and a mail says that it is there."),
            _("You"),
        )
    if not case.is_open:
        return Step(Kind.CLOSED, _("Nothing: it is closed"), "", _("Nobody"))
    return _by_state(case, user, known)


def _by_state(case: Case, user: User, known: Facts) -> Step:
    if case.state == State.RECEIVED:
        return Step(
            Kind.PERSON,
            _("The person types the code that was mailed"),
            _("Until then nothing is looked up. After seven days the request closes by itself."),
            _("The person"),
        )
    if has_uncleared_channel(case):
        return Step(
            Kind.CHANNEL,
            _("Check another way that the new address is the person’s"),
            _("Nothing is released until then. Phone a known number, or ask at an older address."),
            _("You"),
        )
    if case.state == State.REVIEW:
        return _by_hand(case) if is_by_hand(case) else _review(case, user, known)
    if case.assignee_id is None:
        return Step(
            Kind.TAKE,
            _("Take it: nobody looks after this request"),
            _("Your name signs the answer. Collecting goes on meanwhile."),
            _("You"),
        )
    if case.state in (State.APPROVED, State.EXECUTING):
        return Step(Kind.SYSTEMS, _("The answer is being prepared"), _("A mail goes out when it is."), _("The worker"))
    return Step(
        Kind.SYSTEMS, _("The systems are being read"), _("Review begins when all of them are."), _("The systems")
    )


def _review(case: Case, user: User, known: Facts) -> Step:
    done = agreed(case, known.approvals)
    needed = deliver.approvals_needed(case)
    if known.missing:
        words = ngettext(
            "Fill %(count)d empty part of the letter", "Fill %(count)d empty parts of the letter", len(known.missing)
        )
        will = _("They come from the policy file. Nothing is released while one is empty: %(parts)s.")
        return Step(
            Kind.LETTER, words % {"count": len(known.missing)}, will % {"parts": ", ".join(known.missing)}, _("You")
        )
    if any(approval.by_id == user.pk for approval in done):
        words = _("Somebody else agrees too")
        return Step(Kind.COLLEAGUE, words, _("You agreed. The policy asks for two people."), _("A colleague"))
    if done:
        words = _("Agree to the release that %(name)s prepared") % {"name": done[0].by}
        return Step(Kind.APPROVE, words, _after_last(), _("You"))
    if needed - len(done) > 1:
        will = _("Look at what was found. If you agree, a second person has to agree too before it is released.")
        return Step(Kind.APPROVE, _("Review, then a second person agrees"), will, _("You"))
    return Step(Kind.APPROVE, _("Review and approve"), _after_last(), _("You"))


def _after_last() -> str:
    return _(
        "If you agree, the archive and the letter are made at once and the person gets a mail with a link. "
        "Nobody else has to agree."
    )


def _by_hand(case: Case) -> Step:
    if case.relation == Relation.SELF:
        words = _("Answer by hand")
    else:
        words = _("Decide by hand: somebody asks for another person")
    will = _("Nothing was looked up. Write to the person, refuse with reasons, or mark it answered by hand.")
    return Step(Kind.BY_HAND, words, will, _("You"))


def _broken(failed: list[Job]) -> Step:
    systems = {system.name: str(system.title) for system in policy.systems().systems}
    unread = sorted({systems.get(job.system, job.system) for job in failed if job.system})
    if unread:
        words = _("Try again or answer without: %(systems)s") % {"systems": ", ".join(unread)}
    elif any(job.kind == "mail" for job in failed):
        words = _("A mail could not be delivered")
    else:
        words = _("Work on this request stopped")
    return Step(Kind.BROKEN, words, f"{failed[0].problem} {failed[0].hint}".strip(), _("You"))
