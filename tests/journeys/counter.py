"""The counter of a running company: what people and staff do, done in a process with the company's own settings.

Reads one JSON object a line ({"act": ..., ...}) and answers each with one line. Started by tests.journeys.company.
"""

import json
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.files.storage import storages  # noqa: E402
from django.db import close_old_connections  # noqa: E402

from accounts.models import User  # noqa: E402
from dsr import audit, deliver, intake, keys, samples  # noqa: E402
from dsr.bundle import sealed  # noqa: E402
from dsr.models import Case  # noqa: E402
from dsr.models.part import part_context  # noqa: E402

STAFF = ("ben@staff.example", "cleo@staff.example")


def ask(sample: str) -> str:
    """The heavy person asks for a copy and types the code. The id of the request."""
    person = samples.heavy(sample)
    # The message differs each time, so that two requests are never identical and joined.
    asked = intake.Asked(
        right="access", nonce=secrets.token_hex(16), email=person.email, message=f"Request {secrets.token_hex(4)}"
    )
    user, _ = User.objects.get_or_create(email=person.email)
    return intake.verify(intake.open_case(asked), user).pk


def approve(case: str) -> None:
    """As many of the staff agree as the policy wants."""
    found = Case.objects.get(pk=case)
    for email in STAFF[: deliver.approvals_needed(found)]:
        user, _ = User.objects.get_or_create(email=email, defaults={"is_staff": True})
        deliver.approve(found, user)


def fetch(case: str, to: str) -> int:
    """Download the archive to a file. How many rows its delivery says it has."""
    found = Case.objects.get(pk=case)
    with Path(to).open("wb") as file:
        file.writelines(deliver.serve(found))
    return found.delivery.rows


def audit_problems() -> list[str]:
    """What is wrong with the trail."""
    return audit.verify()


def opens(name: str) -> bool:
    """Whether a file in storage can be read to its end with the company's own keys."""
    folder, _, rest = name.partition("/")
    if folder == "bundles":
        context = f"bundle:{rest.partition('/')[0]}".encode()
    else:
        case, system, file = rest.split("/")
        collection, number, _lease = file.rsplit("-", 2)
        context = part_context(case, system, collection, int(number))
    try:
        for _chunk in sealed.chunks(storages["bundles"], name, context):
            pass
    except keys.DoesNotOpen:
        return False
    return True


ACTS: dict[str, Callable[..., Any]] = {
    "ask": ask, "approve": approve, "fetch": fetch, "audit": audit_problems, "opens": opens
}  # fmt: skip

if __name__ == "__main__":
    for line in sys.stdin:
        close_old_connections()  # as the web does with each request
        said = json.loads(line)
        sys.stdout.write(json.dumps(ACTS[said.pop("act")](**said)) + "\n")
        sys.stdout.flush()
