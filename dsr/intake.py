"""Somebody asks; who is it; open a Case. Nothing is looked up before the person proved who they are."""

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User, plain_address
from dsr import audit, jobs, keys, lifecycle, locks, notify, policy
from dsr.lifecycle import NotAllowed
from dsr.models import Case, Delivery, Job, JobState, Relation, State
from dsr.models.case import ENDS
from dsr.policy.deadlines import Due

CLAIM_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no letter that reads as a digit
CLAIM_LENGTH = 26  # 130 bits
UNVERIFIED_DAYS = 7
LAPSED_AT_ONCE = 1000


@dataclass(frozen=True)
class Asked:
    """What a person asked for. No dates and no categories mean everything; `nonce` tells one filled form apart."""

    right: str
    nonce: str
    relation: str = Relation.SELF
    email: str = ""
    name: str = ""
    country: str = ""
    language: str = "en"
    since: date | None = None
    until: date | None = None
    categories: tuple[str, ...] = ()
    format: str = "jsonl"
    receipts: tuple[str, ...] = ()
    message: str = ""
    claim: str = ""

    def details(self) -> dict[str, object]:
        """As it rests in the case, sealed."""
        return {
            "email": plain_address(self.email),
            "name": self.name,
            "country": self.country,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "categories": sorted(self.categories),
            "format": self.format,
            "receipts": sorted(set(self.receipts)),
            "message": self.message,
        }


def expected_due(right: str) -> Due:
    """The day by which a request filed now is answered: the earliest of its clocks."""
    return lifecycle.expected(right)[0]


def open_case(asked: Asked) -> Case:
    """Open a case, or find the one that this very form opened before.

    With an address it waits for its code. Privacy receipts prove possession by themselves (GDPR Art. 11(2)),
    so that case is verified at once. Never both: whoever holds a receipt has not proved any address.
    """
    if bool(asked.email) == bool(asked.receipts):
        raise ValueError("A case is about an address or about receipts, never both.")
    form_index = keys.index("form", asked.nonce)
    for is_last in (False, False, True):
        known = Case.objects.filter(form_index=form_index).first()
        if known is not None:
            return known
        try:
            return _open(asked, form_index)
        except IntegrityError:
            # The same form arrived twice at once and the other one was first, or somebody else drew the same reference.
            if is_last:
                raise
    raise AssertionError("The last try returns or raises.")


@audit.recorded()
def _open(asked: Asked, form_index: str) -> Case:
    now = timezone.now()
    case = Case(
        reference=_new_reference(),
        right=asked.right,
        relation=asked.relation,
        state=State.RECEIVED,
        state_at=now,
        language=asked.language,
        policy_version=str(policy.current().version),
        received_at=now,
        received_on=now.astimezone(lifecycle.zone()).date(),
        who_index=_who(asked),
        form_index=form_index,
        claim_index=keys.index("claim", _bare(asked.claim)) if asked.claim else None,
    )
    case.details = asked.details()
    if asked.receipts:
        locks.alone("who", case.who_index)  # as in `verify`
    case.save(force_insert=True)
    lifecycle.open_clocks(case)
    audit.append("received", actor=audit.SUBJECT, case=case, right=case.right, relation=case.relation)
    if asked.receipts:
        _accept(case, why="receipt")
    return case


@audit.recorded()
def verify(case: Case, user: User) -> Case:
    """The person behind this address typed the code: the case is theirs and work begins.

    Returns the case to follow: an identical open request of the same person takes this one in, and keeps the
    receipt date of whichever came first. Raises NotAllowed when the user is not who the case is about.
    """
    who = keys.index("email", plain_address(user.email))
    # Two requests of the same person at once: the second one sees what the first one came to, and joins it.
    locks.alone("who", case.who_index)
    case = lifecycle.lock(case)
    if not secrets.compare_digest(who, case.who_index):
        raise NotAllowed(_("This code belongs to another address."))
    if case.user_id == user.pk:
        return case.joined_to or case
    Case.objects.filter(pk=case.pk).update(user_id=user.pk)
    case.user_id = user.pk
    return _accept(case, why="code")


def claim(code: str) -> Case | None:
    """The case that this claim code owns."""
    bare = _bare(code)
    if len(bare) != CLAIM_LENGTH:
        return None
    case = Case.objects.select_related("joined_to").filter(claim_index=keys.index("claim", bare)).first()
    return (case.joined_to or case) if case else None


def is_owned_by(case: Case, code: str) -> bool:
    """Whether this very case was opened with this claim code."""
    return bool(case.claim_index) and secrets.compare_digest(case.claim_index or "", keys.index("claim", _bare(code)))


def new_claim_code() -> str:
    """130 random bits in groups that can be written down."""
    code = "".join(secrets.choice(CLAIM_ALPHABET) for _place in range(CLAIM_LENGTH))
    return "-".join(re.findall(".{1,6}", code))


def withdraw(case: Case) -> None:
    """The person takes the request back: work stops, what was collected is discarded."""
    _stop(case, "withdrawn")


def dispute(case: Case) -> None:
    """The person says that somebody else asked in their name: everything stops, and staff see it."""
    _stop(case, "disputed")


