"""One request carried from the typed code to the sealed archive by real processes, and when it got where."""

import json
import os
import secrets
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings

from accounts.models import User
from bench.figures import Figure
from dsr import deliver, intake
from dsr.management.supervisor import Child, Supervisor, children
from dsr.models import AuditEntry, Case, Job, JobState, State

PORT = int(os.environ["BENCH_PORT"])
LONGEST_WAIT_SECONDS = 120


class Asking(Protocol):
    """Whoever has an address."""

    @property
    def email(self) -> str: ...


@contextmanager
def running(*names: str, web_workers: int = 2, work_processes: int = 2) -> Iterator[dict[str, Child]]:
    """Some of web, clock and worker, started as `serve` starts them."""
    log = Path(settings.DATA) / "processes.log"
    kept = [c for c in children(f"127.0.0.1:{PORT}", web_workers, work_processes, log) if c.name in names]
    supervisor = Supervisor(kept)
    supervisor.start()
    try:
        if "web" in names:
            _wait_for_web()
        yield {child.name: child for child in kept}
    except SystemExit:
        sys.stderr.write(log.read_text()[-4000:])
        raise
    finally:
        supervisor.stop()


def verified(person: Asking) -> Case:
    """The person asks for everything and types the code."""
    asked = intake.Asked(right="access", nonce=secrets.token_hex(16), email=person.email)
    user, _ = User.objects.get_or_create(email=person.email)
    return intake.verify(intake.open_case(asked), user)


def carried(case: Case, patience: float = LONGEST_WAIT_SECONDS) -> Case:
    """Wait for review, agree at once if somebody must, wait for the archive, and until nothing of it is left to do."""
    staff = [User.objects.get_or_create(email=f"{name}@staff.example")[0] for name in ("ben", "cleo")]
    if needed := deliver.approvals_needed(case):
        _wait(case, patience, State.REVIEW)
        for member in staff[:needed]:
            deliver.approve(case, member)
    _wait(case, patience, State.COMPLETED)
    while Job.objects.filter(case=case).exclude(state=JobState.DONE).exists():
        time.sleep(0.05)
    return Case.objects.get(pk=case.pk)


def seconds(case: Case, start: str, end: str) -> float:
    """From one state to another."""
    at = reached(case)
    return (at[end] - at[start]).total_seconds()


def reached(case: Case) -> dict[str, datetime]:
    """When the case reached each state, from the trail."""
    moves = AuditEntry.objects.filter(case_id=case.pk, act="advanced").order_by("seq")
    return {move.facts["to"]: move.at for move in moves}


def tell(figures: list[Figure]) -> None:
    """Hand the figures to the process that prints the table."""
    sys.stdout.write("\n" + json.dumps([figure.plain() for figure in figures]) + "\n")


def _wait(case: Case, patience: float, *states: State) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        case.refresh_from_db()
        if case.state in states:
            return
        failed = Job.objects.filter(case=case, state=JobState.FAILED).first()
        if failed is not None:
            raise SystemExit(f"{failed.kind} {failed.system}: {failed.problem}")
        time.sleep(0.01)
    waiting = Job.objects.filter(case=case).exclude(state=JobState.DONE)
    undone = [(job.kind, job.system, job.state, job.attempts, job.problem) for job in waiting]
    raise SystemExit(f"After {patience:.0f} seconds the request is still {case.state}: {undone}")


def _wait_for_web() -> None:
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"http://localhost:{PORT}/health", timeout=5):
            return
        time.sleep(0.1)
    raise SystemExit("The web server did not start.")
