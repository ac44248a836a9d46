"""`manage.py demo`: a sample company with everything running; `--once` carries its sample person's export through."""

import base64
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import second_factor
from accounts.models import User
from dsr import deliver, intake, policy, samples
from dsr.bundle import archive
from dsr.management.commands.serve import prepare
from dsr.management.supervisor import Supervisor, children
from dsr.models import Case, Job, JobState, State
from dsr.samples import SamplePerson

STAFF = (("ben@staff.example", "Ben Ortiz (sample)"), ("cleo@staff.example", "Cleo Hahn (sample)"))
LONGEST_WAIT_SECONDS = 300


class Command(BaseCommand):
    """Everything of a sample company on one machine."""

    # The checks' long list of what the sample policies assume would bury what the reader needs to see.
    requires_system_checks = ()
    help = "Starts a sample company (POLICY=lumees, lyumen, lumyxai, lumio or lunos); --once exports its sample person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="carry one export to its archive, then stop")
        parser.add_argument("--code", action="store_true", help="print the staff's second factor of this moment")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SAMPLE:
            raise CommandError(f"Say which sample: POLICY=lumio python manage.py demo ({', '.join(samples.NAMES)}).")
        if options["code"]:
            self.stdout.write(second_factor.current_totp(_sign_ins()["second factor"]))
            return
        started = time.monotonic()
        try:
            policy.current()
        except policy.PolicyError as error:
            raise CommandError(str(error)) from error
        prepare()
        _build_systems()
        staff = _staff()
        if options["once"]:
            self._once(staff, started)
        else:
            self._run(options["port"])

    def _run(self, port: int) -> None:
        origin = os.environ.setdefault("DSR_ORIGIN", f"http://localhost:{port}")
        supervisor = Supervisor(children(f"127.0.0.1:{port}", 1, 1, _log()))
        supervisor.start()
        try:
            _wait_for(f"{origin}/ready")
        except BaseException:
            supervisor.stop()
            raise
        sign_ins = _sign_ins()
        person = samples.person(settings.SAMPLE)
        by = f"privacy receipts: {', '.join(person.receipts[:3])}" if person.receipts else f"address: {person.email}"
        self.stdout.write(
            f"\n{policy.current().organisation.short} (sample), everything in {settings.DATA}\n\n"
            f"  Portal        {origin}/\n"
            f"                ask as {person.name}, {by}\n"
            f"  Mail it sent  {origin}/outbox/\n"
            f"  Staff         {origin}/staff/\n"
            f"                {' or '.join(email for email, _ in STAFF)}, password {sign_ins['password']}\n"
            f"                second factor: POLICY={settings.SAMPLE} {sys.executable} manage.py demo --code\n"
            f"                (or put {sign_ins['second factor']} into an authenticator app)\n"
            f"  Log           {_log()}\n\n"
            "Ctrl-C stops everything.\n"
        )
        self.stdout.flush()
        supervisor.run()

    def _once(self, staff: list[User], started: float) -> None:
        person = samples.person(settings.SAMPLE)
        supervisor = Supervisor([child for child in children("", 1, 2, _log()) if child.name != "web"])
        supervisor.start()
        try:
            case = _open(person)
            begun = time.monotonic()
            _wait(case, State.REVIEW, State.COMPLETED)
            for member in staff[: deliver.approvals_needed(case)]:
                deliver.approve(case, member)
            _wait(case, State.COMPLETED)
            ready = time.monotonic() - begun
        finally:
            supervisor.stop()
        folder = self._opened(case)
        rows, in_all = case.delivery.rows, time.monotonic() - started
        self.stdout.write(
            f"{policy.current().organisation.short}, {person.name}: {rows} rows, {case.delivery.size} bytes, "
            f"{ready:.1f} seconds from asking to sealed (workers started meanwhile), {in_all:.1f} in all"
        )
        if not rows:
            raise CommandError("The sample person has no rows: the export is not what it should be.")
        self.stdout.write(str(folder))

    def _opened(self, case: Case) -> Path:
        """Download, verify and unpack the archive, as its receiver would."""
        folder = Path(settings.DATA) / "opened" / case.reference
        folder.mkdir(parents=True, exist_ok=True)
        bundle = folder.with_suffix(".zip")
        with bundle.open("wb") as file:
            file.writelines(deliver.serve(case))
        password = case.delivery.secret.get("passphrase")
        problems = archive.verify(bundle, password)
        if problems:
            raise CommandError("The archive is not what it says: " + "; ".join(problems))
        archive.extract(bundle, folder, password)
        return folder


def _open(person: SamplePerson) -> Case:
    """What the portal does when the person asks and types the code (or gives receipts)."""
    policy_now = policy.current()
    right = next(name for name in ("access", "export") if policy_now.right(name).offered)
    claim = intake.new_claim_code() if person.receipts else ""
    asked = intake.Asked(
        right=right,
        nonce=secrets.token_hex(16),
        email="" if person.receipts else person.email,
        receipts=tuple(person.receipts),
        claim=claim,
    )
    case = intake.open_case(asked)
    if not person.receipts:
        user, _ = User.objects.get_or_create(email=person.email)
        case = intake.verify(case, user)
    return case


def _wait(case: Case, *states: State) -> None:
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline:
        case.refresh_from_db()
        if case.state in states:
            return
        failed = Job.objects.filter(case=case, state=JobState.FAILED).first()
        if failed is not None:
            raise CommandError(f"{failed.kind} {failed.system}: {failed.problem} {failed.hint}")
        time.sleep(0.05)
    raise CommandError(f"After {LONGEST_WAIT_SECONDS} seconds the request is still “{case.get_state_display()}”.")


def _log() -> Path:
    """What the processes print; the terminal stays for what the reader needs."""
    return Path(settings.DATA) / "processes.log"


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310  # nosec B310  (our own address)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise CommandError(f"The web server did not start within a minute. {_log()} says why.")


def _build_systems() -> None:
    """Fill the sample systems, anew each day: their dates must lie within what the policy keeps."""
    folder = Path(settings.DATA) / "systems"
    mark = folder / "built-on"
    today = date.today().isoformat()
    if mark.exists() and mark.read_text() == today:
        return
    samples.build(settings.SAMPLE, folder)
    mark.write_text(today)


def _sign_ins() -> dict[str, str]:
    """The sample staff's password and second factor, made once for this data folder."""
    path = Path(settings.DATA) / "demo-sign-ins.json"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(
            json.dumps(
                {
                    "password": secrets.token_urlsafe(12),
                    "second factor": base64.b32encode(secrets.token_bytes(20)).decode(),
                }
            )
        )
    found: dict[str, str] = json.loads(path.read_text())
    return found


def _staff() -> list[User]:
    sign_ins = _sign_ins()
    people = []
    for email, name in STAFF:
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User.objects.create_superuser(email, sign_ins["password"], name=name)
            second_factor.set_totp(user, sign_ins["second factor"])
        people.append(user)
    return people
