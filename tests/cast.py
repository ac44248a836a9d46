"""The cast: ada asks, ben triages, cleo approves, eve must see nothing. And what they need on the stage."""

import secrets
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, record_authentication
from django.contrib.auth.models import Permission
from django.core.files.storage import storages
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import second_factor, sessions
from accounts.models import User
from dsr import intake
from dsr.bundle import parts
from dsr.connectors import Record
from dsr.models import Case, Job, JobState, Note, Part, State
from dsr.models.case import ENDS
from dsr.models.part import part_context

TOTP_SECRET = "JBSWY3DPEHPK3PXP"
TRIAGE = ("view_case", "change_case", "see_person", "view_job", "view_auditentry")
APPROVES = (*TRIAGE, "approve_case")


def staff(name: str, *may: str, **fields: Any) -> User:
    """A member of staff with a second factor, who may do what is named and nothing else."""
    user = User.objects.create_user(f"{name}@staff.example", "a long password", name=name, is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="dsr", codename__in=may))
    second_factor.set_totp(user, TOTP_SECRET)
    return user


def ben() -> User:
    """Triages: looks, writes, assigns; agrees to nothing."""
    return staff("ben", *TRIAGE)


def cleo() -> User:
    """Approves."""
    return staff("cleo", *APPROVES)


def eve() -> User:
    """Staff without any permission."""
    return staff("eve")


def person(email: str = "ada@example.org") -> User:
    """Somebody who proved an address."""
    return User.objects.create_user(email)


def signed_in_staff_client(user: User, *, with_factor: bool = True, minutes_ago: int = 0, **options: Any) -> Client:
    """A browser with a staff session of this user, as a sign-in by password and code leaves it behind."""
    client = Client(headers={"origin": "http://localhost:8000"}, SERVER_NAME="localhost", **options)
    client.force_login(user)
    request = RequestFactory().get("/")
    request.session = client.session
    request.session[sessions.STAFF_SINCE] = request.session[sessions.STAFF_SEEN] = time.time() - minutes_ago * 60
    record_authentication(request, user, method="password", email=user.email)
    if with_factor:
        record_authentication(request, user, method="mfa", type="totp")
    for record in request.session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= minutes_ago * 60
    request.session.save()
    return client


def make_case(state: State = State.RECEIVED, **changes: Any) -> Case:
    """Ada's request in this state. `changes` are fields of Asked (right, email, name, message, ...) or of the case."""
    asked: dict[str, Any] = {
        "right": "access",
        "email": "ada@example.org",
        "name": "Ada Kaya",
        "nonce": secrets.token_hex(8),
    }
    asked |= {name: changes.pop(name) for name in list(changes) if name in intake.Asked.__dataclass_fields__}
    case = intake.open_case(intake.Asked(**asked))
    if state != State.RECEIVED:
        changes.setdefault("verified_at", timezone.now())
    if state in ENDS:
        changes.setdefault("closed_at", timezone.now())
    for name, value in {"state": state, **changes}.items():
        setattr(case, name, value)
    case.save()
    return case


def make_job(case: Case | None, state: JobState = JobState.FAILED, kind: str = "gather", **changes: Any) -> Job:
    """A job as it is after work; a failed one says why."""
    now = timezone.now()
    problem = "The table invoices has no column user_id." if state == JobState.FAILED else ""
    hint = "Change the systems file, then try again." if problem else ""
    found = {
        "kind": kind,
        "case": case,
        "system": "app" if kind == "gather" else "",
        "key": str(case.round) if case and kind == "gather" else "",
        "queue": "bulk",
        "state": state,
        "due_at": now,
        "created_at": now,
        "problem": problem,
        "hint": hint,
    }
    return Job.objects.create(**(found | changes))


def make_part(case: Case, rows: Iterable[dict[str, Any]], *, system: str = "app", collection: str = "account") -> Part:
    """Collected rows of one collection, encrypted in storage as gathering leaves them."""
    number = case.parts.filter(system=system, collection=collection).count() + 1
    name = f"parts/{case.pk}/{system}/{collection}-{number:05d}"
    context = part_context(case.pk, system, collection, number)
    records = [Record("ada@example.org", (at,), None, row, ()) for at, row in enumerate(rows)]
    storage = storages["bundles"]
    written = parts.write_part(records, storage, name, context)
    return Part.objects.create(
        case=case,
        system=system,
        collection=collection,
        number=number,
        rows=written.rows,
        size=written.bytes,
        sha256=written.sha256,
        name=name,
        first_at=timezone.now() - timedelta(days=40),
        last_at=timezone.now(),
        info={"masked": {"API key": 2}, "files": 0},
    )


def make_note(case: Case, kind: Note.Kind, text: str, by: User | None = None) -> Note:
    """Something that was written."""
    note = Note(case=case, kind=kind, by=by, at=timezone.now())
    note.body = {"text": text}
    note.save(force_insert=True)
    return note