def lapse_unverified(now: datetime) -> int:
    """Close what nobody proved to be theirs within seven days, and forget the address. How many."""
    stale = Case.objects.filter(state=State.RECEIVED, received_at__lt=now - timedelta(days=UNVERIFIED_DAYS))
    closed = 0
    for case in stale[:LAPSED_AT_ONCE]:
        # Its code may be typed at this very moment: then it is not stale any more, and stays.
        with suppress(NotAllowed), audit.recorded():
            lifecycle.advance(case, State.LAPSED, by=audit.SYSTEM, why="not verified")
            case.details = {}
            case.save(update_fields=["details_sealed"])
            closed += 1
    return closed


@dataclass(frozen=True)
class SystemProgress:
    """How far one system is: `state` is waiting, reading, trying, done, failed or left-out."""

    name: str
    title: str
    state: str
    rows: int
    about: int | None
    next_try: datetime | None
    sentence: str


def progress(case: Case) -> list[SystemProgress]:
    """What to tell about each system while work runs and afterwards, in the order of the systems file."""
    found = {job.system: job for job in case.jobs.filter(kind="gather")}
    rows: dict[str, int] = {}
    for system, count in case.parts.values_list("system", "rows"):
        rows[system] = rows.get(system, 0) + count
    return [
        _told(system.name, system.title.text(case.language), found[system.name], rows.get(system.name, 0))
        for system in policy.systems().systems
        if system.name in found
    ]


def _told(name: str, title: str, job: Job, rows: int) -> SystemProgress:
    about = job.checkpoint.get("about")
    state, sentence, next_try = "waiting", "", None
    if job.state == JobState.DONE:
        state = "done"
    elif job.state == JobState.LEFT_OUT:
        state, sentence = "left-out", _("The answer comes without this; it says so.")
    elif job.state == JobState.FAILED:
        state, sentence = "failed", _("We could not read this yet. A person is looking into it.")
    elif job.problem:
        state, next_try = "trying", job.due_at
        local = timezone.localtime(job.due_at, lifecycle.zone())
        sentence = _(
            "We could not reach this yet. Next try on %(day)s at %(time)s; if it keeps failing, a person takes over."
        ) % {"day": date_format(local, "j F"), "time": date_format(local, "H:i")}
    elif job.state == JobState.RUNNING:
        state = "reading"
    return SystemProgress(name, title, state, rows, about, next_try, sentence)


@audit.recorded()
def _stop(case: Case, why: str) -> None:
    case = lifecycle.lock(case)
    delivery = getattr(case, "delivery", None)
    if case.state in ENDS and (delivery is None or not delivery.is_available):
        raise NotAllowed(_("This request is closed already."))
    if case.state not in ENDS:
        lifecycle.advance(case, State.WITHDRAWN, by=audit.SUBJECT, why=why)
    else:
        audit.append(why, actor=audit.SUBJECT, case=case)
    # At once, though the file itself goes with the next job: nothing is served from here on.
    Delivery.objects.filter(case=case, removed_at=None).update(removed_at=timezone.now(), removed_why=why)
    jobs.cancel(case)
    jobs.enqueue("remove", case=case, key=why)
    if address := case.details.get("email"):
        notify.mail("withdrawn", address, case=case, disputed=why == "disputed")


@audit.recorded()
def _accept(case: Case, why: str) -> Case:
    first = _identical(case)
    if first is not None:
        _join(case, first)
        return first
    lifecycle.advance(case, State.VERIFIED, by=audit.SUBJECT, why=why)
    if address := case.details.get("email"):
        notify.mail("received", address, case=case, due_on=case.due_on.isoformat() if case.due_on else "")
    if case.is_exporting and case.relation == Relation.SELF:
        jobs.enqueue("identify", case=case, key=str(case.round))
    else:
        # Somebody asks for another person: staff look first, nothing is gathered on such a word alone.
        lifecycle.advance(case, State.REVIEW, by=audit.SYSTEM, why="by hand")
    return case


def _identical(case: Case) -> Case | None:
    """An open, verified request of the same person for the same thing. Locked, so that two cannot join each other."""
    others = (
        Case.objects.select_for_update()
        .filter(who_index=case.who_index, right=case.right, relation=case.relation, joined_to=None)
        .exclude(pk=case.pk)
        .exclude(state__in=[State.RECEIVED, *ENDS])
        .order_by("received_at")
    )
    return next((other for other in others if _scope(other) == _scope(case)), None)


def _scope(case: Case) -> dict[str, object]:
    return {name: case.details.get(name) for name in ("since", "until", "categories", "format", "receipts", "message")}


def _join(case: Case, first: Case) -> None:
    lifecycle.advance(case, State.JOINED, by=audit.SUBJECT, why="identical", joined_to=first.pk)
    Case.objects.filter(pk=case.pk).update(joined_to=first)
    if case.received_at < first.received_at:
        # The clock runs from the first receipt, whichever of the two was verified first.
        Case.objects.filter(pk=first.pk).update(received_at=case.received_at, received_on=case.received_on)
        first.received_at, first.received_on = case.received_at, case.received_on
        lifecycle.open_clocks(first)


def _who(asked: Asked) -> str:
    if asked.email:
        return keys.index("email", plain_address(asked.email))
    return keys.index("receipts", "\n".join(sorted(set(asked.receipts))))


def _new_reference() -> str:
    while True:
        reference = f"{secrets.randbelow(90_000_000) + 10_000_000}"
        if not Case.objects.filter(reference=reference).exists():
            return reference


def _bare(code: str) -> str:
    """A claim code as typed, without spaces and dashes, with the letters that are read as digits put right."""
    kept = re.sub(r"[\s\-‐‑–—]", "", code).upper()
    return kept.translate(str.maketrans("OIL", "011"))
