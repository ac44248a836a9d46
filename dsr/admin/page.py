"""What the page of one request shows, in the order of work. Who asked and what was written only when asked for."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from dsr import deliver, policy
from dsr.admin import left, queue, steps, trail
from dsr.admin.left import Left
from dsr.admin.steps import Facts
from dsr.admin.work import KINDS
from dsr.models import Case, Clock, Delivery, Job, JobState, Note, State
from dsr.models.sealed import new_id

PREVIEW_ROWS = 20
LONGEST_CELL = 300


@dataclass(frozen=True)
class SystemRow:
    """How one system is doing. `shape` and `colour` draw what `state` says."""

    name: str
    title: str
    state: str
    shape: str
    colour: str
    rows: int
    about: int | None
    job: Job

    @property
    def is_failed(self) -> bool:
        return self.job.state == JobState.FAILED

    @property
    def is_trying(self) -> bool:
        return self.job.state == JobState.WAITING and bool(self.job.problem)


@dataclass
class Found:
    """What was collected from one collection."""

    system: str
    system_title: str
    collection: str
    title: str
    rows: int = 0
    files: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    masked: dict[str, int] = field(default_factory=dict)
    withheld: str = ""


@dataclass(frozen=True)
class ClockRow:
    """One deadline, how much of it is left, and why it is this date."""

    clock: Clock
    left: Left


@dataclass(frozen=True)
class Message:
    """One entry of the thread; `text` only when it was asked for."""

    who: str
    kind: str
    is_from_person: bool
    at: datetime
    text: str


def context(case: Case, user: User, *, shows_person: bool) -> dict[str, Any]:
    """Everything for the template."""
    known = steps.facts([case])[case.pk]
    known.missing = deliver.letter_missing(case) if _is_reviewed(case) else []
    jobs = list(case.jobs.order_by("pk"))
    return {
        "case": case,
        "right": queue.RIGHTS[case.right],
        "relation": queue.RELATIONS[case.relation],
        "left": left.of(case),
        "step": steps.next_step(case, user, known),
        "flags": queue.flags(case, known),
        "is_open": case.is_open,
        "is_by_hand": steps.is_by_hand(case),
        "has_uncleared_channel": steps.has_uncleared_channel(case),
        "systems": _systems(case, jobs),
        "stopped": [(KINDS.get(job.kind, job.kind), job) for job in known.failed if job.kind != "gather"],
        "found": _found(case, jobs),
        "clocks": [ClockRow(clock, left.until(clock.due_on, clock.due_at)) for clock in case.clocks.all()],
        "thread": _thread(case, shows_person=shows_person),
        "person": _person(case) if shows_person else {},
        "shows_person": shows_person,
        "trail": trail.sentences(trail.of_case(case)),
        "chain": trail.last_check(),
        "colleagues": User.objects.filter(is_staff=True, is_active=True).order_by("name", "email"),
        "delivery": Delivery.objects.filter(case=case).prefetch_related("downloads").first(),
        # Each form brings the id of what it will write: sent twice, it is written once.
        "message_id": new_id(),
        "note_id": new_id(),
        **_agreement(case, user, known),
    }


def preview(case: Case, system: str, collection: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows as a table: every column that any of them has, long values cut and said to be."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return {
        "system_title": _system_title(system),
        "collection_title": _collection_title(system, collection),
        "columns": columns,
        "rows": [[_cell(row.get(name)) for name in columns] for row in rows],
        "limit": PREVIEW_ROWS,
        "total": sum(case.parts.filter(system=system, collection=collection).values_list("rows", flat=True)),
    }


def _agreement(case: Case, user: User, known: Facts) -> dict[str, Any]:
    done = steps.agreed(case, known.approvals)
    in_review = case.state == State.REVIEW
    may_approve = _is_reviewed(case) and not known.missing and not steps.has_uncleared_channel(case)
    return {
        "approvals": done,
        "needed": deliver.approvals_needed(case),
        "missing": known.missing,
        "can_approve": may_approve and all(approval.by_id != user.pk for approval in done),
        "can_send_back": _is_reviewed(case),
        "can_refuse": case.is_open and case.state != State.RECEIVED,
        "can_answer_by_hand": in_review and steps.is_by_hand(case),
        "in_review": in_review,
        "last_agreement": deliver.approvals_needed(case) - len(done) <= 1,
    }


def _is_reviewed(case: Case) -> bool:
    return case.state == State.REVIEW and not steps.is_by_hand(case)


def _systems(case: Case, jobs: list[Job]) -> list[SystemRow]:
    rows: dict[str, int] = {}
    for name, count in case.parts.values_list("system", "rows"):
        rows[name] = rows.get(name, 0) + count
    of_round = [job for job in jobs if job.kind == "gather" and job.key == str(case.round)]
    return [_system(job, rows.get(job.system, 0)) for job in of_round]


def _system(job: Job, rows: int) -> SystemRow:
    words, shape, colour = {
        JobState.WAITING: (pgettext("system", "Waiting"), "todo", ""),
        JobState.RUNNING: (pgettext("system", "Reading"), "now", ""),
        JobState.DONE: (pgettext("system", "Done"), "done", "ok"),
        JobState.FAILED: (pgettext("system", "Needs a person"), "care", "warn"),
        JobState.LEFT_OUT: (pgettext("system", "Left out"), "paused", ""),
    }[JobState(job.state)]
    if job.state == JobState.WAITING and job.problem:
        words, shape, colour = pgettext("system", "Trying again"), "care", "warn"
    about = job.checkpoint.get("about")
    return SystemRow(job.system, _system_title(job.system), words, shape, colour, rows, about, job)


def _found(case: Case, jobs: list[Job]) -> list[Found]:
    found: dict[tuple[str, str], Found] = {}
    for part in case.parts.all():
        place = (part.system, part.collection)
        row = found.setdefault(place, Found(*_titles(part.system, part.collection)))
        row.rows += part.rows
        row.files += part.info.get("files", 0) if isinstance(part.info.get("files", 0), int) else 0
        row.first_at = min(filter(None, (row.first_at, part.first_at)), default=None)
        row.last_at = max(filter(None, (row.last_at, part.last_at)), default=None)
        for kind, count in part.info.get("masked", {}).items():
            row.masked[kind] = row.masked.get(kind, 0) + count
    return list(found.values())


def _titles(system: str, collection: str) -> tuple[str, str, str, str]:
    return system, _system_title(system), collection, _collection_title(system, collection)


def _system_title(name: str) -> str:
    """The system's title, or its name once it is no longer in the systems file."""
    return next((str(system.title) for system in policy.systems().systems if system.name == name), name)


