"""The outbox: a row is the promise, a Celery message only a hint.

A job is enqueued in the transaction of the fact that calls for it, and sent after commit. Messages may be lost,
doubled or late: claiming is one UPDATE, a lease that lapses frees what a dead worker held, and the sweep sends again
what is due. A worker that lost its lease cannot write: `hold` checks it in the transaction of the work.
"""

import logging
import math
import random
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import KombuError
from redis import RedisError

from dsr.models import Case, Job, JobState

log = logging.getLogger(__name__)

QUEUES = {
    "mail": "interactive",
    "identify": "interactive",
    "gather": "bulk",
    "release": "interactive",
    "seal": "bulk",
    "remove": "bulk",
}
# A message that nobody took for so long is lost, unless so many wait before it; after the longer time it is sent again
# anyhow. Without looking at the queue, each message of a long one would be doubled again and again.
RESEND_AFTER = timedelta(seconds=15)
RESEND_ANYHOW_AFTER = timedelta(minutes=10)
CROWDED = 100
SWEEP_LIMIT = 500
LONGEST_WAIT_SECONDS = 3600
# Gone, or there and refusing: Redis that is full, or a replica after a failover.
BROKER_TROUBLE = (KombuError, RedisError, OSError)


class LeaseLost(Exception):
    """Another worker has the job now; what this one did last was not written."""


class Unfinished(Exception):
    """The job cannot be done now and is tried again. The sentence holds no value of a person."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint


class NeedsPerson(Exception):
    """Trying again will not help; staff read the sentence and the hint."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem, self.hint = problem, hint


@transaction.atomic
def enqueue(kind: str, *, case: Case | None = None, system: str = "", key: str = "") -> Job:
    """Promise a piece of work, once for its four names; the same promise again gives the same row."""
    now = timezone.now()
    job, is_new = Job.objects.get_or_create(
        kind=kind,
        case=case,
        system=system,
        key=key,
        defaults={"queue": QUEUES[kind], "due_at": now, "sent_at": now, "created_at": now},
    )
    if is_new:
        transaction.on_commit(lambda: _send(job.pk, job.queue))
    return job


def look_at_connection() -> None:
    """Let go of a database connection that a restart cut or that is old; the next query makes another.

    Django does this for each request; for a job nobody does.
    """
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def claim(pk: int) -> Job | None:
    """Lease the job to this worker, or None: it is done, not due, or somebody else's."""
    now = timezone.now()
    job = _take(pk, Q(state=JobState.WAITING, due_at__lte=now))
    if job is None and _leases_lapse():
        job = _take(pk, Q(state=JobState.RUNNING, lease_until__lt=now))
    return job


def hold(job: Job, **changes: Any) -> None:
    """Renew the lease and write the checkpoint, inside the caller's transaction. Raises LeaseLost."""
    _write(job, lease_until=timezone.now() + _lease(), **changes)


