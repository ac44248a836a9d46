"""Celery's only door: run one job, sweep for what is due, tick once a minute."""

import logging
import socket
import traceback
from collections.abc import Callable

from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from accounts import codes
from dsr import audit, deliver, gather, intake, jobs, notify, pulse
from dsr.connectors import SystemRefused, SystemUnreachable
from dsr.mailer.sending import MailRefused, MailWaits
from dsr.models import Job
from dsr.storage import StorageRefused, StorageUnreachable

log = logging.getLogger(__name__)

STAGES: dict[str, Callable[[Job], None]] = {
    "mail": notify.send,
    "identify": gather.identify,
    "gather": gather.gather,
    "release": deliver.release,
    "seal": deliver.seal,
    "remove": deliver.remove_files,
}
# The portal's own database: gone, restarted, or two that waited for each other.
DATABASE = (OperationalError, InterfaceError)


@shared_task(name="dsr.run_job")
def run_job(pk: int) -> None:
    """Claim the job and do it. Whatever goes wrong is written into its row, without any value of a person.

    Where not even that can be written, because the database is gone, the lease lapses and the sweep sends it again.
    """
    jobs.look_at_connection()
    job = jobs.claim(pk)
    if job is None:
        return
    with jobs.leasing(job):
        try:
            _run(job)
        except jobs.LeaseLost:
            log.info("job %s went to another worker", pk)


def _run(job: Job) -> None:
    try:
        STAGES[job.kind](job)
    except jobs.LeaseLost:
        raise
    except jobs.NeedsPerson as error:
        jobs.fail(job, error.problem, error.hint)
    except jobs.Unfinished as error:
        jobs.retry(job, error.problem, error.hint)
    except (SystemRefused, StorageRefused, MailRefused) as error:
        jobs.fail(job, str(error), error.hint)
    except (SystemUnreachable, StorageUnreachable, MailWaits) as error:
        jobs.retry(job, str(error), error.hint)
    except DATABASE as error:
        jobs.look_at_connection()
        jobs.retry(job, _named(error), "Look at the portal's own database.")
    except OSError as error:
        jobs.retry(job, _named(error), "Look at the disk and the network.")
    except Exception as error:  # whatever it is, the job must not be lost: it is tried again, then a person is asked
        # The message of an unforeseen exception may quote a person's data: only its kind and place are written.
        log.error("job %s failed: %s", job.pk, _named(error))
        jobs.retry(job, _named(error), "This was not foreseen. The log of the worker names the place.")


@shared_task(name="dsr.sweep")
def sweep() -> None:
    """Send again what is due, and say that the way here is open."""
    jobs.look_at_connection()
    jobs.sweep()
    pulse.beat(settings.RUN, f"sweep@{socket.gethostname()}")


@shared_task(name="dsr.tick")
def tick() -> None:
    """Once a minute: what the calendar asks for, and a checkpoint of the trail."""
    jobs.look_at_connection()
    now = timezone.now()
    audit.write_checkpoint()  # first: nothing that goes wrong below may hold it up
    deliver.expire(now)
    intake.lapse_unverified(now)
    call_command("clearsessions")  # a session holds the address that was typed
    codes.forget_expired()
    cache.purge()  # type: ignore[attr-defined]  # dsr.shared_cache.SharedCache


def _named(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "unknown"
    return f"{type(error).__name__} at {place}"