def _collection_title(system: str, name: str) -> str:
    collections = (c for s in policy.systems().systems if s.name == system for c in s.collections)
    return next((str(collection.title) or name for collection in collections if collection.name == name), name)


def _thread(case: Case, *, shows_person: bool) -> list[Message]:
    return [
        Message(
            who=_("The person") if note.kind == Note.Kind.FROM_PERSON else str(note.by or _("The portal")),
            kind=note.get_kind_display(),
            is_from_person=note.kind == Note.Kind.FROM_PERSON,
            at=note.at,
            text=str(note.body.get("text", "")) if shows_person else "",
        )
        for note in case.notes.select_related("by")
    ]


def _person(case: Case) -> dict[str, Any]:
    """What was asked, as words; and what the systems know the person by, as counts."""
    details = case.details
    labels = {
        "name": _("Name"),
        "email": _("E-mail"),
        "country": _("Country"),
        "since": _("From"),
        "until": _("Until"),
        "categories": _("Only"),
        "receipts": _("Privacy receipts"),
        "message": _("In their words"),
    }
    told = {words: details[name] for name, words in labels.items() if details.get(name)}
    return {words: ", ".join(value) if isinstance(value, list) else value for words, value in told.items()}


def _cell(value: Any) -> tuple[str, bool]:
    """A value as text, and whether it was cut."""
    text = "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
    return (text[:LONGEST_CELL], True) if len(text) > LONGEST_CELL else (text, False)
