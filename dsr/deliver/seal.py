"""Build the archive of an approved case: streamed, encrypted, read back, announced.

An interrupted build leaves nothing that opens. Parts go as soon as the archive stands.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.core.files.storage import storages
from django.utils import timezone

from dsr import audit, gather, jobs, lifecycle, notify, policy
from dsr.bundle import archive, press, sealed
from dsr.deliver import contents
from dsr.models import Case, Delivery, Job, JobState, Outcome, State

LETTERS = "23456789abcdefghijkmnpqrstuvwxyz"
LENGTH = 26  # 130 bits


class Measured:
    """Hands chunks on and remembers their size and digest."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._digest.update(chunk)
            self.size += len(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        """Of all that was handed on."""
        return self._digest.hexdigest()


def seal(job: Job) -> None:
    """Build, encrypt and read back the archive, then close the case and tell the person."""
    case = gather.case_of(job)
    passphrase = _passphrase() if _may_travel_by_mail() else ""
    # The attempt is in the name: a worker that lost its lease cannot write over its successor's archive.
    name = f"bundles/{case.pk}/{job.lease[:12]}.zip"
    storage = storages["bundles"]
    context = Delivery(case=case).context
    try:
        letter = contents.letter_of(case)
    except press.LetterFailed as error:
        raise jobs.Unfinished(
            "The letter could not be made.", "If this stays, look at the length of the policy’s texts."
        ) from error
    plain = Measured(
        archive.build(
            contents.of(case),
            contents.sources(case),
            storage,
            format=case.details.get("format", "jsonl"),
            letter=letter,
            password=passphrase or None,
        )
    )
    try:
        sealed.save(storage, name, iter(plain), context)
        read_back = Measured(sealed.chunks(storage, name, context))
        if sum(len(chunk) for chunk in read_back) != plain.size or read_back.sha256 != plain.sha256:
            raise jobs.Unfinished("The archive in storage is not the one that was written.", "Check the storage.")
        with audit.recorded():
            _deliver(job, lifecycle.lock(case), name, plain, passphrase)
    except BaseException:
        storage.delete(name)
        raise


def _deliver(job: Job, case: Case, name: str, plain: Measured, passphrase: str) -> None:
    jobs.finish(job)  # first: what was withdrawn or sent back meanwhile has no such job any more
    now = timezone.now()
    rules = policy.current().delivery
    is_attached = bool(passphrase) and plain.size <= rules.attachment_limit_mb * 1_000_000
    delivery = Delivery(
        case=case,
        name=name,
        size=plain.size,
        sha256=plain.sha256,
        rows=sum(case.parts.values_list("rows", flat=True)),
        is_attached=is_attached,
        sealed_at=now,
        expires_on=now.astimezone(lifecycle.zone()).date() + timedelta(days=rules.unseen_days),
    )
    delivery.secret = {"passphrase": passphrase} if passphrase else {}
    delivery.save(force_insert=True)
    outcome = _outcome(case, delivery.rows)
    Case.objects.filter(pk=case.pk).update(outcome=outcome)
    lifecycle.advance(
        case, State.COMPLETED, by=audit.SYSTEM, outcome=outcome.value, rows=delivery.rows, sha256=delivery.sha256
    )
    jobs.enqueue("remove", case=case, key="parts")
    _announce(case, delivery)


def _announce(case: Case, delivery: Delivery) -> None:
    address = case.details.get("email")
    if not address:
        return
    values: dict[str, Any] = {
        "asked_on": case.received_on.isoformat(),
        "expires_days": policy.current().delivery.expires_days,
        "attached": delivery.is_attached,
    }
    if delivery.is_attached:
        values["attachment"] = {
            "name": delivery.name,
            "context": delivery.context.decode(),
            "file_name": f"request-{case.reference}.zip",
        }
    notify.mail("ready", address, case=case, **values)


def _outcome(case: Case, rows: int) -> Outcome:
    if case.jobs.filter(kind="gather", key=str(case.round), state=JobState.LEFT_OUT).exists():
        return Outcome.PARTIAL
    return Outcome.COMPLETE if rows else Outcome.NOTHING_FOUND


def _may_travel_by_mail() -> bool:
    return policy.current().delivery.deliver == "attachment"


def _passphrase() -> str:
    letters = [secrets.choice(LETTERS) for _ in range(LENGTH)]
    return "-".join("".join(letters[at : at + 5]) for at in range(0, LENGTH, 5))