@contextmanager
def leasing(job: Job) -> Iterator[None]:
    """Keep the lease alive from a thread while the body runs, however long one statement of it takes."""
    is_over = threading.Event()
    thread = threading.Thread(target=_renew, args=(job.pk, job.lease, is_over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def finish(job: Job) -> None:
    """Mark it done; belongs in the transaction of its last effect. Raises LeaseLost."""
    _write(job, state=JobState.DONE, lease="", lease_until=None, done_at=timezone.now(), problem="", hint="")


def retry(job: Job, problem: str, hint: str = "") -> None:
    """Try again later, with exponential waits and jitter; after the last attempt a person is asked."""
    if job.attempts >= settings.MAX_ATTEMPTS:
        fail(job, problem, hint)
        return
    due_at = timezone.now() + timedelta(seconds=wait_seconds(job.attempts))
    _write(job, state=JobState.WAITING, lease="", lease_until=None, due_at=due_at, sent_at=None,
           problem=_told(problem), hint=_told(hint))  # fmt: skip


def fail(job: Job, problem: str, hint: str = "") -> None:
    """Give it to staff: trying again would not help."""
    _write(job, state=JobState.FAILED, lease="", lease_until=None, problem=_told(problem), hint=_told(hint))


def again(job: Job) -> None:
    """Start afresh what had failed, at a person's word."""
    now = timezone.now()
    changed = Job.objects.filter(pk=job.pk, state__in=(JobState.FAILED, JobState.WAITING, JobState.DONE)).update(
        state=JobState.WAITING, attempts=0, due_at=now, sent_at=now, done_at=None
    )
    if changed:
        transaction.on_commit(lambda: _send(job.pk, job.queue))


def cancel(case: Case) -> None:
    """Forget what is promised for a case: it was withdrawn. A running worker finds its lease gone."""
    Job.objects.filter(case=case).exclude(kind="mail").exclude(state=JobState.DONE).delete()


def wait_seconds(attempts: int) -> float:
    """Seconds until the next try: doubling from the base, at most an hour, with jitter against herds."""
    longest = min(LONGEST_WAIT_SECONDS, settings.RETRY_BASE_SECONDS * 2 ** max(attempts - 1, 0))
    return random.uniform(longest / 2, longest)  # noqa: S311  (jitter, not a secret)


def sweep(now: datetime | None = None) -> int:
    """Send again what is due: never sent, its message lost, or its worker dead. How many were sent."""
    now = now or timezone.now()
    try:
        crowded = [queue for queue in sorted(set(QUEUES.values())) if _length(queue) > CROWDED]
    except BROKER_TROUBLE as error:
        log.warning("the broker does not answer: %s", type(error).__name__)
        return 0
    silent = Q(sent_at__lt=now - RESEND_AFTER) & ~Q(queue__in=crowded)
    unsent = Q(sent_at__isnull=True) | silent | Q(sent_at__lt=now - RESEND_ANYHOW_AFTER)
    waiting = Job.objects.filter(unsent, state=JobState.WAITING, due_at__lte=now).order_by("due_at")
    unsent |= Q(sent_at__lt=F("lease_until"))
    orphaned = Job.objects.filter(unsent, state=JobState.RUNNING, lease_until__lt=now).order_by("lease_until")
    found = [*waiting[:SWEEP_LIMIT], *(orphaned[:SWEEP_LIMIT] if _leases_lapse() else ())]
    pks = [job.pk for job in found]
    Job.objects.filter(pk__in=pks).update(sent_at=now)
    for sent, job in enumerate(found):
        if not _send(job.pk, job.queue):
            # The broker is gone. Each further try would take its time; the next sweep begins with these.
            Job.objects.filter(pk__in=pks[sent:], sent_at=now).update(sent_at=None)
            return sent
    return len(found)


def _take(pk: int, free: Q) -> Job | None:
    lease = secrets.token_hex(16)
    taken = Job.objects.filter(free, pk=pk).update(
        state=JobState.RUNNING, lease=lease, lease_until=timezone.now() + _lease(), attempts=F("attempts") + 1
    )
    return Job.objects.select_related("case").get(pk=pk) if taken else None


def _leases_lapse() -> bool:
    """Not right after the database came up: whoever works could not renew while it was away, and gets the time to."""
    return _database_is_up_since() > settings.LEASE_SECONDS


def _database_is_up_since() -> float:
    """Seconds; a file is never away."""
    if connection.vendor != "postgresql":
        return math.inf
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())")
        (seconds,) = cursor.fetchone()
    return float(seconds)


def _length(queue: str) -> int:
    """How many messages wait in this queue of the broker."""
    with current_app.connection_or_acquire() as broker:
        broker.ensure_connection(max_retries=1)
        return int(broker.default_channel.queue_declare(queue).message_count)


def _send(pk: int, queue: str) -> bool:
    try:
        current_app.send_task("dsr.run_job", args=[pk], queue=queue)
    except BROKER_TROUBLE as error:
        # The row is the promise: the sweep sends it again once the broker is back.
        log.warning("job %s was not sent: %s", pk, type(error).__name__)
        return False
    return True


def _renew(pk: int, lease: str, is_over: threading.Event) -> None:
    try:
        while not is_over.wait(settings.LEASE_SECONDS / 3):
            try:
                _leased(pk, lease).update(lease_until=timezone.now() + _lease())
            except (DatabaseError, InterfaceError) as error:
                # The database restarts: the next time it is back, and the lease still ours if nobody claimed the job.
                log.warning("the lease of job %s was not renewed: %s", pk, type(error).__name__)
                connection.close()
    finally:
        connection.close()


def _leased(pk: int, lease: str) -> QuerySet[Job]:
    return Job.objects.filter(pk=pk, lease=lease)


def _told(sentence: str) -> str:
    """As the column takes it: PostgreSQL refuses a NUL, which a system's own words may hold."""
    return sentence.replace("\0", "")[:500]


def _lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def _write(job: Job, **changes: Any) -> None:
    if not Job.objects.filter(pk=job.pk, lease=job.lease, state=JobState.RUNNING).update(**changes):
        raise LeaseLost(f"job {job.pk} is no longer ours")
    for name, value in changes.items():
        setattr(job, name, value)
